package tjansteguiden

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

func TestConfigureFillsInDefaults(t *testing.T) {
	t.Parallel()
	c, faults := Configure(json.RawMessage(`{"id":"guiden","system":"tjansteguiden","role":"tl","api_user":"1234","api_key":"nyckel"}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	want := portal.Connection{ID: "guiden", System: System, InteractionLink: portal.LinkCallback, TakesRemarks: true,
		Reports:   []portal.State{portal.Received, portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
		PollEvery: 5 * time.Minute, PersonalDays: 90, Credentials: []portal.Credential{{Customer: "*", Username: "1234", Password: "nyckel"}}}
	var got config
	if err := json.Unmarshal(c.Settings, &got); err != nil {
		t.Fatal(err)
	}
	c.Settings = nil
	if diff := cmp.Diff(want, c); diff != "" {
		t.Error(diff)
	}
	s := defaults()
	s.Role, s.BaseURL, s.APIUser = "tl", "https://www.stadsnatsportalen.se/plain/serviceguide_log", "1234"
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
}

func TestConfigureReadsEverything(t *testing.T) {
	t.Parallel()
	c, faults := Configure(json.RawMessage(`{"id":"guiden","system":"tjansteguiden","role":"ko","base_url":"https://nat.example/admin/edit/services/plain/orders/",
		"api_user":"7","poll_every":"1s","since":"2026-11-01","time_zone":"Europe/Helsinki","personal_number_days":30,
		"on_api":[{"prefix":"kc","base_url":"https://onapi.example/onapi/2.4/","username":"u","password":"hemligt"}],
		"status_map":{"received":"","failed":"","active":"new"},"message_types":{"plain":"system"},
		"query":{"order":"order","customer":"order","hash":"h"},"rate":{"concurrent":1,"per_second":0.5}}`))
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if strings.Contains(string(c.Settings), "hemligt") {
		t.Errorf("a secret is in %s", c.Settings)
	}
	var got config
	if err := json.Unmarshal(c.Settings, &got); err != nil {
		t.Fatal(err)
	}
	s := defaults()
	s.Role, s.BaseURL, s.APIUser, s.TimeZone = "ko", "https://nat.example/admin/edit/services/plain/orders", "7", "Europe/Helsinki"
	s.StatusMap[portal.Received], s.StatusMap[portal.Failed], s.StatusMap[portal.Active] = "", "", "new"
	s.MessageTypes[portal.RemarkPlain] = "system"
	s.Query = queryNames{Order: "order", Customer: "order", Date: "date", Hash: "h", APIUser: "api_user"}
	s.Networks = []networkConfig{{Prefix: "KC", BaseURL: "https://onapi.example/onapi/2.4"}}
	s.Rate = door.Rate{Concurrent: 1, PerSecond: 0.5}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"KC"}, c.Networks); diff != "" || c.PollEvery != time.Second || c.PersonalDays != 30 || c.PollFrom.Format(time.RFC3339) != "2026-11-01T00:00:00+02:00" {
		t.Errorf("%s, %+v", diff, c)
	}
	want := []portal.Credential{{Customer: "*", Username: "7"}, {Customer: "on_api/KC", Username: "u", Password: "hemligt"}}
	if diff := cmp.Diff(want, c.Credentials); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]portal.State{portal.Active, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled}, c.Reports); diff != "" {
		t.Error(diff)
	}
}

func TestConfigureFindsAllFaults(t *testing.T) {
	t.Parallel()
	const start = `{"id":"g","system":"tjansteguiden",`
	for more, want := range map[string]string{
		`"x":1}`:                      "role api_user api_key x",
		`"role":"ko","api_user":"1"}`: "base_url",
		`"role":"sp","api_user":"a","api_key":"a\nb","base_url":"http://a.example"}`:                                "role base_url api_user api_key",
		`"role":"tl","api_user":1,"api_key":"k"}`:                                                                   "api_user",
		`"role":"tl","api_user":"1","api_key":"k","poll_every":"5","since":"1/11","time_zone":"Mars/Olympus"}`:      "time_zone poll_every since",
		`"role":"tl","api_user":"1","api_key":"k","poll_every":"25h","personal_number_days":0,"time_zone":"Local"}`: "time_zone poll_every personal_number_days",
		`"role":"tl","api_user":"1","api_key":"k","poll_every":"500ms"}`:                                            "poll_every",
		`"role":"tl","api_user":"1","api_key":"k","on_api":[{"prefix":"K C"},{"prefix":"ab","base_url":"https://a.example","username":"a:b","password":"p\u0000"},{"prefix":"AB","base_url":"https://a.example","username":"u","password":"p","more":1}]}`: "on_api[0].prefix on_api[0].base_url on_api[0].username on_api[0].password on_api[1].username on_api[1].password on_api[2].prefix on_api[2].more",
		`"role":"tl","api_user":"1","api_key":"k","status_map":{"received":"läst","draft":"new"},"message_types":{"plain":"mail","loud":"log"}}`:                                                                                                           "status_map.received status_map.draft message_types.plain message_types.loud",
		`"role":"tl","api_user":"1","api_key":"k","query":{"order":"hash","customer":"method","date":"a b","id":"x"}}`:                                                                                                                                     "query.date query.order query.customer query.id",
	} {
		_, faults := Configure(json.RawMessage(start + more))
		var paths []string
		for _, f := range faults {
			paths = append(paths, f.Path)
		}
		if got := strings.Join(paths, " "); got != want {
			t.Errorf("%s\n got %s\nwant %s", more, got, want)
		}
	}
}
