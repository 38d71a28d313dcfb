package applyfile

import (
	"net/mail"
	"time"

	"golang.org/x/text/currency"

	"portico/internal/portal"
)

// currencies are what a provider charges in who does not say.
var currencies = map[string]string{"sv": "SEK", "nb": "NOK", "en": "EUR"}

func (f *file) provider(v value) portal.Provider {
	o := v.object()
	var p portal.Provider
	p.Name, _ = o.required("name").text()
	p.SupportEmail = email(o.required("support_email"))
	p.Locale, _ = oneOf(o.required("locale"), portal.Locales...)
	p.TimeZone = timeZone(o.required("time_zone"))
	p.Currency = currencies[p.Locale]
	if v := o.optional("currency"); v.there() {
		p.Currency = currencyCode(v)
	}
	o.end()
	return p
}

func email(v value) string {
	s, ok := v.text()
	if !ok {
		return ""
	}
	if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
		v.fault("must be an e-mail address")
	}
	return s
}

func timeZone(v value) string {
	s, ok := v.text()
	if !ok {
		return ""
	}
	// "Local" is whatever the machine is set to.
	if _, err := time.LoadLocation(s); err != nil || s == "Local" {
		v.fault("must be a time zone like Europe/Stockholm")
	}
	return s
}

func currencyCode(v value) string {
	s, ok := v.text()
	if !ok {
		return ""
	}
	if unit, err := currency.ParseISO(s); err != nil || unit.String() != s {
		v.fault("must be a currency of ISO 4217 like SEK")
	}
	return s
}
