package cli_test

import (
	"testing"

	"regulars/cli"
)

func TestSettings_Loopback(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"127.0.0.1:8080":         true,
		"127.8.9.10:0":           true,
		"localhost:8080":         true,
		"[::1]:8080":             true,
		"[::ffff:127.0.0.1]:80":  true,
		":8080":                  false,
		"0.0.0.0:8080":           false,
		"[::]:8080":              false,
		"192.168.1.7:8080":       false,
		"localhost.example:8080": false,
		"127.0.0.1":              false,
	} {
		if got := (cli.Settings{Addr: address}).Loopback(); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}
