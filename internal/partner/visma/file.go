package visma

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"
	"time"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// File is a file of a delivery. Its name is unique on the case: a file that is
// there under it is not sent again.
type File struct {
	Name        string
	ContentType string
	Size        int64
	Open        func() (io.ReadCloser, error)
}

// Delivers reports whether deliveries are put on the case.
func (c *Client) Delivers() bool { return c.config.Files.Folder != "" }

// Deliver puts a file of a delivery into the connection's folder on the case, as
// a picture or as a document. Unless it is there: so a delivery may be repeated
// after any end. An error is a *portal.ReportError; it is refused where the case
// has no such folder.
//
// The page with the upload's path is cut short; the form is that of Visma's own
// program.
//
// https://visma-real-estate-solutions.github.io/core-documentation/docs/api/Files/casefiles.html
func (c *Client) Deliver(ctx context.Context, m portal.Message, f File) error {
	t, err := c.tenant(m.Customer)
	if err != nil {
		return classify(err)
	}
	if !casePattern.MatchString(m.Target.ID) {
		return refused("the order names no case")
	}
	directory := api + "Cases/" + m.Target.ID + "/Directory"
	root, err := t.list(ctx, directory)
	if err != nil {
		return err
	}
	folder, ok := root.find("Folder", c.config.Files.Folder)
	if !ok {
		return refused(fmt.Sprintf("the case has no folder %q", c.config.Files.Folder))
	}
	there, err := t.list(ctx, directory+"/"+folder.ID)
	if err != nil {
		return err
	}
	if _, ok := there.find("File", f.Name); ok {
		return nil
	}
	tags := c.config.Files.DocumentTags
	if strings.HasPrefix(f.ContentType, "image/") {
		tags = c.config.Files.ImageTags
	}
	r, err := upload(directory+"/"+folder.ID+"/File/", f, tags)
	if err != nil {
		return &portal.ReportError{Outcome: portal.OutcomeFailed, Err: err}
	}
	if _, err := t.do(ctx, r); err != nil {
		return classify(err)
	}
	return nil
}

func refused(why string) error {
	return &portal.ReportError{Outcome: portal.OutcomeRefused, Err: errors.New(why)}
}

// item is a file or folder on a case. That it has a Name is assumed.
type item struct {
	ID   string `json:"Id"`
	Name string
	Type string
}

type items []item

var itemPattern = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

func (all items) find(kind, name string) (item, bool) {
	for _, one := range all {
		if strings.EqualFold(one.Type, kind) && strings.EqualFold(one.Name, name) && itemPattern.MatchString(one.ID) {
			return one, true
		}
	}
	return item{}, false
}

func (t *tenant) list(ctx context.Context, path string) (items, error) {
	answer, err := t.do(ctx, door.Request{Method: http.MethodGet, Path: path, Private: true})
	if err == nil {
		var all items
		if err = read(answer, &all, "the folder"); err == nil {
			return all, nil
		}
	}
	report := classify(err)
	if report.Outcome == portal.OutcomeUnknown { // nothing has changed
		report.Outcome = portal.OutcomeFailed
	}
	return nil, report
}

// upload returns the request with a file: the file's part is not held in memory.
func upload(path string, f File, tags []tag) (door.Request, error) {
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	about, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="request"`}, "Content-Type": {"application/json"}})
	if err == nil {
		_, err = about.Write(door.JSON(struct {
			Name   string
			TagIDs []tag `json:"TagIds"`
		}{f.Name, append([]tag{}, tags...)}))
	}
	if err == nil {
		name := strings.NewReplacer(`"`, "_", `\`, "_", "\r", "_", "\n", "_").Replace(f.Name)
		_, err = w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="file"; filename="` + name + `"`},
			"Content-Type": {f.ContentType}})
	}
	if err != nil {
		return door.Request{}, fmt.Errorf("write the form of %s: %w", f.Name, err)
	}
	head := form.String()
	if err := w.Close(); err != nil {
		return door.Request{}, fmt.Errorf("write the form of %s: %w", f.Name, err)
	}
	tail := form.String()[len(head):]
	return door.Request{Method: http.MethodPost, Path: path, Type: w.FormDataContentType(),
		Timeout: 10*time.Second + time.Duration(f.Size/portal.SlowestUpload)*time.Second,
		Size:    int64(len(head)) + f.Size + int64(len(tail)),
		Open: func() (io.ReadCloser, error) {
			file, err := f.Open()
			if err != nil {
				return nil, err
			}
			return parts{io.MultiReader(strings.NewReader(head), file, strings.NewReader(tail)), file}, nil
		}}, nil
}

// parts are a form's bytes, of which the file is to be closed.
type parts struct {
	io.Reader
	io.Closer
}
