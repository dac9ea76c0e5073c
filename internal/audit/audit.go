// Package audit keeps who changed what. A change holds ids and settings, never personal data.
package audit

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/postgres"
)

// Change is what an actor did to an object; Before and After are written as JSON, nil for none.
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
	_, err = tx.Exec(ctx, `
		insert into changes (id, at, actor, action, object, before, after)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		uuid.Must(uuid.NewV7()), tx.Now, by.Caller, change.Action, change.Object, before, after)
	return err
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
