package demo

import (
	_ "embed" // the query
	"fmt"
	"strings"
)

//go:embed first-query.json
var firstQuery string

// FirstQuery is the body of a request that asks what Robin's app shows. It holds no apostrophe, so that a shell takes it
// between two.
func FirstQuery() string { return strings.TrimSpace(firstQuery) }

// Welcome tells how to sign in as Robin and ask the server at url; data is the server's data folder.
func Welcome(url, data string) string {
	folder := ""
	if data != "./data" {
		folder = " --data '" + data + "'"
	}
	return fmt.Sprintf(`A demo club is here to look around in. Ask, from another terminal, where the member Robin stands:

token=$(go run . token%s --role MEMBER --external-id %s)
curl %s/graphql \
  --header "Authorization: Bearer $token" \
  --header "Content-Type: application/json" \
  --data '%s'
`, folder, robin, url, FirstQuery())
}
