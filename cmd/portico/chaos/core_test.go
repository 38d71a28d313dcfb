package chaos

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
	"portico/internal/partner/visma/vismatest"
)

// coreSecret is what the fake of Core knows the API user of each tenant by.
const coreSecret = "known to the fake alone"

// coreStates are the states of Core's that say which one was meant.
var coreStates = map[string]string{"MissingInfo": interaction, "Completed": delivered, "Error": failure, "Cancelled": failure}

// coreTexts tell apart those that are InProcess to Core.
var coreTexts = map[string]string{"Bestilling mottatt": received, "Under arbeid": underway}

// wrongAtCore are all the wrong answers of its fake but FaultGarbage, a success
// that has stored nothing: what the answer to a state says nobody reads.
var wrongAtCore = []doortest.FaultKind{doortest.FaultUnauthorized, doortest.FaultForbidden, doortest.FaultBadRequest,
	doortest.FaultNotFound, doortest.FaultTooMany, doortest.FaultServerError, doortest.FaultUnavailable, doortest.FaultHTML,
	doortest.FaultRedirect, doortest.FaultDrop, doortest.FaultTruncated, doortest.FaultStoredDrop, doortest.FaultStoredHang,
	doortest.FaultStoredError, doortest.FaultSlow, vismatest.FaultOtherOrder, vismatest.FaultNoOrder}

// watchedCore is the fake of Core, of whose tokens no log may tell.
type watchedCore struct {
	*vismatest.Server
	secrets *secrets
}

// ServeHTTP notes the tokens that an API user is given.
func (c watchedCore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !tokenPath(r) {
		c.Server.ServeHTTP(w, r)
		return
	}
	answer := httptest.NewRecorder()
	c.Server.ServeHTTP(answer, r)
	var given struct {
		Access  string `json:"access_token"`
		Refresh string `json:"refresh_token"`
	}
	_ = json.Unmarshal(answer.Body.Bytes(), &given) // a wrong answer gives none
	for _, token := range []string{given.Access, given.Refresh} {
		if token != "" {
			c.secrets.add(token, "a token of Core's API user")
		}
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the caller may have gone
}

func tokenPath(r *http.Request) bool {
	return strings.HasSuffix(strings.ToLower(r.URL.Path), "/authtoken")
}

func (w *world) startCore() {
	w.Helper()
	tenants := vismatest.DemoTenants()
	for i := range tenants {
		tenants[i].ClientSecret = coreSecret
	}
	fake, err := vismatest.New(vismatest.Options{Tenants: tenants})
	must(w.T, err)
	w.core = fake
	w.connect(corePartner, &partner{fake: watchedCore{fake, w.secrets}, wrong: wrongAtCore, asked: vismatest.OpVerify,
		told: []doortest.Op{vismatest.OpState}, admit: admitToCore})
}

// admitToCore changes the secret of a call for a token.
func admitToCore(r *http.Request, word string) {
	if !tokenPath(r) {
		return
	}
	raw, err := io.ReadAll(r.Body)
	form, bad := url.ParseQuery(string(raw))
	if err == nil && bad == nil && form.Has("client_secret") {
		known := "wrong"
		if form.Get("client_secret") == word {
			known = coreSecret
		}
		form.Set("client_secret", known)
		raw = []byte(form.Encode())
	}
	r.Body = io.NopCloser(strings.NewReader(string(raw)))
}

// newOrderAtCore makes an order on one of the cases.
func (b *broker) newOrderAtCore() *order {
	on := pick(b.rng, vismatest.DemoCases())
	users := slices.DeleteFunc(vismatest.DemoUsers(), func(u vismatest.User) bool { return u.Tenant != on.Tenant })
	stored := b.w.core.NewOrder(vismatest.Order{Tenant: on.Tenant, Case: on.ID, User: pick(b.rng, users).ID, ServiceID: "takst"})
	o := &order{key: key{corePartner, stored.Tenant, stored.GUID}, service: stored.ServiceID,
		estate: strconv.Itoa(stored.Case), estateType: "Case"} // Core names no owner
	b.w.clients.begin(o)
	return o
}

// buttonAtCore returns what Core opens for an order, with a fresh FlowToken.
func (b *broker) buttonAtCore(o *order) string {
	stored, _ := b.w.core.Order(o.id)
	service := vismatest.Service{ID: o.service, URL: "/callback/" + o.service}
	address, err := b.w.core.Open(b.w.Context(), b.w.partner[corePartner].url, stored, 0, service, time.Hour)
	if err != nil {
		b.w.Error(err)
	}
	_, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		b.w.Error(err)
	}
	b.w.secrets.add(values.Get("token"), "a FlowToken")
	return address
}

// questionAtCore returns what opens an order that shows a question.
func (b *broker) questionAtCore(o *order) string {
	if stored, _ := b.w.core.Order(o.id); stored.State() != "MissingInfo" {
		return ""
	}
	return b.buttonAtCore(o)
}

// arrivalsAtCore returns the states that the orders of Core were given.
func (w *world) arrivalsAtCore() []arrival {
	var all []arrival
	before := map[key]message{}
	for _, o := range w.core.Orders() {
		k := key{corePartner, o.Tenant, o.GUID}
		for _, s := range o.Statuses[1:] { // the first is Core's own
			m := message{k, coreStates[s.State], s.Status}
			if s.State == "InProcess" {
				m = message{k, coreTexts[s.Status], ""}
			}
			m = follow(before, m)
			all = append(all, arrival{k, m.status, m.comment, s.At})
		}
	}
	return all
}
