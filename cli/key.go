package cli

import (
	"context"
	"fmt"
	"text/tabwriter"

	"regulars/internal/identity"
)

type signingKeyCommand struct {
	List   listKeysCommand  `cmd:"" help:"List the signing keys."`
	Rotate rotateKeyCommand `cmd:"" help:"Sign with a new key from now on."`
	Retire retireKeyCommand `cmd:"" help:"End all that an old key has signed."`
}

type listKeysCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (listKeysCommand) Help() string {
	return `Lists all keys, newest first. One signs; what the others signed is good until they are retired. The first one is
made when something is signed for the first time.

Example:

    regulars signing-key list`
}

// Run prints the keys.
func (c listKeysCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "signing-key", func(ctx context.Context, database *Database) error {
		keys := identity.NewSigningKeys(database.DB)
		listed, err := keys.List(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(running.Output, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "id\tcreated\tsigns\tretired")
		for _, key := range listed {
			signs := "-"
			if key.Signs() {
				signs = "yes"
			}
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", key.ID, instant(&key.CreatedAt), signs, instant(key.RetiredAt))
		}
		return table.Flush()
	})
}

type rotateKeyCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (rotateKeyCommand) Help() string {
	return `Makes a new key and prints its id. Running servers sign with it within a minute. What older keys signed stays good;
if one has leaked, retire it next.

Example:

    regulars signing-key rotate`
}

// Run makes a key and prints its id.
func (c rotateKeyCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "signing-key", func(ctx context.Context, database *Database) error {
		keys := identity.NewSigningKeys(database.DB)
		made, err := keys.Rotate(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(running.Output, made.ID)
		return err
	})
}

type retireKeyCommand struct {
	Seed
	ID string `arg:"" help:"The key's id."`
}

// Help is what --help tells beyond the flags.
func (retireKeyCommand) Help() string {
	return `Everything that the key has signed is refused from then on, by running servers within a minute. The key that signs
cannot be retired: rotate first.

Example:

    regulars signing-key retire 3vk2aq6hy7fdr5xw`
}

// Run retires the key.
func (c retireKeyCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return asOperator(ctx, running, settings, c.Seed, "signing-key", func(ctx context.Context, database *Database) error {
		keys := identity.NewSigningKeys(database.DB)
		if err := keys.Retire(ctx, c.ID); err != nil {
			return err
		}
		_, _ = fmt.Fprintf(running.Messages, "%s is retired.\n", c.ID)
		return nil
	})
}
