package doortest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
)

// Reply is what a call is answered with. A status of success says that the call
// did its work.
type Reply struct {
	Status int
	Header http.Header
	Body   string

	dropped bool // the connection ends instead
	hangs   bool // not before the caller gives up
}

// JSON returns v as a reply.
func JSON(status int, v any) Reply {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("marshal a reply: %v", err)) // only what a fake has made itself comes here
	}
	return Reply{Status: status, Body: string(raw)}.With("Content-Type", "application/json; charset=utf-8")
}

// With returns the reply with one more header.
func (r Reply) With(name, value string) Reply {
	header := http.Header{}
	maps.Copy(header, r.Header)
	header.Set(name, value)
	r.Header = header
	return r
}

func (r Reply) write(w http.ResponseWriter) {
	if r.dropped {
		panic(http.ErrAbortHandler) // the server closes the connection
	}
	maps.Copy(w.Header(), r.Header)
	w.WriteHeader(r.Status)
	io.WriteString(w, r.Body) // the caller may have gone
}
