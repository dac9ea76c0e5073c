package jobs

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Specs are times of jobs other than those of the timetable, by the names of jobs: cron specs, or "off".
type Specs map[string]string

// UnmarshalText reads "name=spec;name=off". What it returns as an error says which of them is wrong, and how.
func (s *Specs) UnmarshalText(text []byte) error {
	read := Specs{}
	for one := range strings.SplitSeq(string(text), ";") {
		if one = strings.TrimSpace(one); one == "" {
			continue
		}
		name, spec, ok := strings.Cut(one, "=")
		name, spec = strings.TrimSpace(name), strings.Join(strings.Fields(spec), " ")
		if !ok {
			return fmt.Errorf("%q is not like expire-points=30 3 * * * or expire-points=off", one)
		}
		if !slices.ContainsFunc(timetable, func(known job) bool { return known.name == name }) {
			return fmt.Errorf("no job is called %q; there are %s", name, strings.Join(names(timetable), ", "))
		}
		if _, twice := read[name]; twice {
			return fmt.Errorf("%s stands there twice", name)
		}
		if _, err := parseSchedule(spec, time.UTC); err != nil {
			return fmt.Errorf("%s: %q is no time to run: %w", name, spec, err)
		}
		read[name] = spec
	}
	*s = read
	return nil
}

func names(table []job) []string {
	list := make([]string, len(table))
	for i, one := range table {
		list[i] = one.name
	}
	return list
}
