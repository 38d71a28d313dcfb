package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

type serviceRow struct {
	ID              string         `db:"id"`
	ConnectionID    string         `db:"connection_id"`
	System          string         `db:"system"`
	Flow            portal.Flow    `db:"flow"`
	Auth            portal.Auth    `db:"auth"`
	Username        string         `db:"username"`
	PasswordHashes  pq.StringArray `db:"password_hashes"`
	SecretHash      string         `db:"secret_hash"`
	AllowIPs        pq.StringArray `db:"allow_ips"`
	Customers       pq.StringArray `db:"customers"`
	Name            []byte         `db:"name"`
	Description     []byte         `db:"description"`
	Tags            pq.StringArray `db:"tags"`
	TurnaroundHours int            `db:"turnaround_hours"`
	PartnerService  string         `db:"partner_service"`
	NetworkService  string         `db:"network_service"`
	OnImport        bool           `db:"activate_on_import"`
	TakesRemarks    bool           `db:"takes_remarks"`
	Networks        pq.StringArray `db:"networks"`
	Insurance       bool           `db:"insurance"`
	Sellers         bool           `db:"sellers"`
	Language        string         `db:"language"`
	TimeZone        string         `db:"time_zone"`
	Reports         pq.StringArray `db:"reports"`
	FormID          int64          `db:"form_id"`
	FormVersion     int            `db:"form_version"`
	Fields          []byte         `db:"fields"`
}

const selectService = `
	SELECT s.id, s.connection_id, c.system, s.flow, s.auth, s.username, s.password_hashes, s.secret_hash, s.allow_ips,
		s.customers, s.name, s.description, s.tags, s.turnaround_hours, s.partner_service, s.network_service, s.activate_on_import,
		s.insurance, s.sellers, c.reports, c.takes_remarks, c.networks,
		` + ofProvider + `,
		f.id AS form_id, f.version AS form_version, f.fields
	FROM services s
	JOIN connections c ON c.id = s.connection_id
	JOIN LATERAL (
		SELECT id, version, fields FROM forms WHERE service_id = s.id ORDER BY version DESC LIMIT 1
	) f ON true`

// ofProvider selects what a service has of the provider. A connection may speak
// another language.
const ofProvider = `COALESCE(c.settings ->> 'language', (SELECT locale FROM providers)) AS language,
		(SELECT time_zone FROM providers) AS time_zone`

func (r serviceRow) service() (portal.Service, error) {
	svc := portal.Service{ID: r.ID, ConnectionID: r.ConnectionID, System: r.System, Flow: r.Flow, Auth: r.Auth,
		Username: r.Username, PasswordHashes: r.PasswordHashes, SecretHash: r.SecretHash, Customers: r.Customers,
		Tags: r.Tags, TurnaroundHours: r.TurnaroundHours, PartnerService: r.PartnerService, Reports: stringsTo[portal.State](r.Reports),
		NetworkService: r.NetworkService, ActivateOnImport: r.OnImport, TakesRemarks: r.TakesRemarks, Networks: stringsTo[string](r.Networks),
		Insurance: r.Insurance, Sellers: r.Sellers, Language: r.Language, TimeZone: r.TimeZone,
		Form: portal.Form{ID: r.FormID, Version: r.FormVersion}}
	for _, ip := range r.AllowIPs {
		prefix, err := netip.ParsePrefix(ip)
		if err != nil {
			return portal.Service{}, fmt.Errorf("allow_ips of service %s: %w", r.ID, err)
		}
		svc.AllowIPs = append(svc.AllowIPs, prefix)
	}
	err := errors.Join(json.Unmarshal(r.Name, &svc.Name), json.Unmarshal(r.Description, &svc.Description),
		json.Unmarshal(r.Fields, &svc.Form.Fields))
	if err != nil {
		return portal.Service{}, fmt.Errorf("read service %s: %w", r.ID, err)
	}
	return svc, nil
}

// Service returns a service with its current form and what its connection says.
func (s *Store) Service(ctx context.Context, id string) (portal.Service, error) {
	var row serviceRow
	if err := s.db.GetContext(ctx, &row, selectService+` WHERE s.id = $1`, id); err != nil {
		return portal.Service{}, fmt.Errorf("service %s: %w", id, mapError(err))
	}
	return row.service()
}

// RecentService is Service as it was at most cacheTime ago.
func (s *Store) RecentService(ctx context.Context, id string) (portal.Service, error) {
	return s.services.get(id, func() (portal.Service, error) { return s.Service(ctx, id) })
}

// Services returns every service, by id.
func (s *Store) Services(ctx context.Context) ([]portal.Service, error) {
	var rows []serviceRow
	if err := s.db.SelectContext(ctx, &rows, selectService+` ORDER BY s.id`); err != nil {
		return nil, fmt.Errorf("services: %w", mapError(err))
	}
	var services []portal.Service
	for _, row := range rows {
		svc, err := row.service()
		if err != nil {
			return nil, err
		}
		services = append(services, svc)
	}
	return services, nil
}

func saveService(ctx context.Context, tx *sqlx.Tx, svc portal.Service, now time.Time, changes *Changes) error {
	if err := refuseOtherConnection(ctx, tx, svc); err != nil {
		return err
	}
	name, err := textJSON(svc.Name)
	if err != nil {
		return err
	}
	description, err := textJSON(svc.Description)
	if err != nil {
		return err
	}
	var ips []string
	for _, prefix := range svc.AllowIPs {
		ips = append(ips, prefix.String())
	}
	w, err := upsert(ctx, tx, `
		INSERT INTO services AS t (id, connection_id, flow, auth, username, password_hashes, secret_hash, allow_ips,
			customers, name, description, tags, turnaround_hours, partner_service, insurance, sellers, updated_at, network_service, activate_on_import)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
		ON CONFLICT (id) DO UPDATE SET connection_id = excluded.connection_id, flow = excluded.flow,
			auth = excluded.auth, username = excluded.username, password_hashes = excluded.password_hashes,
			secret_hash = excluded.secret_hash, allow_ips = excluded.allow_ips, customers = excluded.customers,
			name = excluded.name, description = excluded.description, tags = excluded.tags,
			turnaround_hours = excluded.turnaround_hours, partner_service = excluded.partner_service,
			insurance = excluded.insurance, sellers = excluded.sellers, network_service = excluded.network_service,
			activate_on_import = excluded.activate_on_import, updated_at = excluded.updated_at
		WHERE (t.connection_id, t.flow, t.auth, t.username, t.password_hashes, t.secret_hash, t.allow_ips,
				t.customers, t.name, t.description, t.tags, t.turnaround_hours, t.partner_service, t.insurance, t.sellers,
				t.network_service, t.activate_on_import) IS DISTINCT FROM
			(excluded.connection_id, excluded.flow, excluded.auth, excluded.username, excluded.password_hashes,
				excluded.secret_hash, excluded.allow_ips, excluded.customers, excluded.name, excluded.description,
				excluded.tags, excluded.turnaround_hours, excluded.partner_service, excluded.insurance, excluded.sellers,
				excluded.network_service, excluded.activate_on_import)
		RETURNING xmax = 0`,
		svc.ID, svc.ConnectionID, svc.Flow, svc.Auth, svc.Username, stringsOf(svc.PasswordHashes), svc.SecretHash,
		stringsOf(ips), stringsOf(svc.Customers), name, description, stringsOf(svc.Tags), svc.TurnaroundHours, svc.PartnerService,
		svc.Insurance, svc.Sellers, now, svc.NetworkService, svc.ActivateOnImport)
	if err != nil {
		return err
	}
	if w != unchanged {
		changes.add("service %s: %s", svc.ID, w)
	}
	return saveForm(ctx, tx, svc, now, changes)
}

// saveForm stores a form that differs from the newest one as a new version:
// orders keep the version that they were made for.
func saveForm(ctx context.Context, tx *sqlx.Tx, svc portal.Service, now time.Time, changes *Changes) error {
	fields := svc.Form.Fields
	if fields == nil {
		fields = []portal.Field{}
	}
	asJSON, err := json.Marshal(fields)
	if err != nil {
		return err
	}
	var versions []int
	err = tx.SelectContext(ctx, &versions, `
		INSERT INTO forms (service_id, version, fields, created_at)
		SELECT $1, COALESCE(max(version), 0) + 1, $2::jsonb, $3 FROM forms WHERE service_id = $1
		HAVING $2::jsonb IS DISTINCT FROM (
			SELECT fields FROM forms WHERE service_id = $1 ORDER BY version DESC LIMIT 1
		)
		RETURNING version`, svc.ID, asJSON, now)
	for _, version := range versions {
		changes.add("form of service %s: version %d", svc.ID, version)
	}
	return err
}

func refuseOtherConnection(ctx context.Context, tx *sqlx.Tx, svc portal.Service) error {
	var connection string
	err := tx.GetContext(ctx, &connection, `
		SELECT COALESCE(max(s.connection_id), '') FROM services s
		WHERE s.id = $1 AND s.connection_id <> $2 AND EXISTS (SELECT 1 FROM orders WHERE service_id = s.id)`,
		svc.ID, svc.ConnectionID)
	if err != nil || connection == "" {
		return err
	}
	return fmt.Errorf("orders came in by its connection %s, and their links must keep opening them: take another id for one of connection %s",
		connection, svc.ConnectionID)
}

func textJSON(t portal.Text) ([]byte, error) {
	if t == nil {
		t = portal.Text{}
	}
	return json.Marshal(t)
}
