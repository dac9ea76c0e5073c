package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"regulars/internal/demo"
)

type demoCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (demoCommand) Help() string {
	return `The club has some hundred invented members, 18 months of purchases and returns up to now, tiers and rules. It needs a
database without members, rules and tiers; a build that was interrupted is completed. The server does the same by itself
when it starts with REGULARS_DEMO=on.

Example, a club that counts in yen:

    regulars demo --currency JPY --time-zone Asia/Tokyo`
}

// Run builds the demo club and prints what to ask it first.
func (c demoCommand) Run(ctx context.Context, running Program, settings Settings) (err error) {
	database, err := OpenDatabase(ctx, settings, c.program(), running.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	shown := newProgress(running)
	figures, err := demo.Build(ctx, database.DB, func(done, total int) {
		shown.show("weeks", int64(done), int64(total))
	})
	shown.end()
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("stopped; run the same command again to complete the club: %w", err)
		}
		return err
	}
	if _, err = fmt.Fprintf(running.Output, "%d members, %s purchases, %d returns\n",
		figures.Members, grouped(figures.Purchases), figures.Returns); err != nil || settings.NoDevelopmentIssuer() != "" {
		return err
	}
	url := strings.TrimSuffix(cmp.Or(settings.PublicURL, "http://"+settings.Addr), "/")
	_, err = fmt.Fprintf(running.Output, "\n%s", demo.Welcome(url, settings.Data))
	return err
}
