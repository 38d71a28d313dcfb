package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"portico/db"
	"portico/internal/partner/vitec/vitectest"
	"portico/internal/password"
	"portico/internal/portal"
)

// scene is a demo with orders in every state, some of them days old.
type scene struct {
	*demoRun
	t     testing.TB
	store *db.Store
	sql   *sql.DB
	maja  portal.Actor
	now   time.Time // of the store

	draft, plan, received, active, waiting, text, delivered, once, failed, cancelled, sign, parked, trying, refused, taken ordered
}

// ordered is an order of the scene.
type ordered struct {
	id                     int64
	public, number, office string
	broker                 portal.Actor
}

const (
	kungsgatan = "OBJ30011_1684210"
	malma      = "OBJ30011_1684377"
	ekoln      = "OBJ30011_1684512"
	helper     = "erik@nordljus.example"
	viewer     = "lisa@nordljus.example"
)

func newScene(t testing.TB) *scene {
	t.Helper()
	s := &scene{demoRun: startDemo(t), t: t}
	// The database alone has no secrets that the scene needs.
	store, err := db.Open(context.Background(), s.env[databaseURL], nil)
	s.check(err)
	t.Cleanup(func() { s.check(store.Close()) })
	store.Now = func() time.Time { return s.now }
	s.sql, err = sql.Open("postgres", s.env[databaseURL])
	s.check(err)
	t.Cleanup(func() { s.check(s.sql.Close()) })
	s.store = store
	person, err := store.StaffByEmail(t.Context(), s.email)
	s.check(err)
	s.maja = person.Actor()
	s.addStaff(helper, "Erik Berg", portal.RoleFulfiller)
	s.addStaff(viewer, "Lisa Ek", portal.RoleViewer)
	return s
}

func (s *scene) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *scene) addStaff(email, name string, role portal.Role) {
	s.t.Helper()
	hash, err := password.Hash(s.t.Context(), s.password)
	s.check(err)
	_, err = s.store.AddStaff(s.t.Context(), portal.Staff{Email: email, Name: name, Role: role, PasswordHash: hash})
	s.check(err)
}

// ago sets the clock of what the scene does next.
func (s *scene) ago(d time.Duration) { s.now = time.Now().Add(-d).Truncate(time.Second) }

// pass lets time pass in what the scene does next.
func (s *scene) pass(d time.Duration) { s.now = s.now.Add(d) }

// order orders a service on an estate in the simulator and opens it.
func (s *scene) order(service, estate string) ordered {
	s.t.Helper()
	user := "MED30011_118"
	for _, e := range vitectest.DemoEstates() {
		if e.ID == estate {
			user = e.Agent
		}
	}
	query := s.post("/estates/"+estate+"/orders", user, url.Values{"service": {service}}).Query()
	ticket := s.exchange(query.Get("customerId"), query.Get("token"))
	svc, err := s.store.Service(s.t.Context(), service)
	s.check(err)
	opened, err := s.store.OpenOrder(s.t.Context(), svc, ticket, "SEK")
	s.check(err)
	return ordered{opened.ID, opened.PublicID, ticket.OrderID, ticket.Customer, portal.Actor{Kind: portal.ActorBroker, ID: opened.BrokerID}}
}

// reopen returns the address at which the simulator opens an order again.
func (s *scene) reopen(o ordered) string {
	s.t.Helper()
	return s.post("/orders/"+o.office+"/"+o.number+"/openings", "MED30011_118", nil).String()
}

// post presses a button of the simulator and returns where that leads.
func (s *scene) post(path, user string, form url.Values) *url.URL {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.simulator+path, strings.NewReader(form.Encode()))
	s.check(err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.AddCookie(&http.Cookie{Name: "vitec_simulator_user", Value: user})
	answer, err := http.DefaultTransport.RoundTrip(r) // a client would go on to the portal
	s.check(err)
	s.check(answer.Body.Close())
	to, err := answer.Location()
	if err != nil {
		s.t.Fatalf("%s %v: status %d, no way on", path, form, answer.StatusCode)
	}
	return to
}

// exchange does what the portal does with a token, for orders of last week.
func (s *scene) exchange(customer, token string) portal.Ticket {
	s.t.Helper()
	raw, err := os.ReadFile(filepath.Join(s.folder, "demo.json"))
	s.check(err)
	var secrets demoSecrets
	s.check(json.Unmarshal(raw, &secrets))
	body, err := json.Marshal(map[string]string{"data": token})
	s.check(err)
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, s.simulator+"/Service/Order/Token/"+customer, strings.NewReader(string(body)))
	s.check(err)
	r.SetBasicAuth("nordljus", secrets.VitecPassword)
	answer, err := http.DefaultClient.Do(r)
	s.check(err)
	defer func() { _ = answer.Body.Close() }()
	raw, err = io.ReadAll(answer.Body)
	s.check(err)
	var t struct{ OrderID, UserID, OrderUserID, TargetID, TargetType, TenantID, ChainID, CustomerID string }
	s.check(json.Unmarshal(raw, &t))
	return portal.Ticket{OrderID: t.OrderID, Customer: t.CustomerID, UserID: t.UserID, OwnerID: t.OrderUserID,
		Tenant: t.TenantID, Chain: t.ChainID, Target: portal.Target{Type: t.TargetType, ID: t.TargetID}, Raw: raw}
}

// photo orders pictures and completes the order.
func (s *scene) photo(estate, access string) ordered {
	s.t.Helper()
	o := s.order("expertfoto", estate)
	s.pass(4 * time.Minute)
	s.check(s.store.SubmitOrder(s.t.Context(), o.id, url.Values{"package": {"large"}, "extras": {"drone", "plan"},
		"day": {s.now.AddDate(0, 0, 2).Format(time.DateOnly)}, "access": {access}, "phone": {"070-123 45 67"}}, o.broker))
	return o
}

func (s *scene) start(o ordered) {
	s.t.Helper()
	s.pass(40 * time.Minute)
	s.check(s.store.AssignOrder(s.t.Context(), o.id, s.maja.ID, s.maja))
	s.check(s.store.StartOrder(s.t.Context(), o.id, s.maja))
}

func (s *scene) deliver(o ordered, message string, links []string, names ...string) {
	s.t.Helper()
	s.pass(3 * time.Hour)
	d := portal.Delivery{Message: message, Links: links}
	for i, name := range names {
		d.Files = append(d.Files, portal.File{ID: fmt.Sprintf("%s-%d-%d", o.public, s.now.UnixNano(), i), Name: name,
			ContentType: "image/jpeg", Size: int64(3_418_220 + 917_311*i), SHA256: make([]byte, 32), Key: o.public + name})
	}
	s.check(s.store.DeliverOrder(s.t.Context(), o.id, d, s.maja))
}

// seed makes the orders that the screens are looked at with.
func (s *scene) seed() {
	s.t.Helper()
	ctx, store := s.t.Context(), s.store
	s.ago(5 * time.Minute)
	s.draft, s.plan = s.order("expertfoto", kungsgatan), s.order("planritning", malma)
	s.ago(25 * time.Minute)
	s.received = s.photo(kungsgatan, "Nyckel i skåpet vid garaget, kod 4711.\nHunden är snäll.")
	s.taken = s.photo(malma, "")
	s.ago(20 * time.Hour)
	s.active = s.photo(malma, "Ring på hos grannen på nummer 6, Birgit har nyckeln.")
	s.start(s.active)
	s.check(store.WriteMessage(ctx, s.active.id, "Kan ni ta sjöglimten från balkongen också?", s.active.broker))
	s.check(store.WriteNote(ctx, s.active.id, "Erik har drönartillståndet den veckan.", s.maja))
	s.ago(30 * time.Hour)
	s.waiting, s.text = s.photo(ekoln, "Säljaren är hemma efter 16."), s.photo(kungsgatan, "")
	s.start(s.waiting)
	s.pass(time.Hour)
	s.check(store.AskBroker(ctx, s.waiting.id, portal.Interaction{Comment: "Det är dimma till torsdag. Vilken tid passar i stället?",
		Choices: []string{"Fredag kl. 9", "Fredag kl. 14", "Måndag kl. 9"}}, s.maja))
	s.check(store.AskBroker(ctx, s.text.id, portal.Interaction{Comment: "Hur kommer fotografen in?"}, s.maja))
	s.seedDone()
	s.seedUnreported()
}

func (s *scene) seedDone() {
	s.t.Helper()
	ctx, store := s.t.Context(), s.store
	s.ago(6 * 24 * time.Hour)
	s.delivered, s.once = s.photo(kungsgatan, "Portkod 1302, nyckel hos vaktmästaren."), s.photo(ekoln, "")
	s.start(s.delivered)
	s.deliver(s.delivered, "Här är bilderna.", nil, "01 vardagsrum.jpg", "02 kök.jpg", "03 balkong.jpg")
	s.pass(14 * time.Hour)
	s.check(store.RequestRevision(ctx, s.delivered.id, "Köket är lite mörkt, kan ni ljusa upp bild 2?", s.delivered.broker))
	s.deliver(s.delivered, "Köket är ljusare nu, och filmen är klar.", []string{"https://film.nordljus.example/visning/kungsangsgatan-21-b"},
		"01 vardagsrum.jpg", "02 kök, ljusare.jpg", "03 balkong med kvällssol över Fyrisån och slottet.jpg", "planritning.pdf")
	s.deliver(s.once, "", nil, "sommarstugan.jpg")
	s.ago(50 * time.Hour)
	s.failed, s.cancelled, s.sign = s.photo(malma, ""), s.photo(ekoln, ""), s.order("skyltning", malma)
	s.check(store.FailOrder(ctx, s.failed.id, "Ingen öppnade och nyckelskåpet var tomt. Vi åkte tillbaka efter en timme.", s.maja))
	s.check(store.CancelOrder(ctx, s.cancelled.id, "Säljaren har ändrat sig.", s.cancelled.broker))
}

// seedUnreported takes back that the partner knows: a real fault would take
// hours to get so far.
func (s *scene) seedUnreported() {
	s.t.Helper()
	s.ago(4 * time.Hour)
	s.trying, s.parked = s.photo(ekoln, "Grinden är öppen."), s.photo(malma, "Grinden är öppen.")
	s.deliver(s.trying, "Bilderna", nil, "stugan.jpg")
	s.refused = s.photo(kungsgatan, "")
	s.reported(s.trying, s.parked, s.refused)
	const cause = `PUT /Service/Order/Status/M30011: 500: {"message":"Oväntat fel."}`
	for _, statement := range []string{
		`UPDATE jobs SET state = 'available', finished_at = NULL, attempt = 4, run_at = now() + interval '100 min', last_error = $2 WHERE order_id = $1`,
		`UPDATE jobs SET attempt = 0, last_error = '' WHERE order_id = $1 AND $2 <> '' AND id <> (SELECT min(id) FROM jobs WHERE order_id = $1)`,
	} {
		s.exec(statement, s.trying.id, cause)
	}
	s.exec(`UPDATE jobs SET state = 'parked', finished_at = NULL, attempt = 10, last_error = $2 WHERE order_id = $1`, s.parked.id, cause)
	s.exec(`UPDATE jobs SET state = 'parked', finished_at = NULL, attempt = 1, last_error = $2 WHERE order_id = $1`, s.refused.id,
		`PUT /Service/Order/Status/M30011: 400: {"type":"https://tools.ietf.org/html/rfc9110#section-15.5.1","title":"One or more validation errors occurred.","errors":{"status":["The order has been archived."]},"traceId":"00-84c1fd4063c38d9f3900d06e56542d48-85d1d4d0ff6a1a4b-00"}`)
	s.exec(`UPDATE attempts SET outcome = 'unknown', status = 500 WHERE job_id IN (SELECT id FROM jobs WHERE order_id IN ($1, $2))`, s.trying.id, s.parked.id)
	s.exec(`UPDATE attempts SET outcome = 'refused', status = 400 WHERE job_id IN (SELECT id FROM jobs WHERE order_id = $1)`, s.refused.id)
}

func (s *scene) exec(statement string, args ...any) {
	s.t.Helper()
	_, err := s.sql.ExecContext(s.t.Context(), statement, args...)
	s.check(err)
}

// reported waits until the worker has told the partner everything about orders.
func (s *scene) reported(orders ...ordered) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for _, o := range orders {
		for left := 1; left > 0; {
			s.check(s.sql.QueryRowContext(ctx, `SELECT count(*) FROM jobs WHERE order_id = $1 AND finished_at IS NULL`, o.id).Scan(&left))
		}
	}
}

// settle gives the reports the times at which they would have been made.
func (s *scene) settle() {
	s.t.Helper()
	s.reported(s.received, s.active, s.waiting, s.text, s.delivered, s.once, s.failed, s.cancelled)
	s.exec(`ALTER TABLE events DISABLE TRIGGER USER`) // the timeline is never rewritten otherwise
	s.exec(`UPDATE events e SET created_at = interval '2 s' + (SELECT max(b.created_at) FROM events b
		WHERE b.order_id = e.order_id AND b.id < e.id AND b.kind <> 'reported') WHERE kind = 'reported'`)
	s.exec(`ALTER TABLE events ENABLE TRIGGER USER`)
	s.exec(`UPDATE jobs SET finished_at = created_at + interval '2 s' WHERE finished_at IS NOT NULL`)
}

// crowd fills the queue with more orders than fit on a page.
func (s *scene) crowd() {
	s.t.Helper()
	estates, services := vitectest.DemoEstates(), []string{"expertfoto", "skyltning", "planritning", "expertfoto", "expertfoto"}
	for i := range 44 {
		s.ago(time.Duration(i*i)*7*time.Minute + 10*time.Minute)
		o := s.order(services[i%len(services)], estates[(i*7)%len(estates)].ID)
		if services[i%len(services)] == "skyltning" {
			continue
		}
		s.check(s.store.SubmitOrder(s.t.Context(), o.id, url.Values{"package": {"small"}}, o.broker))
		switch i % 4 {
		case 1:
			s.start(o)
		case 2:
			s.check(s.store.AskBroker(s.t.Context(), o.id, portal.Interaction{Comment: "Vilken dag?"}, s.maja))
		}
	}
}
