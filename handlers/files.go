package handlers

import (
	"archive/zip"
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"portico/internal/portal"
)

// downloadTimeout is how long one download may take.
const downloadTimeout = 30 * time.Minute

// fileShow sends a file of the order to its broker.
func (s *Server) fileShow(w http.ResponseWriter, r *http.Request) error {
	return s.sendFile(w, r, about(r).visitor.order.ID)
}

// sendFile sends a file of an order. It is always a download: whatever a file
// claims to be, no browser runs it on our address.
func (s *Server) sendFile(w http.ResponseWriter, r *http.Request, orderID int64) error {
	f, err := s.store.File(r.Context(), orderID, r.PathValue("file"))
	if err != nil {
		return err
	}
	reader, err := s.bucket.NewReader(r.Context(), f.Key, nil)
	if err != nil {
		return fmt.Errorf("open file %s: %w", f.ID, err)
	}
	defer func() { _ = reader.Close() }()
	s.allowTime(w, r, downloadTimeout)
	w.Header().Set("Content-Type", f.ContentType)
	attachment(w, f.Name)
	http.ServeContent(w, r, "", reader.ModTime(), reader)
	return nil
}

// fileIndex sends every file of the order's deliveries in one archive.
func (s *Server) fileIndex(w http.ResponseWriter, r *http.Request) error {
	order := about(r).visitor.order
	deliveries, err := s.store.Deliveries(r.Context(), order.ID)
	if err != nil {
		return err
	}
	files := map[string]portal.File{}
	var names []string
	for _, d := range deliveries {
		for _, f := range d.Files {
			if f.Erased() {
				continue
			}
			name := uniqueName(files, archiveName(len(deliveries), d.Version, f.Name))
			files[name] = f
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return portal.Errorf(portal.NotFound, "error.not_found")
	}
	s.allowTime(w, r, downloadTimeout)
	w.Header().Set("Content-Type", "application/zip")
	attachment(w, order.PartnerOrderID+".zip")
	archive := zip.NewWriter(w)
	for _, name := range names {
		if err := s.archiveFile(r.Context(), archive, name, files[name]); err != nil {
			// The status is sent: only a broken download can tell that it is not whole.
			s.requestLog(r).Error("send archive", "err", err)
			panic(http.ErrAbortHandler)
		}
	}
	return archive.Close()
}

func (s *Server) archiveFile(ctx context.Context, archive *zip.Writer, name string, f portal.File) error {
	// Pictures and films are compressed already.
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store, Modified: s.now()})
	if err != nil {
		return err
	}
	reader, err := s.bucket.NewReader(ctx, f.Key, nil)
	if err != nil {
		return fmt.Errorf("open file %s: %w", f.ID, err)
	}
	defer func() { _ = reader.Close() }()
	_, err = io.Copy(entry, reader)
	return err
}

// archiveName puts the files of several deliveries into a folder each.
func archiveName(deliveries, version int, name string) string {
	if deliveries == 1 {
		return name
	}
	return fmt.Sprintf("%d/%s", version, name)
}

func uniqueName(taken map[string]portal.File, name string) string {
	ext := path.Ext(name)
	unique := name
	for i := 2; ; i++ {
		if _, ok := taken[unique]; !ok {
			return unique
		}
		unique = fmt.Sprintf("%s (%d)%s", strings.TrimSuffix(name, ext), i, ext)
	}
}

func attachment(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name}))
}

// allowTime gives a long transfer its time; the server's own limit is for pages.
func (s *Server) allowTime(w http.ResponseWriter, r *http.Request, d time.Duration) {
	c, deadline := http.NewResponseController(w), time.Now().Add(d)
	if err := c.SetWriteDeadline(deadline); err != nil {
		s.requestLog(r).Warn("set write deadline", "err", err)
	}
	if err := c.SetReadDeadline(deadline); err != nil {
		s.requestLog(r).Warn("set read deadline", "err", err)
	}
}
