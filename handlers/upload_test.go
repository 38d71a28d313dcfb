package handlers_test

import (
	"bytes"
	"maps"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
)

// The beginnings of files by which their type is told.
const (
	jpeg = "\xff\xd8\xff\xe0\x00\x10JFIF\x00 a picture"
	pdf  = "%PDF-1.7\n a document"
)

// deliver sends the delivery form with files by name.
func (br *browser) deliver(work string, files map[string]string, form url.Values) answer {
	br.b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		part, err := w.CreateFormFile("files", name)
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
	return br.do(http.MethodPost, work+"/deliveries", w.FormDataContentType(), &body)
}
