package postgres

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/lib/pq"
)

// SourceOf returns the data source of another database of the server that dataSource names, for the same user.
func SourceOf(dataSource, database string) (string, error) {
	if !strings.HasPrefix(dataSource, "postgres://") && !strings.HasPrefix(dataSource, "postgresql://") {
		// The last of two equal keys counts.
		return dataSource + " dbname=" + database, nil
	}
	parsed, err := url.Parse(dataSource)
	if err != nil {
		return "", ErrDataSource
	}
	parsed.Path = "/" + database
	named := parsed.Query()
	named.Del("dbname")
	parsed.RawQuery = named.Encode()
	return parsed.String(), nil
}

// Environment returns dataSource as PostgreSQL's own programs read it from their environment, where others do not see the
// password as they would see it among arguments.
func Environment(dataSource string) ([]string, error) {
	config, err := pq.NewConfig(dataSource)
	if err != nil {
		return nil, fmt.Errorf("%w", ErrDataSource)
	}
	var environment []string
	for _, one := range []struct{ name, value string }{
		{"PGHOST", config.Host}, {"PGPORT", strconv.Itoa(int(config.Port))}, {"PGDATABASE", config.Database},
		{"PGUSER", config.User}, {"PGPASSWORD", config.Password}, {"PGPASSFILE", config.Passfile},
		{"PGSSLMODE", string(config.SSLMode)}, {"PGSSLCERT", config.SSLCert}, {"PGSSLKEY", config.SSLKey},
		{"PGSSLROOTCERT", config.SSLRootCert},
	} {
		if one.value != "" {
			environment = append(environment, one.name+"="+one.value)
		}
	}
	return environment, nil
}
