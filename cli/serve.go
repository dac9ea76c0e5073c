package cli

import "context"

type serveCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (serveCommand) Help() string {
	return `GraphQL is at /graphql, a page to try it at /, health at /healthz and /readyz. On SIGTERM or Ctrl-C the
program finishes what is under way and stops.

Example, a program that counts in pounds:

    regulars serve --currency GBP --time-zone Europe/London`
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return running.Serve(ctx, settings, c.program())
}
