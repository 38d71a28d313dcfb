package portal

import (
	"net/url"
	"strings"
	"time"
	"unicode/utf8"
)

// Limits of a delivery and of texts that people write.
const (
	MaxFileSize     = 200 << 20 // bytes, one file
	MaxDeliverySize = 1 << 30   // bytes, all files of a delivery
	MaxFiles        = 200
	MaxLinks        = 50
	MaxBody         = 5000 // characters
	maxLink         = 2000 // bytes
)

// Delivery is what is handed over: files, links and a message. Versions are kept.
type Delivery struct {
	ID        int64
	Version   int
	Message   string
	Links     []string
	Files     []File
	By        Actor
	CreatedAt time.Time
}

// File is a stored file of a delivery. Key names it in the blob store.
type File struct {
	ID          string
	Name        string
	ContentType string
	Size        int64
	SHA256      []byte
	Key         string
}

// Erased reports whether nothing but the size of the file is left.
func (f File) Erased() bool { return f.Name == Struck }

// ParseLinks splits one address a line and returns those, or what is wrong.
func ParseLinks(typed string) ([]string, *Sentence) {
	var links []string
	for line := range strings.Lines(typed) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		u, err := url.Parse(line)
		if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || len(line) > maxLink || !utf8.ValidString(line) {
			s := Say("delivery.bad_link", "Link", line)
			return nil, &s
		}
		links = append(links, line)
	}
	if len(links) > MaxLinks {
		s := Say("delivery.many_links", "Max", MaxLinks)
		return nil, &s
	}
	return links, nil
}

// checkBody says what is wrong with a text that somebody wrote.
func checkBody(input, body string, required bool, faults FieldErrors) {
	switch n := utf8.RuneCountInString(body); {
	case required && body == "":
		faults[input] = Say("field.required")
	case !utf8.ValidString(body) || strings.ContainsRune(body, 0):
		faults[input] = Say("field.characters")
	case n > MaxBody:
		faults[input] = Say("field.too_long", "Max", MaxBody, "Count", n)
	}
}
