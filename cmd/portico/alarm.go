package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"portico/db"
	"portico/internal/mail"
	"portico/internal/portal"
	"portico/views"
)

// alarmEvery is how often somebody looks whether administrators have to be told.
const alarmEvery = 30 * time.Second

// alarm tells administrators by mail what partners should know and do not, and
// which orders are not fetched. Any number of them may share one database.
type alarm struct {
	store *db.Store
	mail  *mail.Server
	base  string // the portal's own address
	log   *slog.Logger
}

func runAlarm(ctx context.Context, c config, store *db.Store, log *slog.Logger) error {
	server, err := mail.Open(string(c.SMTPURL), log)
	if err != nil {
		return fmt.Errorf("PORTICO_SMTP_URL: %w", err)
	}
	tick := time.NewTicker(alarmEvery)
	defer tick.Stop()
	(&alarm{store: store, mail: server, base: c.BaseURL, log: log}).watch(ctx, tick.C)
	return nil
}

// watch looks at once and whenever tick says so, until ctx ends.
func (a *alarm) watch(ctx context.Context, tick <-chan time.Time) {
	for {
		if err := a.look(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("mail to administrators", "err", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
	}
}

// look tells administrators what they have to be told, if no other worker does.
func (a *alarm) look(ctx context.Context) error {
	claimed, ok, err := a.store.ClaimAlarm(ctx)
	if err != nil || !ok {
		return err
	}
	failed := a.tell(ctx, claimed.Troubles)
	// What has become of the mail is recorded even if the program is to stop.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	wait, err := a.store.EndAlarm(ctx, claimed, failed == nil)
	if failed != nil {
		failed = fmt.Errorf("they are not told, and tried again in %v: %w", wait, failed)
	}
	return errors.Join(failed, err)
}

func (a *alarm) tell(ctx context.Context, troubles []portal.Trouble) error {
	provider, err := a.store.Provider(ctx)
	if err != nil {
		return err
	}
	admins, err := a.store.Admins(ctx)
	if err != nil {
		return err
	}
	now := a.store.Now()
	text := views.AlarmMail{Printer: views.NewPrinter(provider.Locale, provider.Location(), now), Provider: provider.Name,
		Outbox: a.base + "/staff/outbox", Polls: a.base + "/staff/polls", Troubles: troubles}
	m := mail.Message{FromName: provider.Name, From: provider.SupportEmail, Subject: text.Subject(), Text: text.Text(), Date: now}
	for _, admin := range admins {
		m.To = append(m.To, admin.Email)
	}
	return a.mail.Send(ctx, m)
}
