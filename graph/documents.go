package graph

import (
	"context"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"regulars/internal/actor"
)

// How many documents are kept, and in bytes of text how much of all and of one. Apps send few different ones of a few
// kilobytes; parsed, one takes ten times its text, or a hundred times if it is made to.
const (
	keptDocuments = 1000
	keptBytes     = 2 << 20
	keptDocument  = 64 << 10
)

// documents keeps what is known of documents that were sent lately, by their text or its hash. A document may be as long
// as a body, so a bound of their number alone would be none. Only callers who have signed in have theirs kept: strangers
// cannot crowd them out.
type documents[T any] struct {
	mutex sync.Mutex
	kept  *simplelru.LRU[string, document[T]]
	bytes int
}

type document[T any] struct {
	about T
	bytes int
}

func newDocuments[T any]() *documents[T] {
	d := &documents[T]{}
	kept, err := simplelru.NewLRU(keptDocuments, func(_ string, gone document[T]) { d.bytes -= gone.bytes })
	if err != nil {
		panic(err) // for a size below 1
	}
	d.kept = kept
	return d
}

// Get returns what is known of the document; false if nothing is.
func (d *documents[T]) Get(_ context.Context, key string) (T, bool) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	found, ok := d.kept.Get(key)
	return found.about, ok
}

// Add keeps what is known of a document whose text is the key.
func (d *documents[T]) Add(ctx context.Context, key string, about T) {
	d.add(ctx, key, about, len(key))
}

// add keeps what is known of a document of so many bytes, if that is not too long.
func (d *documents[T]) add(ctx context.Context, key string, about T, bytes int) {
	if _, signedIn := actor.From(ctx); !signedIn || bytes > keptDocument {
		return
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	// What is replaced goes with its bytes.
	d.kept.Remove(key)
	d.kept.Add(key, document[T]{about, bytes})
	for d.bytes += bytes; d.bytes > keptBytes; {
		d.kept.RemoveOldest()
	}
}
