package chaos

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
)

// link is a network connection that can be made bad.
type link struct {
	t     *testing.T
	proxy *toxiproxy.Proxy
	trap  *trap
}

const (
	toServer = "upstream"
	toClient = "downstream"
)

// attributes are those of a toxic, by toxiproxy's names.
type attributes map[string]any

func newLink(t *testing.T, name, target string) *link {
	t.Helper()
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	l := &link{t: t, proxy: toxiproxy.NewProxy(server, name, "127.0.0.1:0", target), trap: &trap{}}
	must(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	return l
}

// newDatabaseLink returns a link that a trap can be laid in.
func newDatabaseLink(t *testing.T, name, target string) *link {
	t.Helper()
	l := newLink(t, name, target)
	id := t.Name() + "/" + name
	traps.Store(id, l.trap)
	l.add(tripwireType, toServer, attributes{"trap": id, "to_server": true})
	l.add(tripwireType, toClient, attributes{"trap": id})
	return l
}

func (l *link) address() string { return l.proxy.Listen }

// add makes the link bad in one direction.
func (l *link) add(kind, stream string, a attributes) {
	l.t.Helper()
	raw, err := json.Marshal(map[string]any{"name": toxicName(kind, stream), "type": kind, "stream": stream, "attributes": a})
	if err == nil {
		_, err = l.proxy.Toxics.AddToxicJson(bytes.NewReader(raw))
	}
	l.check(err)
}

// check fails the test: a fault that does not come about proves nothing. Faults
// come about in any goroutine.
func (l *link) check(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Error(err)
	}
}

// remove takes away what add did.
func (l *link) remove(kind, stream string) {
	l.t.Helper()
	l.check(l.proxy.Toxics.RemoveToxic(l.t.Context(), toxicName(kind, stream)))
}

func toxicName(kind, stream string) string { return fmt.Sprintf("%s_%s", kind, stream) }

// down cuts what is connected and refuses what comes, until up.
func (l *link) down() { l.proxy.Stop() }

func (l *link) up() {
	l.t.Helper()
	l.check(l.proxy.Start())
}
