package vitec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"portico/internal/partner/door"
)

// setStatus is the request that sets an order's status.
type setStatus struct {
	Method string          `json:"method"`
	Path   string          `json:"path"`
	Body   json.RawMessage `json:"body"`
}

// values are what a placeholder is replaced with, by its name.
type values map[string]string

var placeholders = []string{"customerId", "orderId", "status", "comment"}

var placeholderPattern = regexp.MustCompile(`\{([^{}]*)\}`)

// piece is a part of a body template: JSON that stays as it is, or the text of
// a string in which placeholders are replaced.
type piece struct {
	json string
	text string
	leaf bool
}

// parseBody cuts a JSON text into pieces. Keys keep their order and are no leaves.
func parseBody(raw []byte) ([]piece, error) {
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, fmt.Errorf("body template: %w", err)
	}
	var pieces []piece
	rest := compact.String()
	for {
		start := strings.IndexByte(rest, '"')
		if start < 0 {
			return append(pieces, piece{json: rest}), nil
		}
		end := stringEnd(rest, start)
		if end < len(rest) && rest[end] == ':' {
			pieces = append(pieces, piece{json: rest[:end]})
		} else {
			var text string
			if err := json.Unmarshal([]byte(rest[start:end]), &text); err != nil {
				return nil, fmt.Errorf("body template: %w", err)
			}
			pieces = append(pieces, piece{json: rest[:start]}, piece{text: text, leaf: true})
		}
		rest = rest[end:]
	}
}

// stringEnd returns the index after the JSON string that starts at start.
func stringEnd(s string, start int) int {
	for i := start + 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(s)
}

// fillBody replaces the placeholders of each leaf in one pass, so that what is
// filled in is never itself read as a placeholder or as JSON.
func fillBody(pieces []piece, v values) []byte {
	fill := replacer(v, func(s string) string { return s })
	var b bytes.Buffer
	for _, p := range pieces {
		if p.leaf {
			b.Write(door.JSON(fill.Replace(p.text)))
		} else {
			b.WriteString(p.json)
		}
	}
	return b.Bytes()
}

func fillPath(path string, v values) string {
	return replacer(v, url.PathEscape).Replace(path)
}

func replacer(v values, escape func(string) string) *strings.Replacer {
	var pairs []string
	for _, name := range placeholders {
		pairs = append(pairs, "{"+name+"}", escape(v[name]))
	}
	return strings.NewReplacer(pairs...)
}
