package cli

import "context"

type serveCommand struct {
	Seed
	API API `embed:"" group:"Bounds of the API"`
}

// Help is what --help tells beyond the flags.
func (serveCommand) Help() string {
	return `GraphQL is at /graphql, a page to try it at /, health at /healthz and /readyz. On SIGTERM or Ctrl-C the
program finishes what is under way and stops.

Example, a program that counts in pounds:

    regulars serve --currency GBP --time-zone Europe/London`
}

// Validate returns an error that names the setting with a value that cannot be.
func (c serveCommand) Validate() error { return c.API.Validate() }

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, running Program, settings Settings) error {
	settings.API = c.API
	return running.Serve(ctx, settings, c.program())
}
