package value

import (
	"fmt"
	"regexp"
	"sync"
	"time"
)

// Machines have files of zones under more names than the IANA database gives: their own zone, and others' by another
// reckoning. All of those begin in lower case.
var zoneForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// zones are those that were read, by name: reading one opens a file.
var zones sync.Map

// ParseZone returns the time zone of that name in the IANA database.
func ParseZone(name string) (*time.Location, error) {
	if known, ok := zones.Load(name); ok {
		return known.(*time.Location), nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil || !zoneForm.MatchString(name) || name == "Local" || name == "Factory" {
		return nil, fmt.Errorf("%q is not a time zone of the IANA database, e.g. Europe/Berlin", name)
	}
	zones.Store(name, zone)
	return zone, nil
}
