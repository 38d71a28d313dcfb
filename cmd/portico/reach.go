package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"

	"portico/internal/mail"
)

// reach opens a connection to an address as a call would, through the
// environment's proxy if there is one, and says nothing on it.
func reach(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("it is no address: %w", err)
	}
	proxy, err := http.ProxyFromEnvironment(req)
	if err != nil {
		return fmt.Errorf("find the proxy: %w", err)
	}
	u := req.URL
	if proxy != nil {
		u = proxy
	}
	conn, err := dial(ctx, u, u.Scheme == "https", map[string]string{"https": "443", "http": "80"}[u.Scheme])
	if err != nil {
		return err
	}
	return conn.Close()
}

// probeMail connects to the mail server and logs in; no mail is sent.
func probeMail(ctx context.Context, address string, log *slog.Logger) (string, error) {
	if address == "" {
		return "PORTICO_SMTP_URL is not set: mails are logged, not sent", nil
	}
	server, err := mail.Open(address, log)
	if err != nil {
		return "", err
	}
	if err := server.Check(ctx); err != nil {
		return "", err
	}
	return "the server takes mail from us", nil
}

func dial(ctx context.Context, u *url.URL, encrypted bool, defaultPort string) (net.Conn, error) {
	port := u.Port()
	if port == "" {
		port = defaultPort
	}
	host := net.JoinHostPort(u.Hostname(), port)
	if encrypted {
		return (&tls.Dialer{}).DialContext(ctx, "tcp", host)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", host)
}
