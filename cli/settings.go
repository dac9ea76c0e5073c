package cli

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"

	"regulars/internal/program"
	"regulars/jobs"
)

// Settings are what every command can be told, by a flag or by the environment. They name infrastructure; how the
// program counts is kept in its database.
type Settings struct {
	Addr        string `env:"REGULARS_ADDR" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen (${default}). The development issuer is on only where that and the public URL are of this machine and there is no other issuer."`
	PublicURL   string `name:"public-url" env:"REGULARS_PUBLIC_URL" placeholder:"URL" help:"Where people and apps reach the program, if not at that address."`
	Data        string `env:"REGULARS_DATA" default:"./data" placeholder:"FOLDER" help:"The data folder (${default})."`
	DatabaseURL string `name:"database-url" env:"DATABASE_URL" placeholder:"URL" help:"A PostgreSQL to use, e.g. postgres://regulars@localhost/regulars; else the program keeps its own in the data folder."`
	Demo        Switch `env:"REGULARS_DEMO" default:"off" placeholder:"on|off" help:"Fill an empty database with a demo club (${default})."`

	Jobs jobs.Specs `env:"REGULARS_JOBS" placeholder:"NAME=SPEC;..." help:"When jobs run, where not as the timetable says: cron specs in the program's time zone, or off, e.g. 'expire-points=30 3 * * *;check-books=off'."`

	// API is known to the server alone.
	API      API      `kong:"-"`
	OIDC     OIDC     `embed:"" prefix:"oidc-" group:"Sign-in by your identity provider"`
	Delivery Delivery `embed:"" group:"Messages to members"`
}

// Validate returns an error that names the setting with a value that cannot be.
func (s Settings) Validate() error {
	host, port, err := net.SplitHostPort(s.Addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("REGULARS_ADDR (--addr): %q is not a host with a port, e.g. 127.0.0.1:8080", s.Addr)
	}
	if _, err := netip.ParseAddr(host); host != "" && err != nil && host != "localhost" {
		return fmt.Errorf("REGULARS_ADDR (--addr): %q is neither an IP address nor localhost", host)
	}
	if s.PublicURL != "" {
		public, err := url.Parse(s.PublicURL)
		if err != nil || (public.Scheme != "http" && public.Scheme != "https") || public.Host == "" || public.RawQuery != "" || public.Fragment != "" {
			return fmt.Errorf("REGULARS_PUBLIC_URL (--public-url): %q is not an address like https://club.example", s.PublicURL)
		}
	}
	if s.Data == "" {
		return errors.New("REGULARS_DATA (--data): the data folder is not named")
	}
	if err := s.validateDelivery(); err != nil {
		return err
	}
	return s.OIDC.Validate()
}

// NoDevelopmentIssuer tells why no server with these settings takes tokens of the development issuer; empty where one
// does. Whoever can read the data folder can be anybody, so it is for this machine alone.
func (s Settings) NoDevelopmentIssuer() string {
	if s.OIDC.Issuer != "" {
		return fmt.Sprintf("REGULARS_OIDC_ISSUER is %s, whose tokens alone a server accepts", s.OIDC.Issuer)
	}
	if host, _, err := net.SplitHostPort(s.Addr); err != nil || !loopback(host) {
		return fmt.Sprintf("REGULARS_ADDR is %s, which is no loopback address", s.Addr)
	}
	if public, err := url.Parse(s.PublicURL); err != nil || s.PublicURL != "" && !loopback(public.Hostname()) {
		return fmt.Sprintf("REGULARS_PUBLIC_URL is %s, which others than this machine reach", s.PublicURL)
	}
	return ""
}

// loopback tells whether the host can only be reached from this machine.
func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.IsLoopback()
}

// Switch is a setting that is on or off.
type Switch struct{ On bool }

// UnmarshalText reads "on" or "off".
func (s *Switch) UnmarshalText(text []byte) error {
	switch string(text) {
	case "on":
		s.On = true
	case "off":
		s.On = false
	default:
		return fmt.Errorf("must be on or off, not %q", text)
	}
	return nil
}

// Seed is how a new program counts. A database that has its program already must agree.
type Seed struct {
	Currency     string `env:"REGULARS_CURRENCY" placeholder:"CODE" help:"Currency of a new program, e.g. EUR (USD if not given)."`
	TimeZone     string `env:"REGULARS_TIME_ZONE" placeholder:"ZONE" help:"Time zone of a new program, e.g. Europe/Berlin (UTC if not given)."`
	ProgramStart string `env:"REGULARS_PROGRAM_START" placeholder:"TIME" help:"When a new program starts, e.g. 2026-01-01T00:00:00Z; it takes no facts from before (no limit if not given)."`
}

func (s Seed) program() program.Seed {
	return program.Seed{Currency: s.Currency, TimeZone: s.TimeZone, Start: s.ProgramStart}
}
