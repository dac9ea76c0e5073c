package cli

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/page"
	"regulars/internal/value"
)

type clientCommand struct {
	Create createClientCommand `cmd:"" help:"Make a machine client and print its key."`
	List   listClientsCommand  `cmd:"" help:"List the machine clients."`
	Rotate rotateClientCommand `cmd:"" help:"Print a new key for a machine client."`
	Revoke revokeClientCommand `cmd:"" help:"End all keys of a machine client."`
}

type createClientCommand struct {
	Seed
	Name  string        `arg:"" help:"What it is called: unique among the clients that are not revoked."`
	Scope []actor.Scope `required:"" placeholder:"SCOPE" help:"What it may do; can be given more than once."`
}

// Help is what --help tells beyond the flags.
func (createClientCommand) Help() string {
	return `The key is the only thing on standard output, and it is shown this once: only a hash of it is kept. The client
sends it as a bearer token. Scopes are ` + scopeList(actor.Scopes) + `.

Examples:

    regulars client create "Till 1" --scope purchases:write --scope members:read
    regulars client create "Web shop" --scope purchases:write,purchases:preview,members:read > web-shop.key`
}

// Validate returns an error for a scope that there is not.
func (c createClientCommand) Validate() error {
	for _, scope := range c.Scope {
		if !slices.Contains(actor.Scopes, scope) {
			return fmt.Errorf("--scope: there is no scope %q; there are %s", scope, scopeList(actor.Scopes))
		}
	}
	return nil
}

// Run makes the client and prints its key.
func (c createClientCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "client", func(ctx context.Context, database *Database) error {
		clients := identity.NewClients(database.DB, slog.New(slog.DiscardHandler))
		client, key, err := clients.Create(ctx, identity.CreateClientInput{Name: c.Name, Scopes: c.Scope})
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(running.Messages, "%s is %s and may %s. Its key is shown this once:\n", client.Name, client.ID, scopeList(client.Scopes))
		_, err = fmt.Fprintln(running.Output, key)
		return err
	})
}

type listClientsCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (listClientsCommand) Help() string {
	return `Lists all clients, oldest first, with the public parts of the keys that are valid now: what stands between the two
underscores of a key. The last use is exact to about a minute.

Example:

    regulars client list`
}

// Run prints the clients.
func (c listClientsCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "client", func(ctx context.Context, database *Database) error {
		clients := identity.NewClients(database.DB, slog.New(slog.DiscardHandler))
		table := tabwriter.NewWriter(running.Output, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "name\tid\tscopes\tcreated\tlast used\tkeys\trevoked")
		size := page.MaximumSize
		for after, more := (*string)(nil), true; more; {
			listed, err := clients.List(ctx, &size, after)
			if err != nil {
				return err
			}
			for _, client := range listed.Nodes {
				_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", client.Name, client.ID, scopeList(client.Scopes),
					instant(&client.CreatedAt), instant(client.LastUsedAt), keyList(client.Keys), instant(client.RevokedAt))
			}
			after, more = listed.PageInfo.EndCursor, listed.PageInfo.HasNextPage
		}
		return table.Flush()
	})
}

type rotateClientCommand struct {
	Seed
	Client         string        `arg:"" help:"The client's name or id."`
	OldKeyValidFor time.Duration `name:"old-key-valid-for" default:"24h" help:"How long the old key stays valid (${default}; 720h at most, 0 ends it at once)."`
}

// Help is what --help tells beyond the flags.
func (rotateClientCommand) Help() string {
	return `The new key is the only thing on standard output, and it is shown this once. The old one stays valid for a time, so
that the client can change over; if it has leaked, end it at once.

Examples:

    regulars client rotate "Till 1"
    regulars client rotate "Till 1" --old-key-valid-for 0s`
}

// Run prints a new key.
func (c rotateClientCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "client", func(ctx context.Context, database *Database) error {
		clients := identity.NewClients(database.DB, slog.New(slog.DiscardHandler))
		wanted, err := findClient(ctx, clients, c.Client)
		if err != nil {
			return err
		}
		client, key, err := clients.Rotate(ctx, wanted, value.Period{Clock: c.OldKeyValidFor})
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(running.Messages, "The valid keys of %s are now %s. The new one is shown this once:\n", client.Name, keyList(client.Keys))
		_, err = fmt.Fprintln(running.Output, key)
		return err
	})
}

type revokeClientCommand struct {
	Seed
	Client string `arg:"" help:"The client's name or id."`
}

// Help is what --help tells beyond the flags.
func (revokeClientCommand) Help() string {
	return `All its keys end at once and for ever, on every server. Its name can be given to a new client.

Example:

    regulars client revoke "Till 1"`
}

// Run revokes the client.
func (c revokeClientCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "client", func(ctx context.Context, database *Database) error {
		clients := identity.NewClients(database.DB, slog.New(slog.DiscardHandler))
		wanted, err := findClient(ctx, clients, c.Client)
		if err != nil {
			return err
		}
		client, err := clients.Revoke(ctx, wanted)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(running.Messages, "%s, %s, is revoked.\n", client.Name, client.ID)
		return nil
	})
}

// findClient returns the id of the client that is not revoked and has the name, or the id that is given itself.
func findClient(ctx context.Context, clients *identity.Clients, wanted string) (id.Client, error) {
	if given := id.ParseClient(wanted); given != (id.Client{}) {
		return given, nil
	}
	client, err := clients.Named(ctx, wanted)
	if err != nil {
		return id.Client{}, err
	}
	if client == nil {
		return id.Client{}, fmt.Errorf("there is no client called %q; `regulars client list` lists them", wanted)
	}
	return client.ID, nil
}

func scopeList(scopes []actor.Scope) string {
	texts := make([]string, len(scopes))
	for i, scope := range scopes {
		texts[i] = string(scope)
	}
	return strings.Join(texts, ", ")
}

func keyList(keys []identity.ClientKey) string {
	if len(keys) == 0 {
		return "-"
	}
	texts := make([]string, len(keys))
	for i, key := range keys {
		texts[i] = key.ID
		if key.ExpiresAt != nil {
			texts[i] += " until " + instant(key.ExpiresAt)
		}
	}
	return strings.Join(texts, ", ")
}

// instant writes a time to the second, a dash for none.
func instant(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}
