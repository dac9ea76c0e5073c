package cli

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

// API bounds what the server takes of its callers. What is counted is counted in each process by itself.
type API struct {
	MaximumBody       int64         `env:"REGULARS_MAXIMUM_BODY" default:"8388608" placeholder:"BYTES" help:"How large a request may be (${default})."`
	MaximumComplexity int           `env:"REGULARS_MAXIMUM_COMPLEXITY" default:"30000" placeholder:"FIELDS" help:"How many fields an operation may ask for, those of lists counted by the page (${default})."`
	MaximumDepth      int           `env:"REGULARS_MAXIMUM_DEPTH" default:"15" placeholder:"LEVELS" help:"How deep an operation may be nested (${default})."`
	OperationTimeout  time.Duration `env:"REGULARS_OPERATION_TIMEOUT" default:"20s" placeholder:"DURATION" help:"How long an operation may take (${default}); then its SQL is stopped."`
	CallerRate        int           `env:"REGULARS_CALLER_RATE" default:"200" placeholder:"OPERATIONS" help:"How many operations a person or machine client may send in a second (${default}), and of 20 seconds at once."`
	GuessRate         int           `env:"REGULARS_GUESS_RATE" default:"60" placeholder:"GUESSES" help:"How many look-ups of a caller may find nobody in a minute (${default}), and 1000 at once."`
	Introspection     Switch        `env:"REGULARS_INTROSPECTION" default:"on" placeholder:"on|off" help:"Let callers read the schema (${default})."`
	Suggestions       *Switch       `env:"REGULARS_SUGGESTIONS" placeholder:"on|off" help:"Let errors name fields that were perhaps meant (as introspection)."`
	TrustedProxies    []string      `name:"trusted-proxies" env:"REGULARS_TRUSTED_PROXIES" placeholder:"ADDRESS" help:"Which proxies are believed when X-Forwarded-For names an address, e.g. 10.0.0.0/8,192.0.2.7 (none)."`
	CORSOrigins       []string      `name:"cors-origins" env:"REGULARS_CORS_ORIGINS" placeholder:"ORIGIN" help:"Whose pages may call the API from a browser, e.g. https://app.club.example,https://club.example (nobody's but its own)."`
}

// Bounds of what the API can be told.
const (
	minimumTimeout = time.Millisecond
	maximumTimeout = 10 * time.Minute
	maximumNumber  = 1 << 30
)

// Validate returns an error that names the setting with a value that cannot be.
func (a API) Validate() error {
	for _, one := range []struct {
		name  string
		value int64
	}{
		{"REGULARS_MAXIMUM_BODY (--maximum-body)", a.MaximumBody},
		{"REGULARS_MAXIMUM_COMPLEXITY (--maximum-complexity)", int64(a.MaximumComplexity)},
		{"REGULARS_MAXIMUM_DEPTH (--maximum-depth)", int64(a.MaximumDepth)},
		{"REGULARS_CALLER_RATE (--caller-rate)", int64(a.CallerRate)},
		{"REGULARS_GUESS_RATE (--guess-rate)", int64(a.GuessRate)},
	} {
		if one.value < 1 || one.value > maximumNumber {
			return fmt.Errorf("%s: %d is not between 1 and %d", one.name, one.value, maximumNumber)
		}
	}
	if a.OperationTimeout < minimumTimeout || a.OperationTimeout > maximumTimeout {
		return fmt.Errorf("REGULARS_OPERATION_TIMEOUT (--operation-timeout): %s is not between %s and %s",
			a.OperationTimeout, minimumTimeout, maximumTimeout)
	}
	for _, origin := range a.CORSOrigins {
		parsed, err := url.Parse(strings.ToLower(origin))
		if err != nil || (parsed.Scheme != "http" && parsed.Scheme != "https") || parsed.Host == "" || origin != parsed.Scheme+"://"+parsed.Host {
			return fmt.Errorf("REGULARS_CORS_ORIGINS (--cors-origins): %q is not an origin like https://app.club.example", origin)
		}
	}
	for _, proxies := range a.TrustedProxies {
		if _, err := parseNetwork(proxies); err != nil {
			return fmt.Errorf("REGULARS_TRUSTED_PROXIES (--trusted-proxies): %q is neither an IP address nor a network like 10.0.0.0/8", proxies)
		}
	}
	return nil
}

// Networks are those of the trusted proxies; the settings must be valid.
func (a API) Networks() []netip.Prefix {
	networks := make([]netip.Prefix, len(a.TrustedProxies))
	for i, proxies := range a.TrustedProxies {
		networks[i], _ = parseNetwork(proxies)
	}
	return networks
}

// parseNetwork reads a network, or an address as the network of itself alone.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return address.Unmap().WithZone("").Prefix(address.Unmap().BitLen())
	}
	return netip.ParsePrefix(text)
}

// Suggests tells whether errors name fields that were perhaps meant: as far as the schema can be read, if nothing is said.
func (a API) Suggests() bool {
	if a.Suggestions == nil {
		return a.Introspection.On
	}
	return a.Suggestions.On
}
