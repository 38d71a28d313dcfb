package db

import (
	"sync"
	"time"
)

// cacheTime is how long a process may go by what the set-up was. An apply by
// another process is seen after that.
const cacheTime = 2 * time.Second

// cache keeps what is read with every callback and changes with an apply only.
type cache[T any] struct {
	mu      sync.Mutex
	entries map[string]cacheEntry[T]
}

type cacheEntry[T any] struct {
	value T
	read  time.Time
}

// get returns a key's value, read anew if it is older than cacheTime. Errors are
// not kept.
func (c *cache[T]) get(key string, read func() (T, error)) (T, error) {
	c.mu.Lock()
	entry, ok := c.entries[key]
	c.mu.Unlock()
	if ok && time.Since(entry.read) < cacheTime {
		return entry.value, nil
	}
	value, err := read()
	if err != nil {
		return value, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]cacheEntry[T]{}
	}
	c.entries[key] = cacheEntry[T]{value, time.Now()}
	return value, nil
}

func (c *cache[T]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.entries)
}
