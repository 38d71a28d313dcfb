package chaos

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"sync"

	"github.com/Shopify/toxiproxy/v2/toxics"
)

// moment is a point in a conversation with PostgreSQL.
type moment struct {
	name string
	sent func(query string) bool     // the client asks for it
	row  func(columns [][]byte) bool // the server answers it with such a row,
	tag  string                      // or ends it with this tag
}

// The moments between which a commit can be lost to the one who asked for it.
var (
	atCommit = moment{name: "COMMIT", tag: "COMMIT", sent: func(q string) bool { return q == "COMMIT" }}
	// One statement is the whole transaction in these three.
	atOrder = moment{name: "new order",
		sent: func(q string) bool { return strings.Contains(q, "open_order(") },
		row:  func(c [][]byte) bool { return len(c) >= 7 && string(c[3]) == "t" && c[6] == nil }}
	atClaim = moment{name: "claim",
		sent: func(q string) bool { return strings.Contains(q, "SKIP LOCKED") },
		row: func(c [][]byte) bool {
			return slices.ContainsFunc(c, func(v []byte) bool { return string(v) == "running" })
		}}
	atRecord = moment{name: "record",
		sent: func(q string) bool { return strings.Contains(q, "state = 'completed'") },
		row:  func(c [][]byte) bool { return len(c) == 2 && len(c[0]) == 8 && len(c[1]) == 0 }}
)

// trap springs once at a moment of one of a link's connections.
type trap struct {
	mu   sync.Mutex
	bait *bait
}

// bait is what a trap is laid with.
type bait struct {
	moment
	before bool                   // the statement does not arrive; otherwise its answer does not
	spring func(columns [][]byte) // called first; columns are those of the row, if there is one
	passes bool                   // what was on its way arrives after all
	sprung chan struct{}
}

// lay lays the trap; what it returns is closed once it has sprung.
func (t *trap) lay(b bait) <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	b.sprung = make(chan struct{})
	t.bait = &b
	return b.sprung
}

// lift takes the trap away, sprung or not.
func (t *trap) lift() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.bait = nil
}

func (t *trap) laid() *bait {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.bait
}

// take returns whether the caller is the one at whom the trap springs.
func (t *trap) take(b *bait) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.bait != b {
		return false
	}
	t.bait = nil
	return true
}

// traps are those of the links, by name: a toxic is made by its type's name.
var traps sync.Map

const tripwireType = "tripwire"

func init() { toxics.Register(tripwireType, new(tripwire)) }

// tripwire is the toxic that springs a trap.
type tripwire struct {
	Trap     string `json:"trap"`
	ToServer bool   `json:"to_server"`
}

// NewState returns what is remembered of a connection.
func (w *tripwire) NewState() any { return &conversation{queries: map[string]string{}} }

// Pipe hands on what comes until the trap springs, which as a rule is the
// connection's end.
func (w *tripwire) Pipe(stub *toxics.ToxicStub) {
	found, _ := traps.Load(w.Trap)
	trap, talk := found.(*trap), stub.State.(*conversation)
	for {
		select {
		case <-stub.Interrupt:
			return
		case chunk := <-stub.Input:
			if chunk == nil {
				stub.Close()
				return
			}
			b := trap.laid()
			if talk.hear(chunk.Data, w.ToServer, b) && trap.take(b) {
				b.spring(talk.columns)
				close(b.sprung)
				if !b.passes {
					stub.Close()
					for range stub.Input { // whoever still writes must not wait
					}
					return
				}
			}
			stub.Output <- chunk
		}
	}
}

// conversation is one direction of a connection in PostgreSQL's protocol.
//
// https://www.postgresql.org/docs/current/protocol-message-formats.html
type conversation struct {
	begun   bool
	rest    []byte            // of a message that has come in part
	queries map[string]string // prepared statements by name
	matched *bait             // its row or tag has come in this transaction
	columns [][]byte
}

// hear reads on, and reports whether the bait's moment has come.
func (c *conversation) hear(data []byte, toServer bool, b *bait) bool {
	c.rest = append(c.rest, data...)
	now := false
	for {
		kind, body, ok := c.next(toServer)
		if !ok {
			return now
		}
		if toServer {
			query := c.asked(kind, body)
			now = now || query != "" && b != nil && b.before && b.sent(query)
		} else {
			now = c.answered(kind, body, b) || now
		}
	}
}

// next takes the next whole message. A client's first has no kind.
func (c *conversation) next(toServer bool) (kind byte, body []byte, ok bool) {
	head := 1
	if toServer && !c.begun {
		head = 0
	}
	if len(c.rest) < head+4 {
		return 0, nil, false
	}
	length := int(binary.BigEndian.Uint32(c.rest[head:]))
	if len(c.rest) < head+length {
		return 0, nil, false
	}
	if head == 1 {
		kind = c.rest[0]
	}
	c.begun = true
	body, c.rest = c.rest[head+4:head+length], c.rest[head+length:]
	return kind, body, true
}

// asked returns the statement that a client's message has the server run.
func (c *conversation) asked(kind byte, body []byte) string {
	first, rest, _ := bytes.Cut(body, []byte{0})
	second, _, _ := bytes.Cut(rest, []byte{0})
	switch kind {
	case 'Q':
		return string(first)
	case 'P':
		c.queries[string(first)] = string(second)
	case 'B':
		return c.queries[string(second)]
	}
	return ""
}

// answered reports whether a server's message ends the transaction of the bait's moment.
func (c *conversation) answered(kind byte, body []byte, b *bait) bool {
	waits := b != nil && !b.before
	switch kind {
	case 'D':
		if columns := columns(body); waits && b.row != nil && b.row(columns) {
			c.matched, c.columns = b, columns
		}
	case 'C':
		tag, _, _ := bytes.Cut(body, []byte{0})
		if waits && b.tag != "" && string(tag) == b.tag {
			c.matched = b
		}
	case 'Z':
		if len(body) == 1 && body[0] == 'I' { // no transaction is open any more
			came := waits && c.matched == b
			c.matched = nil
			return came
		}
	}
	return false
}

// columns returns the values of a DataRow, nil for NULL.
func columns(body []byte) [][]byte {
	if len(body) < 2 {
		return nil
	}
	all := make([][]byte, 0, binary.BigEndian.Uint16(body))
	for rest := body[2:]; len(rest) >= 4; {
		length := int(int32(binary.BigEndian.Uint32(rest)))
		rest = rest[4:]
		if length < 0 {
			all = append(all, nil)
			continue
		}
		if length > len(rest) {
			return nil
		}
		all, rest = append(all, bytes.Clone(rest[:length])), rest[length:]
	}
	return all
}
