// Package mail sends mails through a mail server, or logs that it would. What a
// mail says and to whom is its callers'.
package mail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// timeout is how long connecting and logging in may take, and then sending.
const timeout = 10 * time.Second

// Message is a text to several people, each of whom gets a mail of their own:
// an address that does not exist keeps it from nobody else.
type Message struct {
	FromName, From string
	To             []string
	Subject, Text  string
	Date           time.Time
}

// Server is the mail server of one address. It is safe for concurrent use.
type Server struct {
	host    string
	options []gomail.Option // nil: mails are logged
	log     *slog.Logger
}

// Open returns the server at an address like smtps://user:password@host:465. Of
// smtp:// the connection is encrypted before a password is sent, and without one
// if the server can; only that to this machine itself is left as it is. Without
// an address mails are logged. No error holds the password.
func Open(address string, log *slog.Logger) (*Server, error) {
	s := &Server{log: log}
	if address == "" {
		return s, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("mail server: no address like smtps://user:password@host:465")
	}
	port := map[string]int{"smtp": gomail.DefaultPortTLS, "smtps": gomail.DefaultPortSSL}[u.Scheme]
	if port == 0 {
		return nil, fmt.Errorf("mail server: unknown scheme %q", u.Scheme)
	}
	if own := u.Port(); own != "" {
		if port, err = strconv.Atoi(own); err != nil {
			return nil, fmt.Errorf("mail server: port %q", own)
		}
	}
	s.host = u.Hostname()
	s.options = []gomail.Option{gomail.WithPort(port), gomail.WithTimeout(timeout)}
	password, login := u.User.Password()
	if login {
		s.options = append(s.options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(u.User.Username()), gomail.WithPassword(password))
	}
	switch {
	case u.Scheme == "smtps":
		s.options = append(s.options, gomail.WithSSL())
	case loopback(s.host): // its certificate is nobody's
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.NoTLS))
	case login:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	default:
		s.options = append(s.options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	return s, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Check connects and logs in, and sends nothing.
func (s *Server) Check(ctx context.Context) error {
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("mail server %s: %w", s.host, err)
	}
	if err := client.DialWithContext(ctx); err != nil {
		return fmt.Errorf("mail server %s: %w", s.host, err)
	}
	if err := client.Close(); err != nil {
		return fmt.Errorf("mail server %s: %w", s.host, err)
	}
	return nil
}

// Send sends a message. It fails if the server has taken nobody's; whose it has
// not taken while it took others' is logged.
func (s *Server) Send(ctx context.Context, m Message) error {
	if len(m.To) == 0 {
		return errors.New("send mail: there is nobody to send it to")
	}
	if s.options == nil {
		s.log.InfoContext(ctx, "mail, not sent: PORTICO_SMTP_URL is not set", "recipients", len(m.To), "subject", m.Subject)
		return nil
	}
	letters, err := m.letters()
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	client, err := gomail.NewClient(s.host, s.options...)
	if err != nil {
		return fmt.Errorf("send mail: %w", err)
	}
	err = client.DialAndSendWithContext(ctx, letters...)
	taken := 0
	for _, letter := range letters {
		if letter.IsDelivered() {
			taken++
		}
	}
	if taken == 0 {
		return fmt.Errorf("send mail: %w", err)
	}
	if err != nil {
		s.log.ErrorContext(ctx, "mail: the server has not taken all of them", "recipients", len(m.To), "taken", taken, "err", err)
	}
	return nil
}

// letters returns the mail of each recipient.
func (m Message) letters() ([]*gomail.Msg, error) {
	var letters []*gomail.Msg
	for _, to := range m.To {
		letter := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
		if err := letter.FromFormat(m.FromName, m.From); err != nil {
			return nil, err
		}
		if err := letter.To(to); err != nil {
			return nil, err
		}
		letter.Subject(m.Subject)
		letter.SetDateWithValue(m.Date)
		letter.SetGenHeader("Auto-Submitted", "auto-generated") // nobody's holiday answers it
		letter.SetBodyString(gomail.TypeTextPlain, m.Text)
		letters = append(letters, letter)
	}
	return letters, nil
}
