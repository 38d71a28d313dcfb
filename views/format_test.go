package views

import (
	"testing"
	"time"

	"portico/internal/portal"
)

func TestWhen(t *testing.T) {
	t.Parallel()
	day := func(year int, month time.Month, day, hour, minute int) time.Time {
		return time.Date(year, month, day, hour, minute, 0, 0, stockholm)
	}
	tests := []struct {
		at         time.Time
		sv, nb, en string
	}{
		{day(2026, 11, 24, 10, 40), "i dag 10.40", "i dag 10.40", "today 10:40"},
		{day(2026, 11, 24, 0, 0), "i dag 00.00", "i dag 00.00", "today 00:00"},
		{day(2026, 11, 23, 23, 59), "i går 23.59", "i går 23.59", "yesterday 23:59"},
		{day(2026, 11, 25, 0, 1), "i morgon 00.01", "i morgen 00.01", "tomorrow 00:01"},
		{day(2026, 11, 26, 9, 12), "tors 26 nov 09.12", "tor. 26. nov. 09.12", "Thu 26 Nov 09:12"},
		{day(2025, 12, 31, 9, 5), "ons 31 dec 2025 09.05", "ons. 31. des. 2025 09.05", "Wed 31 Dec 2025 09:05"},
		// Late in the evening in UTC is the next day in Stockholm.
		{time.Date(2026, 11, 23, 23, 30, 0, 0, time.UTC), "i dag 00.30", "i dag 00.30", "today 00:30"},
	}
	for _, tt := range tests {
		for locale, want := range map[string]string{"sv": tt.sv, "nb": tt.nb, "en": tt.en} {
			if got := plain(NewPrinter(locale, stockholm, now).When(tt.at)); got != want {
				t.Errorf("%s %v: %q, want %q", locale, tt.at, got, want)
			}
		}
	}
}

// TestDayAcrossTheHourThatIsMissing: the day when clocks go forward has 23 hours.
func TestDayAcrossTheHourThatIsMissing(t *testing.T) {
	t.Parallel()
	p := NewPrinter("sv", stockholm, time.Date(2026, 3, 28, 23, 30, 0, 0, stockholm))
	if got := p.Day(time.Date(2026, 3, 30, 0, 15, 0, 0, stockholm)); got == "i morgon" {
		t.Errorf("the day after tomorrow is %q", got)
	}
	if got := p.Day(time.Date(2026, 3, 29, 23, 30, 0, 0, stockholm)); got != "i morgon" {
		t.Errorf("tomorrow is %q", got)
	}
}

func TestDate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ locale, iso, want string }{
		{"sv", "2026-11-25", "onsdag 25 november"},
		{"nb", "2026-11-25", "onsdag 25. november"},
		{"en", "2027-01-02", "Saturday 2 January 2027"},
		{"sv", "snart", "snart"},
	} {
		if got := plain(NewPrinter(tt.locale, stockholm, now).Date(tt.iso)); got != tt.want {
			t.Errorf("%s %s: %q, want %q", tt.locale, tt.iso, got, tt.want)
		}
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		in         time.Duration
		sv, nb, en string
	}{
		{28 * time.Hour, "om 1 d 4 h", "om 1 d 4 t", "in 1 d 4 h"},
		{2 * time.Hour, "om 2 h", "om 2 t", "in 2 h"},
		{2*time.Hour + 5*time.Minute, "om 2 h 5 min", "om 2 t 5 min", "in 2 h 5 min"},
		{7*time.Hour + 5*time.Minute, "om 7 h", "om 7 t", "in 7 h"},
		{2 * day, "om 2 d", "om 2 d", "in 2 d"},
		{8*day + 3*time.Hour, "om 8 d", "om 8 d", "in 8 d"},
		{25 * time.Minute, "om 25 min", "om 25 min", "in 25 min"},
		{20 * time.Second, "om under 1 min", "om under 1 min", "in under 1 min"},
		{-3 * time.Hour, "3 h sen", "3 t forsinket", "3 h late"},
		{-26 * time.Hour, "1 d 2 h sen", "1 d 2 t forsinket", "1 d 2 h late"},
	} {
		for locale, want := range map[string]string{"sv": tt.sv, "nb": tt.nb, "en": tt.en} {
			if got := plain(NewPrinter(locale, stockholm, now).Until(now.Add(tt.in))); got != want {
				t.Errorf("%s %v: %q, want %q", locale, tt.in, got, want)
			}
		}
	}
}

func TestDue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		state         portal.State
		at            *time.Time
		text, urgency string
	}{
		{portal.Received, in(28 * time.Hour), "om 1 d 4 h", ""},
		{portal.Active, in(2 * time.Hour), "om 2 h", "soon"},
		{portal.Failed, in(-3 * time.Hour), "3 h sen", "late"},
		{portal.Waiting, in(-3 * time.Hour), "pausad", ""},
		{portal.Waiting, nil, "", ""},
		{portal.Delivered, in(-3 * time.Hour), "", ""},
		{portal.Cancelled, in(-3 * time.Hour), "", ""},
		{portal.Draft, nil, "", ""},
	} {
		text, urgency := NewPrinter("sv", stockholm, now).due(tt.state, tt.at)
		if plain(text) != tt.text || urgency != tt.urgency {
			t.Errorf("%s %v: %q %q, want %q %q", tt.state, tt.at, text, urgency, tt.text, tt.urgency)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		locale, currency string
		minor            int64
		want             string
	}{
		{"sv", "SEK", 498800, "4 988 kr"},
		{"sv", "SEK", 498850, "4 988,50 kr"},
		{"sv", "SEK", 0, "0 kr"},
		{"sv", "SEK", 123456700, "1 234 567 kr"},
		{"sv", "NOK", 249000, "2 490 NOK"},
		{"nb", "NOK", 249000, "2 490 kr"},
		{"nb", "SEK", 249000, "2 490 SEK"},
		{"en", "SEK", 498850, "SEK 4,988.50"},
		{"en", "EUR", 1, "EUR 0.01"},
		{"sv", "ISK", 4988, "4 988 ISK"},
	} {
		if got := plain(NewPrinter(tt.locale, stockholm, now).Money(tt.minor, tt.currency)); got != tt.want {
			t.Errorf("%s %d %s: %q, want %q", tt.locale, tt.minor, tt.currency, got, tt.want)
		}
	}
}

func TestSize(t *testing.T) {
	t.Parallel()
	p := NewPrinter("sv", stockholm, now)
	for bytes, want := range map[int64]string{0: "0 byte", 812_000: "793 kB", 24 << 20: "24 MB", 8_400_000: "8,0 MB",
		portal.MaxFileSize: "200 MB", portal.MaxDeliverySize: "1 GB", 1500 << 20: "1,5 GB"} {
		if got := plain(p.Size(bytes)); got != want {
			t.Errorf("%d: %q, want %q", bytes, got, want)
		}
	}
}

func TestTook(t *testing.T) {
	t.Parallel()
	p := NewPrinter("nb", stockholm, now)
	for d, want := range map[time.Duration]string{214 * time.Millisecond: "214 ms", 1240 * time.Millisecond: "1,2 s"} {
		if got := plain(p.Took(d)); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestTargetName(t *testing.T) {
	t.Parallel()
	p := NewPrinter("sv", stockholm, now)
	for _, tt := range []struct {
		target portal.Target
		want   string
	}{
		{portal.Target{Type: "House", ID: "EST-1"}, "Villa EST-1"},
		{portal.Target{Type: "HousingCooperative", ID: "EST-1"}, "Bostadsrätt EST-1"},
		{portal.Target{Type: "Castle", ID: "EST-1"}, "Castle EST-1"},
		{portal.Target{Type: "House"}, "Villa"},
		{portal.Target{ID: "EST-1"}, "EST-1"},
		{portal.Target{}, ""},
	} {
		if got := p.TargetName(tt.target); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.target, got, tt.want)
		}
	}
}

func TestLangURL(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/orders/5c1f":                     "/orders/5c1f?lang=en",
		"/staff/orders?q=a+b&state=failed": "/staff/orders?lang=en&q=a+b&state=failed",
		"/staff/login?lang=sv":             "/staff/login?lang=en",
		"//evil.example/x":                 "/x?lang=en",
		"https://evil.example":             "/?lang=en",
		"/\\evil.example":                  "/evil.example?lang=en",
		"%zz":                              "/?lang=en",
	} {
		if got := string(base("sv", path).langURL("en")); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}

// plain writes every kind of space as the common one.
func plain(s string) string {
	out := []rune(s)
	for i, r := range out {
		if r == '\u00a0' || r == '\u202f' {
			out[i] = ' '
		}
	}
	return string(out)
}

func TestCountText(t *testing.T) {
	t.Parallel()
	p := StaffOrderIndexPage{Base: base("sv", "/staff/orders")}
	for n, want := range map[int]string{0: "0", MaxCount: "10\u00a0000", MaxCount + 1: "10\u00a0000+", 7 * MaxCount: "10\u00a0000+"} {
		if got := p.countText(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

func TestWished(t *testing.T) {
	t.Parallel()
	p := NewPrinter("sv", stockholm, now)
	for text, want := range map[string]string{"asap": "snarast", "2026-11-26": "tors 26\u00a0nov", "2026-11-25 13:30": "i morgon 13.30", "nästa vecka": "nästa vecka"} {
		if got := p.Wished(text); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}
