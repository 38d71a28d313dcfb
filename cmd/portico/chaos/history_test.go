package chaos

import (
	"math/rand/v2"
	"net/url"
	"slices"
	"sync"
)

// outcome is what a client knows of what it tried.
type outcome int

const (
	unknown      outcome = iota // no answer, none yet, or a fault of the server: it may have happened
	acknowledged                // it has happened
	refused                     // it has not
)

// better keeps what is known for certain, whatever a later attempt says.
func (o outcome) better(than outcome) bool { return than == unknown && o != unknown }

// What the partner is told, in its words. An interaction is a question to the user.
const (
	tellsNothing = ""
	received     = "OrderReceived"
	delivered    = "Delivered"
	failure      = "Error"
	interaction  = "interaction"
	underway     = "under way" // to Core only
)

// key is what identifies an order: nobody promises that its number is unique
// between offices.
type key struct{ connection, office, id string }

// step is a change of an order's state that a client asked for, and what the
// partner is to be told of it. The comment is unlike any other of the order's; it
// is empty where the program chooses it.
type step struct {
	status, comment string
	outcome         outcome
}

// order is what the clients know of an order.
type order struct {
	key
	service, estate, estateType, owner, user string

	opened    outcome
	public    string     // its address at the portal, once a client knows it
	form      url.Values // what the broker fills in; nil: nothing is asked
	submitted outcome
	steps     []step
	browser   *browser // that has a grant for it
	busy      bool     // a client is at it
}

// hears returns what is told of a state to the order's partner.
func (o *order) hears(status string) string {
	if status == underway && o.connection != corePartner {
		return tellsNothing
	}
	return status
}

// tally counts what was tried and how it ended.
type tally struct{ attempted, acknowledged, unknown int }

func (t *tally) count(o outcome) {
	t.attempted++
	switch o {
	case acknowledged:
		t.acknowledged++
	case unknown:
		t.unknown++
	}
}

// history is what the clients did, in Jepsen's sense.
type history struct {
	mu     sync.Mutex
	orders []*order
	now    *episode // what is going on
}

// begin makes an order known before anybody is asked for it.
func (h *history) begin(o *order) {
	h.mu.Lock()
	defer h.mu.Unlock()
	o.busy = true
	h.orders = append(h.orders, o)
}

// during returns the episode that is going on.
func (h *history) during() *episode {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

// turn makes an episode the one that is going on.
func (h *history) turn(e *episode) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = e
}

// ordered notes how an attempt to order ended. One that was refused may follow
// one that was not.
func (h *history) ordered(o *order, e *episode, got outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	e.orders.count(got)
	if got == acknowledged {
		o.opened = got
	}
}

// try notes that a change is asked for. What is returned is for tried.
func (h *history) try(o *order, s step) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	o.steps = append(o.steps, s)
	return len(o.steps) - 1
}

// tried notes how an attempt to change an order ended. It is counted for the
// episode in which it was begun; nil is none.
func (h *history) tried(o *order, i int, e *episode, got outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e != nil {
		e.statuses.count(got)
	}
	if got.better(o.steps[i].outcome) {
		o.steps[i].outcome = got
	}
}

// update changes what is known of an order.
func (h *history) update(f func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f()
}

// take lends an order of a kind to a client, nil if there is none.
func (h *history) take(rng *rand.Rand, kind func(*order) bool) *order {
	h.mu.Lock()
	defer h.mu.Unlock()
	var free []*order
	for _, o := range h.orders {
		if !o.busy && kind(o) {
			free = append(free, o)
		}
	}
	chance := rng.Float64() // drawn whether or not there is a choice
	if len(free) == 0 {
		return nil
	}
	o := free[int(chance*float64(len(free)))]
	o.busy = true
	return o
}

// leave gives an order back.
func (h *history) leave(o *order) { h.update(func() { o.busy = false }) }

// snapshot returns the orders as they are now.
func (h *history) snapshot() []order {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]order, len(h.orders))
	for i, o := range h.orders {
		all[i] = *o
		all[i].steps = slices.Clone(o.steps)
	}
	return all
}
