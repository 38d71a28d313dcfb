package db

import (
	"context"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// DeliverOrder hands a delivery over as the next version. Its files must be in
// the blob store already.
func (s *Store) DeliverOrder(ctx context.Context, id int64, d portal.Delivery, by portal.Actor) error {
	return s.changeOrder(ctx, id, "deliver", func(tx *sqlx.Tx, o *portal.Order, now time.Time) (portal.Change, error) {
		err := tx.GetContext(ctx, &d.Version, `SELECT COALESCE(max(version), 0) + 1 FROM deliveries WHERE order_id = $1`, o.ID)
		if err != nil {
			return portal.Change{}, err
		}
		change, err := o.Deliver(d, by, now)
		if err != nil {
			return portal.Change{}, err
		}
		return change, insertDelivery(ctx, tx, o.ID, d, by, now)
	})
}

func insertDelivery(ctx context.Context, tx *sqlx.Tx, orderID int64, d portal.Delivery, by portal.Actor, now time.Time) error {
	var id int64
	err := tx.GetContext(ctx, &id, `
		INSERT INTO deliveries (order_id, version, message, links, staff_id, created_at)
		VALUES ($1, $2, $3, $4, $5, $6) RETURNING id`,
		orderID, d.Version, d.Message, pq.StringArray(append([]string{}, d.Links...)), by.ID, now)
	if err != nil {
		return err
	}
	for i, f := range d.Files {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO files (id, order_id, delivery_id, position, name, content_type, size, sha256, blob_key)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			f.ID, orderID, id, i, f.Name, f.ContentType, f.Size, f.SHA256, f.Key)
		if err != nil {
			return err
		}
	}
	return nil
}

// Deliveries returns an order's deliveries with their files, newest first.
func (s *Store) Deliveries(ctx context.Context, orderID int64) ([]portal.Delivery, error) {
	return orderDeliveries(ctx, s.db, orderID)
}

func orderDeliveries(ctx context.Context, conn sqlx.QueryerContext, orderID int64) ([]portal.Delivery, error) {
	var rows []struct {
		ID        int64          `db:"id"`
		Version   int            `db:"version"`
		Message   string         `db:"message"`
		Links     pq.StringArray `db:"links"`
		StaffID   int64          `db:"staff_id"`
		StaffName string         `db:"staff_name"`
		CreatedAt time.Time      `db:"created_at"`
	}
	err := sqlx.SelectContext(ctx, conn, &rows, `
		SELECT d.id, d.version, d.message, d.links, d.staff_id, s.name AS staff_name, d.created_at
		FROM deliveries d JOIN staff s ON s.id = d.staff_id
		WHERE d.order_id = $1 ORDER BY d.version DESC`, orderID)
	if err != nil {
		return nil, fmt.Errorf("deliveries of order %d: %w", orderID, mapError(err))
	}
	if len(rows) == 0 {
		return nil, nil
	}
	files, err := orderFiles(ctx, conn, orderID)
	if err != nil {
		return nil, err
	}
	deliveries := make([]portal.Delivery, 0, len(rows))
	for _, r := range rows {
		deliveries = append(deliveries, portal.Delivery{ID: r.ID, Version: r.Version, Message: r.Message, Links: r.Links,
			Files: files[r.ID], CreatedAt: r.CreatedAt, By: portal.Actor{Kind: portal.ActorStaff, ID: r.StaffID, Name: r.StaffName}})
	}
	return deliveries, nil
}

type fileRow struct {
	DeliveryID  int64  `db:"delivery_id"` // 0: of the form
	Field       string `db:"field"`
	ID          string `db:"id"`
	Name        string `db:"name"`
	ContentType string `db:"content_type"`
	Size        int64  `db:"size"`
	SHA256      []byte `db:"sha256"`
	Key         string `db:"blob_key"`
}

func (r fileRow) file() portal.File {
	return portal.File{ID: r.ID, Name: r.Name, ContentType: r.ContentType, Size: r.Size, SHA256: r.SHA256, Key: r.Key}
}

const selectFile = `
	SELECT COALESCE(f.delivery_id, 0) AS delivery_id, f.field, f.id, f.name, f.content_type, f.size, f.sha256, f.blob_key FROM files f`

func orderFiles(ctx context.Context, conn sqlx.QueryerContext, orderID int64) (map[int64][]portal.File, error) {
	var rows []fileRow
	err := sqlx.SelectContext(ctx, conn, &rows, selectFile+` WHERE f.order_id = $1 AND f.field = '' ORDER BY f.delivery_id, f.position`, orderID)
	if err != nil {
		return nil, fmt.Errorf("files of order %d: %w", orderID, mapError(err))
	}
	files := map[int64][]portal.File{}
	for _, r := range rows {
		files[r.DeliveryID] = append(files[r.DeliveryID], r.file())
	}
	return files, nil
}

// File returns a file of an order, of a delivery or of its form. It returns NotFound for another order's, and for
// one that is erased.
func (s *Store) File(ctx context.Context, orderID int64, id string) (portal.File, error) {
	var row fileRow
	if err := s.db.GetContext(ctx, &row, selectFile+` WHERE f.order_id = $1 AND f.id = $2 AND f.blob_key <> ''`, orderID, id); err != nil {
		return portal.File{}, fmt.Errorf("file of order %d: %w", orderID, mapError(err))
	}
	return row.file(), nil
}
