package identity

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// Bounds of clients and of what is asked of them.
const (
	maximumClientName = 100
	maximumOldKeyDays = 30
)

// Client is a program that calls the API with a key: a till, a web shop, a partner.
type Client struct {
	ID        id.Client
	Name      string
	Scopes    []actor.Scope
	CreatedAt time.Time
	// LastUsedAt is when it last called, to about a minute; nil: never.
	LastUsedAt *time.Time
	// RevokedAt is since when it may not call any more; nil: it may.
	RevokedAt *time.Time
	// Keys are those that are good now, the current one first.
	Keys []ClientKey
}

// IsNode marks the client as one of the API's nodes.
func (Client) IsNode() {}

// ClientKey is what everybody who manages clients may know of a key.
type ClientKey struct {
	// ID is the public part of the key.
	ID        string    `db:"id" json:"id"`
	CreatedAt time.Time `db:"created_at" json:"createdAt"`
	// ExpiresAt is from when on it is not good any more; nil: it is the current key.
	ExpiresAt *time.Time `db:"expires_at" json:"expiresAt"`
}

// CreateClientInput is a client to be.
type CreateClientInput struct {
	Name   string
	Scopes []actor.Scope
}

type (
	// ClientConnection is a page of clients.
	ClientConnection = page.Connection[*Client]
	// ClientEdge is a client in a page.
	ClientEdge = page.Edge[*Client]
)

// Clients are the machine clients of one database. It is safe for concurrent use.
type Clients struct {
	db     *postgres.DB
	logger *slog.Logger
	mutex  sync.Mutex
	// used is when this process last noted that a client called.
	used map[id.Client]time.Time
	// closed ends the noting, and noting is what is still under way.
	closed bool
	noting sync.WaitGroup
}

// NewClients returns the clients of a migrated database. That a use could not be noted goes to logger.
func NewClients(db *postgres.DB, logger *slog.Logger) *Clients {
	return &Clients{db: db, logger: logger, used: map[id.Client]time.Time{}}
}

// Close waits until it is noted who called, a few seconds at most. Who calls later is not noted.
func (c *Clients) Close() {
	c.mutex.Lock()
	c.closed = true
	c.mutex.Unlock()
	c.noting.Wait()
}

// Create makes a client and returns it with its key, which cannot be had again. For admins.
//
// Problems: INVALID_NAME, INVALID_SCOPE, CLIENT_NAME_TAKEN if a client that is not revoked has the name.
func (c *Clients) Create(ctx context.Context, input CreateClientInput) (*Client, string, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return nil, "", err
	}
	name, scopes, err := input.normalize()
	if err != nil {
		return nil, "", err
	}
	made, key := &Client{ID: id.New[id.Client](), Name: name, Scopes: scopes}, newKey()
	err = c.db.InTx(ctx, func(tx *postgres.Tx) error {
		made.CreatedAt = tx.Now
		if err := insertClient(ctx, tx, made); err != nil {
			return err
		}
		if err := insertKey(ctx, tx, made.ID, key); err != nil {
			return err
		}
		if err := readKeys(ctx, tx, made); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "createClient", Object: made.ID.String(), After: map[string]any{
			"name": made.Name, "scopes": made.Scopes, "keys": made.Keys,
		}})
	})
	if err != nil {
		return nil, "", err
	}
	return made, key.String(), nil
}

// normalize returns a name that can be read and the scopes, each once, in the order of actor.Scopes.
func (i CreateClientInput) normalize() (string, []actor.Scope, error) {
	var problems problem.Problems
	name := strings.TrimSpace(i.Name)
	if length := utf8.RuneCountInString(name); length < 1 || length > maximumClientName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		problems.Add(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters on one line.", maximumClientName)
	}
	for at, scope := range i.Scopes {
		if !slices.Contains(actor.Scopes, scope) {
			problems.Add(problem.InvalidScope, []string{"scopes", strconv.Itoa(at)}, "There is no scope %q.", scope)
		}
	}
	if len(i.Scopes) == 0 {
		problems.Add(problem.InvalidScope, []string{"scopes"}, "A client has at least one scope.")
	}
	scopes := slices.DeleteFunc(slices.Clone(actor.Scopes), func(scope actor.Scope) bool { return !slices.Contains(i.Scopes, scope) })
	return name, scopes, problems.Err()
}

// Rotate gives a client a new key, which cannot be had again. Its older keys end after oldKeyValidFor if they don't end
// sooner, at once if that is nothing; a day is 24 hours. For admins.
//
// Problems: UNKNOWN_CLIENT, also for one that is revoked; INVALID_DURATION if oldKeyValidFor is longer than 30 days or
// negative.
func (c *Clients) Rotate(ctx context.Context, client id.Client, oldKeyValidFor value.Period) (*Client, string, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return nil, "", err
	}
	var rotated *Client
	key := newKey()
	err = c.db.InTx(ctx, func(tx *postgres.Tx) error {
		end := oldKeyValidFor.After(tx.Now, time.UTC)
		if end.Before(tx.Now) || end.After(tx.Now.AddDate(0, 0, maximumOldKeyDays)) {
			return problem.At(problem.InvalidDuration, []string{"oldKeyValidFor"}, "An old key can be valid for 0 to %d days more.", maximumOldKeyDays)
		}
		var err error
		if rotated, err = lockClient(ctx, tx, client); err != nil {
			return err
		}
		if rotated.RevokedAt != nil {
			return unknownClient()
		}
		before := rotated.Keys
		if err := endKeys(ctx, tx, client, end); err != nil {
			return err
		}
		if err := insertKey(ctx, tx, client, key); err != nil {
			return err
		}
		if err := readKeys(ctx, tx, rotated); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "rotateClientKey", Object: client.String(), Before: map[string]any{"keys": before}, After: map[string]any{"keys": rotated.Keys},
		})
	})
	if err != nil {
		return nil, "", err
	}
	return rotated, key.String(), nil
}

// Revoke ends all keys of a client at once and for ever, and frees its name. Revoking it again changes nothing. For
// admins.
//
// Problems: UNKNOWN_CLIENT.
func (c *Clients) Revoke(ctx context.Context, client id.Client) (*Client, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return nil, err
	}
	var revoked *Client
	err = c.db.InTx(ctx, func(tx *postgres.Tx) error {
		var err error
		if revoked, err = lockClient(ctx, tx, client); err != nil || revoked.RevokedAt != nil {
			return err
		}
		before := map[string]any{"keys": revoked.Keys, "revokedAt": nil}
		if err := endKeys(ctx, tx, client, tx.Now); err != nil {
			return err
		}
		if err := revokeClient(ctx, tx, client); err != nil {
			return err
		}
		revoked.RevokedAt, revoked.Keys = &tx.Now, nil
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "revokeClient", Object: client.String(), Before: before, After: map[string]any{"keys": []ClientKey{}, "revokedAt": tx.Now},
		})
	})
	if err != nil {
		return nil, err
	}
	return revoked, nil
}

// Client returns a client by its id, nil if there is none or the caller may not see it. Admins see clients, nobody else.
func (c *Clients) Client(ctx context.Context, wanted id.Client) (*Client, error) {
	return c.one(ctx, func(ctx context.Context, tx *postgres.Tx) (*Client, error) { return selectClient(ctx, tx, wanted) })
}

// Named returns the client of that name that is not revoked, nil if there is none or the caller may not see it. Admins
// see clients, nobody else.
func (c *Clients) Named(ctx context.Context, name string) (*Client, error) {
	return c.one(ctx, func(ctx context.Context, tx *postgres.Tx) (*Client, error) { return selectClientNamed(ctx, tx, name) })
}

func (c *Clients) one(ctx context.Context, find func(context.Context, *postgres.Tx) (*Client, error)) (*Client, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Admin) {
		return nil, err
	}
	var found *Client
	err = c.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		var err error
		if found, err = find(ctx, tx); errors.Is(err, sql.ErrNoRows) {
			found = nil
			return nil
		}
		if err != nil {
			return err
		}
		return readKeys(ctx, tx, found)
	})
	return found, err
}

const clientPages = "client"

// List lists clients by their age, oldest first, those that are revoked among them. For admins.
func (c *Clients) List(ctx context.Context, first *int, after *string) (*ClientConnection, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(clientPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseClient(arguments.After)
	if arguments.After != "" && last == (id.Client{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	var clients []*Client
	if err := c.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		var err error
		if clients, err = selectClients(ctx, tx, last, arguments.Size+1); err != nil {
			return err
		}
		return readKeys(ctx, tx, clients...)
	}); err != nil {
		return nil, err
	}
	return page.New(clientPages, arguments, clients,
		func(client *Client) string { return client.ID.String() },
		func(ctx context.Context) (int, error) { return countClients(ctx, c.db) }), nil
}
