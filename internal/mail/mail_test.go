package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	gomail "github.com/wneessen/go-mail"

	"portico/internal/mail/mailtest"
)

func message(to ...string) Message {
	return Message{FromName: "Nordljus Foto AB", From: "support@nordljus.example", To: to, Subject: "Ej rapporterat: två meddelanden",
		Text: "Hej!\n\nTvå meddelanden har inte nått fram.\n.\nSe efter.\n", Date: time.Date(2026, 11, 24, 9, 12, 0, 0, time.UTC)}
}

// open returns the server at an address, and what it logs.
func open(t *testing.T, address string) (*Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	s, err := Open(address, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return s, &log
}

// certificate returns what a server for 127.0.0.1 and example.com has, and what
// trusts it.
func certificate(t *testing.T) (server, client *tls.Config) {
	t.Helper()
	web := httptest.NewTLSServer(nil)
	t.Cleanup(web.Close)
	trusted := x509.NewCertPool()
	trusted.AddCert(web.Certificate())
	return &tls.Config{Certificates: web.TLS.Certificates}, &tls.Config{RootCAs: trusted}
}

func TestSend(t *testing.T) {
	t.Parallel()
	fake := mailtest.Start(t, mailtest.Options{User: "portico", Password: "hunter2"})
	s, log := open(t, "smtp://portico:hunter2@"+fake.Address)
	m := message("lisa@nordljus.example", "maja@nordljus.example")
	if err := s.Send(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	mails := fake.Mails()
	if len(mails) != 2 {
		t.Fatalf("%d mails, want one each", len(mails))
	}
	for i, got := range mails {
		if got.From != m.From || got.To != m.To[i] || got.Subject != m.Subject || got.Encrypted {
			t.Errorf("%+v", got)
		}
		if diff := cmp.Diff(m.Text, got.Text); diff != "" {
			t.Error(diff)
		}
		want := map[string]string{"From": `"Nordljus Foto AB" <support@nordljus.example>`, "To": "<" + m.To[i] + ">",
			"Date": "Tue, 24 Nov 2026 09:12:00 +0000", "Auto-Submitted": "auto-generated"}
		for name, value := range want {
			if got.Header.Get(name) != value {
				t.Errorf("%s: %q, want %q", name, got.Header.Get(name), value)
			}
		}
	}
	if log.Len() != 0 {
		t.Errorf("logged: %s", log)
	}
}

// TestEncryption: a password crosses a network encrypted or not at all.
func TestEncryption(t *testing.T) {
	t.Parallel()
	server, trusts := certificate(t)
	tests := map[string]struct {
		address   string // of 127.0.0.1 and example.com, either the server's
		options   mailtest.Options
		encrypted bool
		fails     string
	}{
		"smtps":                    {"smtps://u:hunter2@127.0.0.1:PORT", mailtest.Options{TLS: server, Implicit: true}, true, ""},
		"smtp, STARTTLS":           {"smtp://u:hunter2@example.com:PORT", mailtest.Options{TLS: server}, true, ""},
		"smtp, plain":              {"smtp://u:hunter2@example.com:PORT", mailtest.Options{}, false, "STARTTLS"},
		"no password, STARTTLS":    {"smtp://example.com:PORT", mailtest.Options{TLS: server}, true, ""},
		"no password, plain":       {"smtp://example.com:PORT", mailtest.Options{}, false, ""},
		"this machine, STARTTLS":   {"smtp://127.0.0.1:PORT", mailtest.Options{TLS: server}, false, ""},
		"smtps that speaks no TLS": {"smtps://u:hunter2@127.0.0.1:PORT", mailtest.Options{}, false, "tls"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Contains(test.address, "hunter2") {
				test.options.User, test.options.Password = "u", "hunter2"
			}
			fake := mailtest.Start(t, test.options)
			_, port, err := net.SplitHostPort(fake.Address)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := open(t, strings.Replace(test.address, "PORT", port, 1))
			trusts := trusts.Clone()
			trusts.ServerName = s.host
			s.options = append(s.options, gomail.WithTLSConfig(trusts))
			if s.host == "example.com" {
				s.options = append(s.options, gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
					return new(net.Dialer).DialContext(ctx, network, fake.Address)
				}))
			}
			err = s.Send(t.Context(), message("lisa@nordljus.example"))
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) || len(fake.Mails()) != 0 {
					t.Errorf("%v, want one about %s", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if mails := fake.Mails(); len(mails) != 1 || mails[0].Encrypted != test.encrypted {
				t.Errorf("%+v", mails)
			}
		})
	}
}

// TestSomeAreRefused: an address that is gone keeps a mail from nobody else.
func TestSomeAreRefused(t *testing.T) {
	t.Parallel()
	fake := mailtest.Start(t, mailtest.Options{})
	s, log := open(t, "smtp://"+fake.Address)
	fake.Answer("RCPT TO:<gone@nordljus.example>", "550 no such person")
	if err := s.Send(t.Context(), message("gone@nordljus.example", "lisa@nordljus.example")); err != nil {
		t.Error(err)
	}
	if mails := fake.Mails(); len(mails) != 1 || mails[0].To != "lisa@nordljus.example" {
		t.Errorf("%+v", mails)
	}
	if !strings.Contains(log.String(), "550") || !strings.Contains(log.String(), "taken=1") {
		t.Errorf("logged: %s", log)
	}
	if err := s.Send(t.Context(), message("gone@nordljus.example")); err == nil || !strings.Contains(err.Error(), "550") {
		t.Errorf("nobody got it: %v", err)
	}
	if err := s.Send(t.Context(), message()); err == nil {
		t.Error("to nobody: no error")
	}
}

func TestServersThatDoNotTakeMail(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ command, answer, want string }{
		"busy":           {"", "421 busy", "421"},
		"wrong password": {"AUTH", "535 who are you?", "535"},
		"wrong sender":   {"MAIL FROM:", "553 not yours", "553"},
		"full":           {"DATA", "452 no room", "452"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fake := mailtest.Start(t, mailtest.Options{User: "u", Password: "hunter2"})
			fake.Answer(test.command, test.answer)
			s, _ := open(t, "smtp://u:hunter2@"+fake.Address)
			err := s.Send(t.Context(), message("lisa@nordljus.example"))
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v, want one with %s", err, test.want)
			}
			fake.Answer(test.command, "")
			if err := s.Send(t.Context(), message("lisa@nordljus.example")); err != nil || len(fake.Mails()) != 1 {
				t.Errorf("and then: %v, %d mails", err, len(fake.Mails()))
			}
		})
	}
}

func TestMailsAreLogged(t *testing.T) {
	t.Parallel()
	s, log := open(t, "")
	if err := s.Send(t.Context(), message("lisa@nordljus.example", "maja@nordljus.example")); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"recipients=2", `subject="Ej rapporterat: två meddelanden"`} {
		if !strings.Contains(log.String(), part) {
			t.Errorf("no %s in %s", part, log)
		}
	}
	if strings.Contains(log.String(), "lisa") || strings.Contains(log.String(), "Hej") {
		t.Errorf("logged: %s", log)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	fake := mailtest.Start(t, mailtest.Options{User: "u", Password: "hunter2"})
	for address, want := range map[string]string{"smtp://u:hunter2@": "", "smtp://u:hunter3@": "535", "smtp://": ""} {
		s, _ := open(t, address+fake.Address)
		err := s.Check(t.Context())
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", address, err, want)
		}
	}
	if mails := fake.Mails(); len(mails) != 0 {
		t.Errorf("%+v", mails)
	}
}

func TestAddressesThatAreNone(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"smtp://", "mail.example", "http://u:hunter2@mail.example", "smtp://u:hunter2 %@h", "smtp://u:hunter2@h:x"} {
		if _, err := Open(address, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", address, err)
		}
	}
}
