package identity

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

const clientColumns = `id, name, scopes, created_at, last_used_at, revoked_at`

type clientRow struct {
	ID         id.Client      `db:"id"`
	Name       string         `db:"name"`
	Scopes     pq.StringArray `db:"scopes"`
	CreatedAt  time.Time      `db:"created_at"`
	LastUsedAt *time.Time     `db:"last_used_at"`
	RevokedAt  *time.Time     `db:"revoked_at"`
}

func (r clientRow) client() *Client {
	return &Client{
		ID: r.ID, Name: r.Name, Scopes: scopesOf(r.Scopes), CreatedAt: r.CreatedAt, LastUsedAt: r.LastUsedAt, RevokedAt: r.RevokedAt,
	}
}

func scopesOf(texts []string) []actor.Scope {
	scopes := make([]actor.Scope, len(texts))
	for i, text := range texts {
		scopes[i] = actor.Scope(text)
	}
	return scopes
}

func selectClient(ctx context.Context, q postgres.Runner, client id.Client) (*Client, error) {
	var row clientRow
	err := q.Get(ctx, &row, `select `+clientColumns+` from clients where id = $1`, client)
	return row.client(), err
}

func selectClientNamed(ctx context.Context, q postgres.Runner, name string) (*Client, error) {
	var row clientRow
	err := q.Get(ctx, &row, `select `+clientColumns+` from clients where name = $1 and revoked_at is null`, name)
	return row.client(), err
}

func selectClients(ctx context.Context, q postgres.Runner, after id.Client, limit int) ([]*Client, error) {
	var rows []clientRow
	err := q.Select(ctx, &rows, `select `+clientColumns+` from clients where id > $1 order by id limit $2`, after, limit)
	clients := make([]*Client, len(rows))
	for i, row := range rows {
		clients[i] = row.client()
	}
	return clients, err
}

func countClients(ctx context.Context, q postgres.Runner) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from clients`)
	return count, err
}

// lockClient keeps others from changing the client or its keys and returns it.
func lockClient(ctx context.Context, tx *postgres.Tx, client id.Client) (*Client, error) {
	var row clientRow
	err := tx.Get(ctx, &row, `select `+clientColumns+` from clients where id = $1 for update`, client)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, unknownClient()
	}
	if err != nil {
		return nil, err
	}
	locked := row.client()
	return locked, readKeys(ctx, tx, locked)
}

func unknownClient() error {
	return problem.At(problem.UnknownClient, []string{"clientId"}, "There is no such client, or it is revoked.")
}

func insertClient(ctx context.Context, tx *postgres.Tx, client *Client) error {
	scopes := make(pq.StringArray, len(client.Scopes))
	for i, scope := range client.Scopes {
		scopes[i] = string(scope)
	}
	_, err := tx.Exec(ctx, `insert into clients (id, name, scopes, created_at) values ($1, $2, $3, $4)`,
		client.ID, client.Name, scopes, client.CreatedAt)
	if postgres.Constraint(err) == "clients_name" {
		return problem.At(problem.ClientNameTaken, []string{"name"}, "Another client has this name.")
	}
	return err
}

func revokeClient(ctx context.Context, tx *postgres.Tx, client id.Client) error {
	_, err := tx.Exec(ctx, `update clients set revoked_at = $2 where id = $1`, client, tx.Now)
	return err
}

func insertKey(ctx context.Context, tx *postgres.Tx, client id.Client, key clientKey) error {
	_, err := tx.Exec(ctx, `insert into client_keys (id, client_id, secret_hash, created_at) values ($1, $2, $3, $4)`,
		key.id, client, key.hash(), tx.Now)
	return err
}

// endKeys lets all keys of the client end then, if they don't end sooner, and deletes those that have ended.
func endKeys(ctx context.Context, tx *postgres.Tx, client id.Client, end time.Time) error {
	if _, err := tx.Exec(ctx, `update client_keys set expires_at = least(expires_at, $2) where client_id = $1`, client, end); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `delete from client_keys where client_id = $1 and expires_at <= $2`, client, tx.Now)
	return err
}

// readKeys gives the clients the keys that are good now.
func readKeys(ctx context.Context, tx *postgres.Tx, clients ...*Client) error {
	byID := make(map[id.Client]*Client, len(clients))
	ids := make([]id.Client, len(clients))
	for i, client := range clients {
		client.Keys = nil
		byID[client.ID], ids[i] = client, client.ID
	}
	var rows []struct {
		ClientKey
		Client id.Client `db:"client_id"`
	}
	if err := tx.Select(ctx, &rows, `
		select client_id, id, created_at, expires_at
		from client_keys
		where client_id = any($1::uuid[]) and (expires_at is null or expires_at > $2)
		order by client_id, expires_at desc nulls first, created_at desc, id`, pq.StringArray(id.Texts(ids)), tx.Now); err != nil {
		return err
	}
	for _, row := range rows {
		client := byID[row.Client]
		client.Keys = append(client.Keys, row.ClientKey)
	}
	return nil
}

// keptKey is a key as it is kept, with its client.
type keptKey struct {
	Client     id.Client      `db:"client_id"`
	Name       string         `db:"name"`
	Scopes     pq.StringArray `db:"scopes"`
	SecretHash []byte         `db:"secret_hash"`
}

// selectKey finds a key that is good at now, of a client that is not revoked.
func selectKey(ctx context.Context, q postgres.Runner, key string, now time.Time) (keptKey, error) {
	var kept keptKey
	err := q.Get(ctx, &kept, `
		select client_id, name, scopes, secret_hash
		from client_keys join clients on clients.id = client_id
		where client_keys.id = $1 and (expires_at is null or expires_at > $2) and revoked_at is null`, key, now)
	return kept, err
}

func updateLastUse(ctx context.Context, q postgres.Runner, client id.Client, at time.Time) error {
	_, err := q.Exec(ctx, `update clients set last_used_at = greatest(last_used_at, $2) where id = $1`, client, at)
	return err
}
