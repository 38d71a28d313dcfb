package handlers_test

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// The beginnings of files by which their type is told.
const (
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 a picture"
	pdf  = "%PDF-1.7\n a document"
)

// Contents that a delivery must not have.
const (
	webPage = "<!DOCTYPE html><html><body><script>alert(1)</script></body></html>"
	vector  = `<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`
	program = "MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00"
)

// blobs returns the keys of what is in the blob store.
func (b *bundle) blobs() []string {
	b.t.Helper()
	var keys []string
	for all := b.bucket.List(nil); ; {
		one, err := all.Next(b.t.Context())
		if errors.Is(err, io.EOF) {
			return keys
		}
		b.check(err)
		keys = append(keys, one.Key)
	}
}

// upload sends the delivery form with one file whose part has a header of the
// test's own.
func (br *browser) upload(work, disposition, content string) answer {
	br.b.t.Helper()
	body := "--border\r\nContent-Disposition: form-data; name=\"files\"; " + disposition + "\r\n\r\n" + content + "\r\n--border--\r\n"
	return br.do(http.MethodPost, work+"/deliveries", "multipart/form-data; boundary=border", strings.NewReader(body))
}

// deliver sends the delivery form with files by name.
func (br *browser) deliver(work string, files map[string]string, form url.Values) answer {
	br.b.t.Helper()
	return br.sendFiles(work+"/deliveries", "files", files, form)
}

// sendFiles sends a form with files by name, all of one input.
func (br *browser) sendFiles(address, input string, files map[string]string, form url.Values) answer {
	br.b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := w.CreateFormFile(input, name)
		br.b.check(err)
		_, err = part.Write([]byte(files[name]))
		br.b.check(err)
	}
	for name, values := range form {
		for _, v := range values {
			br.b.check(w.WriteField(name, v))
		}
	}
	br.b.check(w.Close())
	return br.do(http.MethodPost, address, w.FormDataContentType(), &body)
}
