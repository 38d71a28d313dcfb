package tjansteguiden

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"

	"golang.org/x/net/html/charset"

	"portico/internal/partner/door"
)

// What an answer may hold at most: enough for any that is meant.
const (
	maxDepth    = 32
	maxElements = 10_000         // in an element that is kept
	maxKept     = door.MaxAnswer // bytes of it
	maxToken    = 256 << 10      // bytes of one tag or text
)

// errUnreadable is in the chain of an answer's error that is not the XML that it
// should be. No such error quotes the answer: it is about people.
var errUnreadable = errors.New("the answer cannot be read")

func unreadable(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errUnreadable, fmt.Sprintf(format, args...))
}

// element is an XML element with all that is in it.
type element struct {
	name     string
	attrs    []xml.Attr
	text     string // trimmed
	children []element
}

// child returns the first child of a name.
func (e element) child(name string) (element, bool) {
	for _, c := range e.children {
		if strings.EqualFold(c.name, name) {
			return c, true
		}
	}
	return element{}, false
}

// get returns the text of the first child of a name, on one line.
func (e element) get(name string) string {
	c, _ := e.child(name)
	return strings.Join(strings.Fields(c.text), " ")
}

// source reads elements. Whatever it is given, it keeps no more than it may.
type source struct {
	xml      *xml.Decoder
	budget   *budget
	elements int // that may still be kept
	kept     int // bytes that may
}

// newSource returns what reads an answer of a content type, whose character set
// counts where the XML names none.
func newSource(contentType string, r io.Reader) (*source, error) {
	buffered := bufio.NewReader(r)
	if head, _ := buffered.Peek(3); bytes.Equal(head, []byte("\xef\xbb\xbf")) {
		buffered.Discard(3) // they are there
	}
	r = buffered
	head, _ := buffered.Peek(100)
	_, params, err := mime.ParseMediaType(contentType)
	if label := params["charset"]; err == nil && label != "" && !bytes.Contains(head, []byte("encoding=")) {
		if r, err = charset.NewReaderLabel(label, r); err != nil {
			return nil, unreadable("the character set is unknown")
		}
	}
	s := &source{budget: &budget{r: bufio.NewReader(r)}}
	s.xml = xml.NewDecoder(s.budget)
	s.xml.CharsetReader = charset.NewReaderLabel
	s.xml.Entity = xml.HTMLEntity
	return s, nil
}

// budget is a reader that must not be asked for more than a token may need.
type budget struct {
	r    *bufio.Reader
	left int
}

var (
	errLong    = unreadable("a part of it is longer than %d bytes", maxToken)
	errTooMuch = unreadable("it holds more than it may")
)

// Read and ReadByte fail when a token is too long.
func (b *budget) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	n, err := b.r.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// ReadByte is what the decoder uses, so that it reads no further than it must.
func (b *budget) ReadByte() (byte, error) {
	if b.left <= 0 {
		return 0, errLong
	}
	b.left--
	return b.r.ReadByte()
}

// next returns the next token. There are no document types: what they are good
// for is to make an answer larger than it is.
func (s *source) next() (xml.Token, error) {
	s.budget.left = maxToken
	token, err := s.xml.Token()
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, errUnreadable):
		return nil, err
	case errors.As(err, &syntax) && syntax.Msg == "unexpected EOF":
		return nil, unreadable("it is cut off in line %d", syntax.Line)
	case errors.As(err, &syntax):
		return nil, unreadable("it is no XML in line %d", syntax.Line)
	case err != nil && strings.HasPrefix(err.Error(), "xml: "):
		return nil, unreadable("its encoding or version is unknown")
	case err != nil:
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if _, ok := token.(xml.Directive); ok {
		return nil, unreadable("it has a document type")
	}
	return token, nil
}

// root returns the first tag.
func (s *source) root() (xml.StartElement, error) {
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			err = unreadable("it is empty")
		}
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if strings.EqualFold(t.Name.Local, "html") {
				return t, unreadable("it is an HTML page")
			}
			return t, nil
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return xml.StartElement{}, unreadable("it is no XML")
			}
		}
	}
}

// end reads what follows the last tag: nothing.
func (s *source) end() error {
	for {
		token, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		text, isText := token.(xml.CharData)
		if _, isTag := token.(xml.StartElement); isTag || isText && len(bytes.TrimSpace(text)) > 0 {
			return unreadable("more comes after its end")
		}
	}
}

// keep allows the next element to be as large as any.
func (s *source) keep() { s.elements, s.kept = maxElements, maxKept }

// element reads all of the element that a tag starts.
func (s *source) element(start xml.StartElement, depth int) (element, error) {
	e := element{name: start.Name.Local, attrs: start.Attr}
	s.elements--
	s.kept -= len(e.name)
	for _, a := range e.attrs {
		s.kept -= len(a.Name.Local) + len(a.Value)
	}
	var text strings.Builder
	for {
		if s.elements < 0 || s.kept < 0 || depth > maxDepth {
			return e, errTooMuch
		}
		token, err := s.next()
		if err != nil {
			return e, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			child, err := s.element(t, depth+1)
			if err != nil {
				return e, err
			}
			e.children = append(e.children, child)
		case xml.CharData:
			s.kept -= len(t)
			text.Write(t)
		case xml.EndElement:
			e.text = strings.TrimSpace(text.String())
			return e, nil
		}
	}
}
