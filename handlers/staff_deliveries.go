package handlers

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/gabriel-vasile/mimetype"
	"gocloud.dev/blob"

	"portico/internal/portal"
)

// deliveryTypes are the types of file that a delivery may have, told by content
// and not by name. Nothing that a browser would run is among them.
var deliveryTypes = []string{
	"image/jpeg", "image/png", "image/webp", "image/gif", "image/tiff", "image/heic", "image/heif", "image/avif", "image/bmp",
	"video/mp4", "video/quicktime", "video/webm", "audio/mpeg", "audio/mp4",
	"application/pdf", "application/zip", "text/plain", "text/csv",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
}

const (
	uploadTimeout = 30 * time.Minute
	sniffLength   = 3072 // bytes that mimetype looks at
	maxFormText   = 256 << 10
)

// staffDeliveryCreate hands over files, links and a message. Files go straight
// to the blob store; a delivery that is refused takes them away again.
func (s *Server) staffDeliveryCreate(w http.ResponseWriter, r *http.Request) error {
	order, err := s.store.OrderForStaff(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	s.allowTime(w, r, uploadTimeout)
	r.Body = http.MaxBytesReader(w, r.Body, portal.MaxDeliverySize+maxBody)
	form, err := s.readDelivery(r, order)
	if err == nil {
		err = s.deliver(r, order, form)
	}
	if err != nil {
		s.discard(r, form.files)
	}
	return s.afterStaffAction(w, r, order, form.typed, err)
}

// deliveryForm is what was sent, as it was sent.
type deliveryForm struct {
	typed url.Values
	files []portal.File
}

func (s *Server) deliver(r *http.Request, o portal.Order, form deliveryForm) error {
	links, fault := portal.ParseLinks(form.typed.Get("links"))
	if fault != nil {
		return portal.InvalidFields(portal.FieldErrors{"links": *fault})
	}
	d := portal.Delivery{Message: text(form.typed, "message"), Links: links, Files: form.files}
	if o.Service.Flow == portal.FlowPoll && o.State.CanBecome(portal.Delivered) && d.Message == "" && len(d.Files) == 0 && len(d.Links) == 0 {
		// Its form has room for nothing else.
		return portal.InvalidFields(portal.FieldErrors{"message": portal.Say("field.required")})
	}
	return s.store.DeliverOrder(r.Context(), o.ID, d, about(r).visitor.staff.Actor())
}

// readDelivery reads the form as a stream. It reads on after a file that is
// refused, so that what was typed is not lost; that file is not kept.
func (s *Server) readDelivery(r *http.Request, o portal.Order) (deliveryForm, error) {
	form := deliveryForm{typed: url.Values{}}
	parts, err := r.MultipartReader()
	if err != nil {
		return form, badForm(err)
	}
	var fault *portal.Sentence
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return form, badForm(err)
		}
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, maxFormText))
			if err != nil {
				return form, badForm(err)
			}
			if part.FormName() != "files" {
				form.typed.Add(part.FormName(), string(value))
			}
			continue
		}
		file, refused, err := s.storeFile(r.Context(), o, part)
		switch {
		case err != nil:
			return form, err
		case refused != nil:
			fault = refused
		case len(form.files) == portal.MaxFiles:
			s.discard(r, []portal.File{file})
			tooMany := portal.Say("delivery.many_files", "Max", portal.MaxFiles)
			fault = &tooMany
		default:
			form.files = append(form.files, file)
		}
	}
	if fault != nil {
		return form, portal.InvalidFields(portal.FieldErrors{"files": *fault})
	}
	return form, nil
}

// storeFile writes one file to the blob store under a name of our own. It
// returns a sentence if the file is too large or of a type that is not taken.
func (s *Server) storeFile(ctx context.Context, o portal.Order, part *multipart.Part) (portal.File, *portal.Sentence, error) {
	name := cleanName(part.FileName())
	head := make([]byte, sniffLength)
	n, err := io.ReadFull(part, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return portal.File{}, nil, badForm(err)
	}
	contentType, _, _ := strings.Cut(mimetype.Detect(head[:n]).String(), ";")
	if n == 0 || !slices.Contains(deliveryTypes, contentType) {
		refused := portal.Say("delivery.file_type", "Name", name)
		return portal.File{}, &refused, nil
	}
	f := portal.File{ID: rand.Text(), Name: name, ContentType: contentType}
	f.Key = fmt.Sprintf("orders/%s/%s", o.PublicID, f.ID)
	body := io.LimitReader(io.MultiReader(bytes.NewReader(head[:n]), part), portal.MaxFileSize+1)

	// Cancelling the writer's context before Close is how a blob is not written.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writer, err := s.bucket.NewWriter(ctx, f.Key, &blob.WriterOptions{ContentType: contentType})
	if err != nil {
		return portal.File{}, nil, fmt.Errorf("store file: %w", err)
	}
	hash := sha256.New()
	f.Size, err = io.Copy(io.MultiWriter(writer, hash), body)
	if err != nil || f.Size > portal.MaxFileSize {
		cancel()
		_ = writer.Close()
		if err != nil {
			return portal.File{}, nil, badForm(err)
		}
		refused := portal.Say("delivery.file_size", "Name", name, "Max", portal.MaxFileSize>>20)
		return portal.File{}, &refused, nil
	}
	if err := writer.Close(); err != nil {
		return portal.File{}, nil, fmt.Errorf("store file: %w", err)
	}
	f.SHA256 = hash.Sum(nil)
	return f, nil, nil
}

// discard takes files away that belong to no delivery.
func (s *Server) discard(r *http.Request, files []portal.File) {
	for _, f := range files {
		if err := s.bucket.Delete(context.WithoutCancel(r.Context()), f.Key); err != nil {
			s.requestLog(r).Error("discard file", "key", f.Key, "err", err)
		}
	}
}

// Characters of a file's name, and of the extension that a longer name keeps.
const (
	maxName = 150
	maxExt  = 10
)

// cleanName returns a file's name without its folders and without what no name needs.
func cleanName(name string) string {
	name = path.Base(strings.ReplaceAll(name, "\\", "/"))
	name = strings.Map(func(r rune) rune {
		// Cf is invisible, and can turn round how the rest of a name reads.
		if unicode.In(r, unicode.Cc, unicode.Cf) || r == unicode.ReplacementChar || strings.ContainsRune(`<>:"|?*`, r) {
			return -1
		}
		return r
	}, name)
	name = strings.Trim(name, ". ")
	if runes := []rune(name); len(runes) > maxName {
		ext := []rune(path.Ext(name))
		if len(ext) > maxExt {
			ext = nil
		}
		name = string(runes[:maxName-len(ext)]) + string(ext)
	}
	if name == "" || name == "/" {
		return "file"
	}
	return name
}
