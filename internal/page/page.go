// Package page makes keyset connections: lists that are read on from a key, not from an offset, so that a page stays
// as fast as the first one and rows that come meanwhile shift nothing.
package page

import (
	"context"
	"encoding/base64"
	"strings"

	"regulars/internal/problem"
)

// The page size where none is given, and the largest one.
const (
	DefaultSize = 20
	MaximumSize = 100
)

// Arguments are what a caller asks of a connection.
type Arguments struct {
	// Size is the number of items wanted, 0 to MaximumSize.
	Size int
	// After is the key behind which to read on; empty: from the start.
	After string
}

// Parse checks first and after as given for the connection of that kind. It returns problem.BadUserInput for a size out
// of range and for a cursor that was not made by a connection of this kind.
func Parse(kind string, first *int, after *string) (Arguments, error) {
	arguments := Arguments{Size: DefaultSize}
	if first != nil {
		if *first < 0 || *first > MaximumSize {
			return Arguments{}, problem.BadUserInput("first must be from 0 to %d", MaximumSize)
		}
		arguments.Size = *first
	}
	if after != nil {
		decoded, err := base64.RawURLEncoding.DecodeString(*after)
		key, ok := strings.CutPrefix(string(decoded), kind+":")
		if err != nil || !ok || key == "" {
			return Arguments{}, problem.BadUserInput("after is not a cursor of this list")
		}
		arguments.After = key
	}
	return arguments, nil
}

// Connection is one page of a list, as Relay defines it.
type Connection[T any] struct {
	Edges []*Edge[T]
	// Nodes are the items of Edges without their cursors.
	Nodes    []T
	PageInfo Info
	total    func(context.Context) (int, error)
}

// Edge is an item with the cursor behind which to read on.
type Edge[T any] struct {
	Node   T
	Cursor string
}

// Info tells whether there is more. HasPreviousPage is true on every page that was asked for with a cursor.
type Info struct {
	HasNextPage     bool
	HasPreviousPage bool
	StartCursor     *string
	EndCursor       *string
}

// New makes the page of items, of which there may be one more than arguments.Size: that one only tells that there is
// more. key gives an item's key; total counts the whole list and is asked only when a caller wants it.
func New[T any](kind string, arguments Arguments, items []T, key func(T) string, total func(context.Context) (int, error)) *Connection[T] {
	connection := &Connection[T]{total: total}
	connection.PageInfo.HasPreviousPage = arguments.After != ""
	if len(items) > arguments.Size {
		connection.PageInfo.HasNextPage = true
		items = items[:arguments.Size]
	}
	connection.Nodes = items
	connection.Edges = make([]*Edge[T], len(items))
	for i, item := range items {
		connection.Edges[i] = &Edge[T]{Node: item, Cursor: base64.RawURLEncoding.EncodeToString([]byte(kind + ":" + key(item)))}
	}
	if len(items) > 0 {
		connection.PageInfo.StartCursor = &connection.Edges[0].Cursor
		connection.PageInfo.EndCursor = &connection.Edges[len(items)-1].Cursor
	}
	return connection
}

// Total counts the whole list, over all pages.
func (c *Connection[T]) Total(ctx context.Context) (int, error) {
	return c.total(ctx)
}
