package door

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// JSON returns v as the body of a request, in which letters stay readable:
// json.Marshal without its escapes for HTML.
func JSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("encode %T: %v", v, err)) // only what a partner's package has made itself comes here
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// Text is a JSON string, or the text of a number: a partner's ids may be either.
type Text string

// UnmarshalJSON refuses objects and lists.
func (t *Text) UnmarshalJSON(raw []byte) error {
	switch raw[0] {
	case '"':
		return json.Unmarshal(raw, (*string)(t))
	case '{', '[':
		return errors.New("not a text")
	case 'n':
		return nil
	}
	*t = Text(raw)
	return nil
}
