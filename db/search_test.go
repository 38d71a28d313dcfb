package db_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/db"
	"portico/internal/portal"
)

func TestSearch(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, o := range []struct{ office, order, choice, access string }{
		{"M30011", "BX7-991", "small", "Nyckel hos grannen, port 4711. Ring Åsa!"},
		{"M30012", "BX8", "large", "O'Brien & Söner släpper in er\n(se anslag)"},
	} {
		id := w.open("foto", ticket(o.office, o.order)).ID
		w.must(w.store.SubmitOrder(t.Context(), id, map[string][]string{"package": {o.choice}, "access": {o.access}}, asa))
	}
	w.open("foto", ticket("M30420", "DRAFT1"))
	first, second, both := []string{"BX7-991"}, []string{"BX8"}, []string{"BX7-991", "BX8"}
	for query, want := range map[string][]string{
		"BX7-991": first, "bx7": first, "bx7-991": first, "991": first, "BX": both, "X7": nil, "bx8 bx7": nil,
		"OBJ_BX8": second, "obj": {"BX7-991", "BX8", "DRAFT1"}, "DRAFT1": {"DRAFT1"},
		"M30011": first, "m3001": both, "M30": {"BX7-991", "BX8", "DRAFT1"},
		"nyckel": first, "NYCKEL": first, "nyck": first, "yckel": nil, "4711": first, "åsa": first, "ÅSA": first, "asa": nil,
		"nyckel granne": first, "granne nyckel": first, "nyckel söner": nil,
		"liten": first, "beskjeden": first, "tiny": first, "stor": second, "svær": second, "SVÆR": second, "Huge": second, "small": nil, "large": nil,
		"O'Brien": second, "o brien": second, "brien&söner": second, "anslag)": second, "(se": second,
		"access": nil, "Paket": nil,
		"": {"BX7-991", "BX8", "DRAFT1"}, "   ": {"BX7-991", "BX8", "DRAFT1"}, `'&|!():*\`: {"BX7-991", "BX8", "DRAFT1"},
		"nyckel:*": first, "!nyckel": first, "nyckel & !granne": first, `\nyckel`: first, "nyckel'": first, "<->": {"BX7-991", "BX8", "DRAFT1"},
		"nyckel\x00": first, "nyckel\xff": first, "🏡 nyckel": first, "a:b:c": nil, "1 <-> 2": nil,
		strings.Repeat("x", 5000): nil, strings.Repeat("å", 5000): nil, strings.Repeat("nyckel ", 500): first,
		strings.Repeat("1234567890", 400): nil,
	} {
		got, _ := w.found(db.OrderFilter{Query: query, Sort: db.SortOld, Limit: 50})
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%.60q:\n%s", query, diff)
		}
		if _, err := w.store.CountOrders(t.Context(), db.OrderFilter{Query: query}, 1000); err != nil {
			t.Errorf("count %.60q: %v", query, err)
		}
	}
}

func TestSearchFollowsTheOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open("foto", ticket("M1", "B1")).ID
	want := func(query string, n int) {
		t.Helper()
		if got, _ := w.found(db.OrderFilter{Query: query, Limit: 10}); len(got) != n {
			t.Errorf("%q finds %v, want %d", query, got, n)
		}
	}
	want("stor", 0)
	w.must(w.store.SubmitOrder(t.Context(), id, map[string][]string{"package": {"large"}}, asa))
	want("stor", 1)
	w.exec(`UPDATE offices SET name = 'Kajplats Fastighetsmäkleri'`)
	want("fastighetsmäk", 0)
	w.must(w.store.StartOrder(t.Context(), id, w.erik.Actor())) // any change stores the words anew
	want("fastighetsmäk", 1)
	want("stor kajplats b1", 1)
}

func TestLongAnswersAreStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.open("foto", ticket("M1", "B1")).ID
	long := strings.Repeat("ö", 4990) + " nyckel"
	w.must(w.store.SubmitOrder(t.Context(), id, map[string][]string{"package": {"small"}, "access": {long}}, asa))
	w.wantState(id, portal.Received)
	if got, _ := w.found(db.OrderFilter{Query: "nyckel", Limit: 10}); len(got) != 1 {
		t.Errorf("a word beside one that is too long is not found: %v", got)
	}
}
