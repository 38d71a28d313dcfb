package db

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"portico/internal/portal"
)

// FoundPerson is what somebody appears in.
type FoundPerson struct {
	Subjects []portal.PersonSubject // by kind, the newest first
	More     bool                   // there is more of it than was looked at
	Unread   bool                   // not all personal numbers were compared

	mentions map[string][]mention // by the key of the subject
}

// PersonNumber is the place of a personal number, which is kept sealed.
const PersonNumber = "number"

// maxNumbers is how many sealed numbers of each kind are compared, the newest.
const maxNumbers = 20_000

// FindPerson looks for somebody in everything that is kept.
func (s *Store) FindPerson(ctx context.Context, q portal.PersonQuery) (FoundPerson, error) {
	found, err := s.findPerson(ctx, s.db, q)
	if err != nil {
		return FoundPerson{}, fmt.Errorf("find a person: %w", mapError(err))
	}
	return found, nil
}

func (s *Store) findPerson(ctx context.Context, tx sqlx.QueryerContext, q portal.PersonQuery) (FoundPerson, error) {
	f := finding{FoundPerson: FoundPerson{mentions: map[string][]mention{}}, subjects: map[string]*portal.PersonSubject{}}
	if err := s.findNumbers(ctx, tx, q, &f); err != nil {
		return FoundPerson{}, err
	}
	for _, p := range places {
		rows, more, err := p.mentions(ctx, tx, q)
		if err != nil {
			return FoundPerson{}, err
		}
		f.More = f.More || more
		for _, m := range rows {
			f.add(m, q)
		}
	}
	if err := f.describe(ctx, tx); err != nil {
		return FoundPerson{}, err
	}
	for _, subject := range f.subjects {
		f.Subjects = append(f.Subjects, *subject)
	}
	slices.SortFunc(f.Subjects, func(a, b portal.PersonSubject) int {
		kinds := []portal.SubjectKind{portal.SubjectLead, portal.SubjectOrder, portal.SubjectAside, portal.SubjectOther}
		return cmp.Or(slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID), cmp.Compare(a.Place, b.Place))
	})
	return f.FoundPerson, nil
}

// finding is what is being found.
type finding struct {
	FoundPerson
	subjects map[string]*portal.PersonSubject
}

func (f *finding) subject(kind portal.SubjectKind, id int64, place string) *portal.PersonSubject {
	s := &portal.PersonSubject{Kind: kind, ID: id, Place: place}
	if known := f.subjects[s.Key()]; known != nil {
		return known
	}
	f.subjects[s.Key()] = s
	return s
}

func (m mention) subject(f *finding) *portal.PersonSubject {
	switch {
	case m.Order != 0:
		return f.subject(portal.SubjectOrder, m.Order, "")
	case m.Lead != 0:
		return f.subject(portal.SubjectLead, m.Lead, "")
	case m.Aside != 0:
		return f.subject(portal.SubjectAside, m.Aside, "")
	}
	return f.subject(portal.SubjectOther, m.Key, m.place.name)
}

// add adds what a row says of somebody, if the words really stand there.
func (f *finding) add(m mention, q portal.PersonQuery) {
	texts := []string{m.Text}
	if m.place.shape == asJSON {
		texts = textsOf([]byte(m.Text))
	}
	var hits []portal.PersonHit
	for _, text := range texts {
		if at := q.Find(text); len(at) > 0 {
			hits = append(hits, portal.PersonHit{Place: m.place.name, Before: before(text[:at[0][0]]),
				Match: portal.Redact(text[at[0][0]:at[0][1]]), After: after(text[at[0][1]:])})
		}
	}
	if len(hits) == 0 {
		return
	}
	s := m.subject(f)
	s.Hits = append(s.Hits, hits...)
	f.mentions[s.Key()] = append(f.mentions[s.Key()], m)
}

// textsOf returns every text in a JSON value.
func textsOf(raw []byte) []string {
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return nil
	}
	var texts []string
	eachText(value, func(text string) string { texts = append(texts, text); return text })
	return texts
}

// eachText puts what f returns into the place of each text of a JSON value.
func eachText(value any, f func(string) string) any {
	switch v := value.(type) {
	case string:
		return f(v)
	case []any:
		for i := range v {
			v[i] = eachText(v[i], f)
		}
	case map[string]any:
		for name := range v {
			v[name] = eachText(v[name], f)
		}
	}
	return value
}

// contextLength is how many characters are shown on each side of what was found.
const contextLength = 60

func before(text string) string {
	text = portal.Redact(text)
	if runes := []rune(text); len(runes) > contextLength {
		return "…" + string(runes[len(runes)-contextLength:])
	}
	return text
}

func after(text string) string {
	text = portal.Redact(text)
	if utf8.RuneCountInString(text) > contextLength {
		return string([]rune(text)[:contextLength]) + "…"
	}
	return text
}

// findNumbers compares the sealed personal numbers.
func (s *Store) findNumbers(ctx context.Context, tx sqlx.QueryerContext, q portal.PersonQuery, f *finding) error {
	if !q.HasNumbers() {
		return nil
	}
	var rows []struct {
		Kind   portal.SubjectKind `db:"kind"`
		ID     int64              `db:"id"`
		Public string             `db:"public_id"`
		Sealed []byte             `db:"sealed"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows, fmt.Sprintf(`
		(SELECT 'order' AS kind, order_id AS id, '' AS public_id, sealed FROM personal_numbers ORDER BY order_id DESC LIMIT %[1]d)
		UNION ALL
		(SELECT 'lead', id, public_id, sealed_number FROM leads WHERE sealed_number IS NOT NULL ORDER BY id DESC LIMIT %[1]d)`, maxNumbers+1))
	if err != nil {
		return err
	}
	seen := map[portal.SubjectKind]int{}
	for _, r := range rows {
		owner := numberOwner(r.ID)
		if r.Kind == portal.SubjectLead {
			owner = leadOwner(r.Public)
		}
		number, err := s.openNumber(owner, r.Sealed)
		if seen[r.Kind]++; err != nil || seen[r.Kind] > maxNumbers { // of a key that is gone, say
			f.Unread = true
			continue
		}
		if q.IsNumber(number) {
			subject := f.subject(r.Kind, r.ID, "")
			subject.Hits = append(subject.Hits, portal.PersonHit{Place: PersonNumber})
		}
	}
	return nil
}

// onItsWay says that a partner, or a network, has not got or not answered everything.
const onItsWay = `(EXISTS (SELECT FROM jobs j WHERE j.order_id = o.id AND j.finished_at IS NULL)
	OR EXISTS (SELECT FROM activations a WHERE a.order_id = o.id AND a.state IN ('queued', 'accepted', 'in_progress')))`

// describe adds what is to be known of the subjects that were found.
func (f *finding) describe(ctx context.Context, tx sqlx.QueryerContext) error {
	ids := map[portal.SubjectKind]pq.Int64Array{}
	for _, s := range f.subjects {
		ids[s.Kind] = append(ids[s.Kind], s.ID)
	}
	var rows []struct {
		Kind         portal.SubjectKind `db:"kind"`
		ID           int64              `db:"id"`
		PublicID     string             `db:"public_id"`
		Number       string             `db:"number"`
		Service      []byte             `db:"service"`
		ConnectionID string             `db:"connection_id"`
		State        string             `db:"state"`
		CreatedAt    time.Time          `db:"created_at"`
		Erased       bool               `db:"erased"`
		OnItsWay     bool               `db:"on_its_way"`
	}
	err := sqlx.SelectContext(ctx, tx, &rows, `
		SELECT 'order' AS kind, o.id, o.public_id, o.partner_order_id AS number, s.name AS service, o.connection_id, o.state, o.created_at,
			o.erased_at IS NOT NULL AS erased, `+onItsWay+` AS on_its_way
		FROM orders o JOIN services s ON s.id = o.service_id WHERE o.id = ANY ($1)
		UNION ALL
		SELECT 'lead', l.id, l.public_id, l.partner_id, NULL, l.connection_id, l.state, l.created_at, l.state = 'erased',
			EXISTS (SELECT FROM jobs j WHERE j.lead_id = l.id AND j.state = 'running')
		FROM leads l WHERE l.id = ANY ($2)
		UNION ALL
		SELECT 'aside', id, '', key, NULL, connection_id, '', found_at, false, false
		FROM fetched_orders WHERE id = ANY ($3)`, ids[portal.SubjectOrder], ids[portal.SubjectLead], ids[portal.SubjectAside])
	if err != nil {
		return err
	}
	for _, r := range rows {
		s := f.subject(r.Kind, r.ID, "")
		s.PublicID, s.Number, s.ConnectionID, s.State = r.PublicID, r.Number, r.ConnectionID, r.State
		s.CreatedAt, s.Erased, s.OnItsWay = r.CreatedAt, r.Erased, r.OnItsWay
		s.InProgress = r.Kind == portal.SubjectOrder && (&portal.Order{State: portal.State(r.State)}).InProgress()
		if r.Kind == portal.SubjectAside && strings.HasPrefix(s.Number, noID) {
			s.Number = ""
		}
		if r.Service != nil {
			if err := json.Unmarshal(r.Service, &s.Service); err != nil {
				return fmt.Errorf("read the service of order %d: %w", r.ID, err)
			}
		}
	}
	return nil
}
