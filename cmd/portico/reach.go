package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
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

// probeMail opens a connection to the mail server and waits for its greeting.
func probeMail(ctx context.Context, address string) (string, error) {
	if address == "" {
		return "PORTICO_SMTP_URL is not set: mails are logged, not sent", nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("PORTICO_SMTP_URL is no address") // not wrapped: it would quote the password
	}
	conn, err := dial(ctx, u, u.Scheme == "smtps", map[string]string{"smtps": "465", "smtp": "587"}[u.Scheme])
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return "", err
		}
	}
	if _, _, err := textproto.NewConn(conn).ReadResponse(220); err != nil {
		return "", fmt.Errorf("greeting of %s: %w", u.Host, err)
	}
	return u.Host + " greets", nil
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
