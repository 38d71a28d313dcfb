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

// fileTypes are the types of file that are taken, told by content and not by
// name. Nothing that a browser would run is among them.
var fileTypes = []string{
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

// uploadLimits are what a form with files may bring.
type uploadLimits struct {
	takes   func(input string) bool // the inputs whose files are taken
	size    int64                   // bytes, one file
	files   int                     // in all
	tooMany string                  // key of the sentence about more files
}

// upload is a form with files, as it was sent.
type upload struct {
	typed  url.Values
	files  []portal.Attachment // by input, in the blob store
	faults portal.FieldErrors  // of files that are not kept
}

// readUpload reads a form as a stream; its files go straight to the blob store. It
// reads on after a file that is refused, so that what was typed is not lost. What
// it returns with an error is in the blob store as well.
func (s *Server) readUpload(r *http.Request, o portal.Order, limits uploadLimits) (upload, error) {
	form := upload{typed: url.Values{}, faults: portal.FieldErrors{}}
	parts, err := r.MultipartReader()
	if err != nil {
		return form, badForm(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, nil
		}
		if err != nil {
			return form, badForm(err)
		}
		input := part.FormName()
		if part.FileName() == "" {
			value, err := io.ReadAll(io.LimitReader(part, maxFormText))
			if err != nil {
				return form, badForm(err)
			}
			if !limits.takes(input) {
				form.typed.Add(input, string(value))
			}
			continue
		}
		if !limits.takes(input) {
			continue
		}
		file, refused, err := s.storeFile(r.Context(), o, part, limits.size)
		a := portal.Attachment{File: file, Field: input}
		switch {
		case err != nil:
			return form, err
		case refused != nil:
			form.faults[input] = *refused
		case len(form.files) == limits.files:
			s.discard(r, []portal.Attachment{a})
			form.faults[input] = portal.Say(limits.tooMany, "Max", limits.files)
		default:
			form.files = append(form.files, a)
		}
	}
}

// storeFile writes one file to the blob store under a name of our own. It
// returns a sentence if the file is too large or of a type that is not taken.
func (s *Server) storeFile(ctx context.Context, o portal.Order, part *multipart.Part, maxSize int64) (portal.File, *portal.Sentence, error) {
	name := cleanName(part.FileName())
	head := make([]byte, sniffLength)
	n, err := io.ReadFull(part, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return portal.File{}, nil, badForm(err)
	}
	contentType, _, _ := strings.Cut(mimetype.Detect(head[:n]).String(), ";")
	if n == 0 || !slices.Contains(fileTypes, contentType) {
		refused := portal.Say("delivery.file_type", "Name", name)
		return portal.File{}, &refused, nil
	}
	f := portal.File{ID: rand.Text(), Name: name, ContentType: contentType}
	f.Key = fmt.Sprintf("orders/%s/%s", o.PublicID, f.ID)
	body := io.LimitReader(io.MultiReader(bytes.NewReader(head[:n]), part), maxSize+1)

	// Cancelling the writer's context before Close is how a blob is not written.
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	writer, err := s.bucket.NewWriter(ctx, f.Key, &blob.WriterOptions{ContentType: contentType})
	if err != nil {
		return portal.File{}, nil, fmt.Errorf("store file: %w", err)
	}
	hash := sha256.New()
	f.Size, err = io.Copy(io.MultiWriter(writer, hash), body)
	if err != nil || f.Size > maxSize {
		cancel()
		_ = writer.Close()
		if err != nil {
			return portal.File{}, nil, badForm(err)
		}
		refused := portal.Say("delivery.file_size", "Name", name, "Max", maxSize>>20)
		return portal.File{}, &refused, nil
	}
	if err := writer.Close(); err != nil {
		return portal.File{}, nil, fmt.Errorf("store file: %w", err)
	}
	f.SHA256 = hash.Sum(nil)
	return f, nil, nil
}

// discard takes files away that belong to nothing.
func (s *Server) discard(r *http.Request, files []portal.Attachment) {
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
