// Package audit keeps who changed what. A change holds ids and settings, never personal data.
package audit

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

// Change is what an actor did to an object; Before and After are what the action concerns of it, written as JSON. Before is
// nil for what was not there, and only for that.
type Change struct {
	Action string
	// Object is the id of what changed, as the API shows it.
	Object string
	Before any
	After  any
}

// RecordTx writes the change into the transaction that makes it.
func RecordTx(ctx context.Context, tx *postgres.Tx, by actor.Actor, change Change) error {
	before, err := encode(change.Before)
	if err != nil {
		return err
	}
	after, err := encode(change.After)
	if err != nil {
		return err
	}
	return insert(ctx, tx, Entry{
		ID: id.New[id.AuditEntry](), At: tx.Now, Actor: by.Caller, Action: change.Action, Object: change.Object, Before: before, After: after,
	})
}

func encode(state any) (*string, error) {
	if state == nil {
		return nil, nil
	}
	encoded, err := json.Marshal(state)
	if err != nil {
		return nil, fmt.Errorf("encode a change: %w", err)
	}
	text := string(encoded)
	return &text, nil
}

// Entry is a change as it was recorded. It never changes.
type Entry struct {
	ID id.AuditEntry `db:"id"`
	At time.Time     `db:"at"`
	// Actor is who did it, as actor.Actor names its caller.
	Actor  string `db:"actor"`
	Action string `db:"action"`
	// Object is the id of what changed, as the API shows it.
	Object string `db:"object"`
	// Before and After are JSON; nil for none.
	Before *string `db:"before"`
	After  *string `db:"after"`
}

// IsNode marks the entry as one of the API's nodes.
func (Entry) IsNode() {}

type (
	// EntryConnection is a page of entries.
	EntryConnection = page.Connection[*Entry]
	// EntryEdge is an entry in a page.
	EntryEdge = page.Edge[*Entry]
)

// Log reads what was recorded. It is safe for concurrent use.
type Log struct {
	db *postgres.DB
}

// NewLog returns the log of a migrated database.
func NewLog(db *postgres.DB) *Log {
	return &Log{db: db}
}

// sight is of which kinds of objects a caller sees changes, by the prefixes of their ids; nil: of all.
type sight []string

// What staff sees the changes of is what it sees itself: support no machine clients and no signing keys, marketers no members
// either.
var (
	marketing = sight{"program", "rul", "tie", "rew", "bkt", "ref", "cmp"}
	support   = sight{"program", "rul", "tie", "rew", "mem", "adj", "hld", "red", "ref", "hsh", "bkg", "cmp"}
)

func sightOf(caller actor.Actor) sight {
	switch {
	case caller.Has(actor.Admin):
		return nil
	case caller.Has(actor.Support):
		return support
	}
	return marketing
}

const entryPages = "auditEntry"

// Entries lists changes, newest first; of, if given, narrows the list to those of the object with that id. For support,
// marketers and admins. Admins see all, support those of the program, rules, tiers, rewards, members, adjustments, holds,
// redemptions, referrals, households, bookings and campaigns, marketers those of the program, rules, tiers, rewards, referrals and
// campaigns.
func (l *Log) Entries(ctx context.Context, first *int, after, of *string) (*EntryConnection, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(entryPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseAuditEntry(arguments.After)
	if arguments.After != "" && last == (id.AuditEntry{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	entries, err := selectEntries(ctx, l.db, sightOf(caller), of, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(entryPages, arguments, entries,
		func(entry *Entry) string { return entry.ID.String() },
		func(ctx context.Context) (int, error) { return countEntries(ctx, l.db, sightOf(caller), of) }), nil
}

// Entry returns a change by its id, nil if there is none or the caller may not see it. Who sees which says Entries.
func (l *Log) Entry(ctx context.Context, wanted id.AuditEntry) (*Entry, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Support, actor.Marketer, actor.Admin) {
		return nil, err
	}
	entry, err := selectEntry(ctx, l.db, sightOf(caller), wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return entry, err
}
