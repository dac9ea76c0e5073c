// Package requestid carries the id of the request under way: what is logged and what the caller is told both name it.
package requestid

import "context"

type key struct{}

// With returns a context in which the request has that id.
func With(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, key{}, id)
}

// From returns the id of the request that ctx belongs to; empty outside of one.
func From(ctx context.Context) string {
	id, _ := ctx.Value(key{}).(string)
	return id
}
