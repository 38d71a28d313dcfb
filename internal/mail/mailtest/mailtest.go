// Package mailtest is a mail server for tests: it speaks as much SMTP as a client
// needs to hand over a mail, keeps what it gets, and refuses what it is told to.
package mailtest

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
)

// Options are what a server asks of its clients. The zero value asks nothing.
type Options struct {
	User, Password string
	TLS            *tls.Config // offers STARTTLS
	Implicit       bool        // TLS from the first byte on
}

// Server is a mail server.
type Server struct {
	Address string // host and port
	o       Options

	mu      sync.Mutex
	mails   []Mail
	answers map[string]string
}

// Mail is what the server was handed.
type Mail struct {
	From, To      string // of the envelope
	Encrypted     bool
	Header        mail.Header
	Subject, Text string
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: listener.Addr().String(), o: o, answers: map[string]string{}}
	if o.Implicit {
		listener = tls.NewListener(listener, o.TLS)
	}
	var clients sync.WaitGroup
	clients.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			clients.Go(func() { s.serve(t.Context(), conn) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		clients.Wait()
	})
	return s
}

// Answer makes the server answer commands that start like this with something
// else than usual, until told "". The greeting is the answer to "".
func (s *Server) Answer(command, answer string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[command] = answer
}

// Mails returns what the server was handed so far.
func (s *Server) Mails() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Mail(nil), s.mails...)
}

func (s *Server) told(line string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	for command, answer := range s.answers {
		if answer != "" && (line == command || command != "" && strings.HasPrefix(line, command)) {
			return answer
		}
	}
	return ""
}

// serve talks to one client, as far as it keeps to what clients do.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })() // whoever does not say goodbye
	c := &client{s: s, conn: conn, text: textproto.NewConn(conn), encrypted: s.o.Implicit}
	greeting := cmp.Or(s.told(""), "220 mailtest")
	c.say(greeting)
	if !strings.HasPrefix(greeting, "220") {
		return
	}
	for {
		line, err := c.text.ReadLine()
		if err != nil || !c.answer(line) {
			return
		}
	}
}

type client struct {
	s         *Server
	conn      net.Conn
	text      *textproto.Conn
	encrypted bool
	known     bool // has logged in
	mail      Mail
}

func (c *client) say(line string) { _ = c.text.PrintfLine("%s", line) } // the client may have left

// answer reports whether the client is still there.
func (c *client) answer(line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	told := c.s.told(line)
	switch verb = strings.ToUpper(verb); {
	case told != "":
		c.say(told)
	case verb == "EHLO":
		c.say("250-mailtest")
		if c.s.o.TLS != nil && !c.encrypted {
			c.say("250-STARTTLS")
		}
		c.say("250 AUTH CRAM-MD5 PLAIN")
	case verb == "STARTTLS":
		c.say("220 go on")
		c.conn, c.encrypted = tls.Server(c.conn, c.s.o.TLS), true
		c.text = textproto.NewConn(c.conn)
	case verb == "AUTH":
		c.logIn(rest)
	case c.s.o.User != "" && !c.known && verb == "MAIL":
		c.say("530 log in first")
	case verb == "DATA":
		c.take()
	case verb == "QUIT":
		c.say("221 bye")
		return false
	default:
		if to, ok := strings.CutPrefix(line, "RCPT TO:"); ok {
			c.mail.To = strings.Trim(to, "<>")
		}
		if from, ok := strings.CutPrefix(line, "MAIL FROM:"); ok {
			c.mail = Mail{From: strings.Trim(strings.Fields(from)[0], "<>"), Encrypted: c.encrypted}
		}
		c.say("250 well")
	}
	return true
}

func (c *client) logIn(how string) {
	sent := strings.TrimPrefix(how, "PLAIN ")
	want := "\x00" + c.s.o.User + "\x00" + c.s.o.Password
	if how == "CRAM-MD5" {
		const challenge = "<1@mailtest>"
		c.say("334 " + base64.StdEncoding.EncodeToString([]byte(challenge)))
		sent, _ = c.text.ReadLine()
		sum := hmac.New(md5.New, []byte(c.s.o.Password))
		sum.Write([]byte(challenge))
		want = fmt.Sprintf("%s %x", c.s.o.User, sum.Sum(nil))
	}
	if c.known = sent == base64.StdEncoding.EncodeToString([]byte(want)); c.known {
		c.say("235 welcome")
		return
	}
	c.say("535 wrong user or password")
}

func (c *client) take() {
	c.say("354 go on")
	if err := c.read(); err != nil {
		c.say("554 " + err.Error())
		return
	}
	c.s.mu.Lock()
	c.s.mails = append(c.s.mails, c.mail)
	c.s.mu.Unlock()
	c.say("250 taken")
}

func (c *client) read() error {
	message, err := mail.ReadMessage(c.text.DotReader())
	if err != nil {
		return err
	}
	c.mail.Header = message.Header
	if c.mail.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(message.Body))
	c.mail.Text = strings.ReplaceAll(string(text), "\r\n", "\n")
	return err
}
