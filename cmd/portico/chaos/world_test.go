package chaos

import (
	_ "embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/internal/keyring"
	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
	"portico/internal/partner/vitec/vitectest"
)

//go:embed provider.yaml
var provider []byte

const (
	staffEmail  = "maja@nordljus.example"
	ownPartner  = "vitec"
	nextPartner = "annan" // another connection to the same system
	corePartner = "core"  // one to the other system
)

// Personal data that is in answers and messages, and may be in no log.
const (
	canaryName   = "Kanarie Fågelström"
	canaryPhone  = "070-555 01 99"
	canaryNumber = "19121212-1212"
)

// world is the whole of it: database, partners, links between, the program's
// processes, and what the clients remember.
type world struct {
	*testing.T
	seed    uint64
	program string
	file    string // the provider
	env     environ
	cluster *cluster
	word    string // the database's
	partner map[string]*partner
	vitec   map[string]*vitectest.Server
	core    *vismatest.Server
	clients *history
	secrets *secrets
	prober  *browser

	mu        sync.Mutex
	portals   []*process
	workers   []*process
	frozen    *process // a worker that stands still for a while; not among the others
	all       []*process
	numbers   map[key]int // of orders, by office
	requests  []request
	findings  []finding        // that are found on the way
	favourite *order           // staff act on it first
	told      map[finding]bool // so that each is told once
	calm      time.Duration    // how long all but the slowest messages take when nothing is broken
}

// rng returns a source of choices that the seed decides. Each purpose has one of
// its own: what one of them draws does not depend on how fast another is.
func (w *world) rng(purpose string) *rand.Rand { return newRand(w.seed, purpose) }

func newRand(seed uint64, purpose string) *rand.Rand {
	var key [32]byte
	copy(key[:], fmt.Sprintf("%016x%s", seed, purpose))
	return rand.New(rand.NewChaCha8(key))
}

func newWorld(t *testing.T, seed uint64, workers int) *world {
	t.Helper()
	w := &world{T: t, seed: seed, clients: &history{}, secrets: &secrets{}, numbers: map[key]int{}, told: map[finding]bool{}, partner: map[string]*partner{}, vitec: map[string]*vitectest.Server{}}
	w.program, w.cluster = build(t), startCluster(t)
	for _, id := range []string{ownPartner, nextPartner} {
		w.startVitec(id)
	}
	w.startCore()
	folder := t.TempDir()
	w.file = filepath.Join(folder, "provider.yaml")
	must(t, os.WriteFile(w.file, provider, 0o600))
	w.word = w.secrets.make(w.rng("database password"), "the database's password")
	w.env = environ{
		"PORTICO_BASE_URL":       "http://localhost",
		"PORTICO_LISTEN":         "127.0.0.1:0",
		"PORTICO_BLOB_URL":       "file://" + filepath.Join(folder, "blobs"),
		"PORTICO_METRICS_LISTEN": "",
		"PORTICO_SMTP_URL":       "",
		"PORTICO_SECRET_KEYS":    keyring.New(),
		"CALLBACK_PASSWORD":      w.secrets.make(w.rng("callback password"), "the callback's password"),
		"DATABASE_URL":           w.cluster.url(w.cluster.listener.Addr().String(), w.word),
	}
	w.secrets.add(w.env["PORTICO_SECRET_KEYS"], "a secret key")
	for text, what := range map[string]string{canaryName: "a seller's name", canaryPhone: "a seller's telephone", canaryNumber: "a personal number"} {
		w.secrets.add(text, what)
	}
	w.install()
	for i := range 2 {
		w.portals = append(w.portals, w.start(fmt.Sprintf("portal %d", i+1), "serve", "--worker=false"))
	}
	for i := range workers {
		w.workers = append(w.workers, w.start(fmt.Sprintf("worker %d", i+1), "work"))
	}
	for _, p := range w.all {
		must(t, w.within(startTime, p.await))
	}
	w.frozen, w.workers = w.workers[workers-1], w.workers[:workers-1]
	w.prober = w.newBrowser()
	return w
}

// start starts a process of the program with a link of its own to the database.
func (w *world) start(name string, args ...string) *process {
	w.Helper()
	link := newDatabaseLink(w.T, name, w.cluster.listener.Addr().String())
	env := maps.Clone(w.env)
	env["DATABASE_URL"] = w.cluster.url(link.address(), w.word)
	p := supervise(w.T, name, w.program, link, env, args...)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, p)
	return p
}

// startNext starts the next version of a process beside it.
func (w *world) startNext(p *process, args ...string) *process {
	w.Helper()
	return w.start(p.name+", next", args...)
}

// processes returns all that were ever started.
func (w *world) processes() []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.all)
}

// install does what the operator of a new installation does.
func (w *world) install() {
	w.Helper()
	must(w.T, once(w.Context(), w.program, w.env, "", "migrate"))
	must(w.T, w.apply())
	w.env["STAFF_PASSWORD"] = w.secrets.make(w.rng("staff password"), "the password of staff")
	must(w.T, once(w.Context(), w.program, w.env, w.env["STAFF_PASSWORD"]+"\n",
		"staff", "add", "--email", staffEmail, "--name", "Maja Lind", "--role", "fulfiller", "--password-stdin"))
	for _, statement := range []string{
		`CREATE TABLE chaos_takeovers (job_id bigint NOT NULL)`,
		`CREATE FUNCTION chaos_takeover() RETURNS trigger LANGUAGE plpgsql AS $$
			BEGIN INSERT INTO chaos_takeovers VALUES (NEW.id); RETURN NULL; END $$`,
		// A worker that died recorded no attempt: whoever takes its job over tells of it.
		`CREATE TRIGGER chaos_takeover AFTER UPDATE ON jobs FOR EACH ROW
			WHEN (OLD.state = 'running' AND NEW.state = 'running' AND NEW.attempt > OLD.attempt)
			EXECUTE FUNCTION chaos_takeover()`,
	} {
		_, err := w.cluster.own().ExecContext(w.Context(), statement)
		must(w.T, err)
	}
}

// apply stores the provider with the passwords that the partners take just now.
func (w *world) apply() error {
	env := maps.Clone(w.env)
	for id, p := range w.partner {
		name := strings.ToUpper(id)
		env[name+"_URL"], env[name+"_PASSWORD"] = p.url, p.password()
	}
	return once(w.Context(), w.program, env, "", "apply", w.file)
}

// find notes what is wrong as soon as it is seen.
func (w *world) find(all ...finding) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.findings = append(w.findings, all...)
}

// portal returns the portals in an order, a first choice and then the others.
func (w *world) portal(first int) []*process {
	w.mu.Lock()
	defer w.mu.Unlock()
	first %= len(w.portals)
	return slices.Concat(w.portals[first:], w.portals[:first])
}

// partner is a partner's fake behind a link, with a password that can be changed.
type partner struct {
	fake interface {
		http.Handler
		SetFault(doortest.Op, doortest.Fault)
		ClearFaults()
	}
	link  *link
	url   string                             // by the link
	admit func(r *http.Request, word string) // gives a request with the right password the one that the fake knows
	told  []doortest.Op                      // the methods by which it is told something
	asked doortest.Op                        // the one by which it is asked who comes
	wrong []doortest.FaultKind               // the wrong answers that it can give

	mu   sync.Mutex
	word string
}

// connect puts a partner behind a link.
func (w *world) connect(id string, p *partner) {
	w.Helper()
	p.rotate(w, w.rng("password of "+id))
	web := httptest.NewServer(p)
	w.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	p.link = newLink(w.T, id, web.Listener.Addr().String())
	p.url = "http://" + p.link.address()
	w.partner[id] = p
}

func (w *world) startVitec(id string) {
	w.Helper()
	fake, err := vitectest.New(vitectest.Options{})
	must(w.T, err)
	w.vitec[id] = fake
	w.connect(id, &partner{fake: fake, wrong: wrongAnswers, asked: vitectest.OpToken,
		told: []doortest.Op{vitectest.OpStatus, vitectest.OpInteraction},
		admit: func(r *http.Request, word string) {
			if user, sent, ok := r.BasicAuth(); ok && sent == word {
				r.SetBasicAuth(user, vitectest.DemoPassword)
			} else if ok {
				r.SetBasicAuth(user, "wrong")
			}
		}})
}

// rotate changes the password: the one that Portico has is refused from now on.
func (p *partner) rotate(w *world, rng *rand.Rand) {
	word := w.secrets.make(rng, "a partner's password")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.word = word
}

func (p *partner) password() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.word
}

// ServeHTTP is the fake, which knows a password of its own.
func (p *partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.admit(r, p.password())
	p.fake.ServeHTTP(w, r)
}

// arrivals returns what the partners stored, in the order of storing.
func (w *world) arrivals() []arrival {
	all := w.arrivalsAtCore()
	for id, fake := range w.vitec {
		for _, o := range fake.Orders() {
			k := key{id, o.Office, o.ID}
			for _, c := range o.History {
				all = append(all, arrival{k, c.Status, c.Comment, c.At})
			}
			for _, i := range o.Interactions {
				all = append(all, arrival{k, interaction, i.Comment, i.At})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b arrival) int { return a.at.Compare(b.at) })
	return all
}

// Patience: what takes longer is a fault.
const (
	startTime = 30 * time.Second
	resumes   = time.Minute
	interval  = 100 * time.Millisecond // between looks
)
