package tjansteguiden

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"portico/internal/portal"
)

// wrapper is the root of an answer where it is not named after the method.
const wrapper = "serviceguide"

// refusal is what an answer says that says no.
type refusal struct{ message string }

// Error says what Tjänsteguiden said, without personal numbers.
func (r *refusal) Error() string {
	if r.message == "" {
		return "the answer says that the call failed"
	}
	return "the answer says that the call failed: " + r.message
}

func refused(message string) error {
	return &refusal{cut(portal.Redact(strings.Join(strings.Fields(message), " ")), maxSaid)}
}

// maxSaid is how much of a message is kept, in characters.
const maxSaid = 500

// callFailed reports whether a status says that the call failed. In an answer
// without wrapping elements the status of an order is in the same place; only
// what changes nothing is answered with that.
func callFailed(status string, writes bool) bool {
	status = strings.ToLower(status)
	if status == "" || status == "success" || status == "ok" {
		return false
	}
	return writes || !slices.Contains(statuses, status)
}

// readAnswer reads the answer to a method as a whole, and returns what is inside:
// of the element <response> where there is one. The root is named after the
// method, or "serviceguide", or anything if the method's element is right
// below it.
func readAnswer(contentType string, r io.Reader, method string, writes bool) (element, error) {
	s, err := newSource(contentType, r)
	if err != nil {
		return element{}, err
	}
	start, err := s.root()
	if err != nil {
		return element{}, err
	}
	s.keep()
	root, err := s.element(start, 1)
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return element{}, err
	}
	inner, found := root, isEnvelope(root.name, method)
	if !strings.EqualFold(root.name, method) {
		if c, ok := root.child(method); ok {
			inner, found = c, true
		}
	}
	body, ok := inner.child("response")
	if !ok {
		body = inner
	}
	status := inner.get("status")
	switch {
	case callFailed(status, writes):
		return element{}, refused(body.get("message"))
	case !found:
		return element{}, unreadable("it is the answer to another method")
	case !ok && (writes || !slices.Contains(statuses, strings.ToLower(status))):
		body.children = slices.DeleteFunc(body.children, func(c element) bool { return strings.EqualFold(c.name, "status") })
	}
	return body, nil
}

func isEnvelope(name, method string) bool {
	return strings.EqualFold(name, method) || strings.EqualFold(name, wrapper)
}

// listReader reads the items of a list while it arrives.
type listReader struct {
	*source
	method, item string
	yield        func(element) error

	depth  int  // of the tags that are open
	inside int  // depth of the method's element; 0: not in it
	base   int  // the same, if it is the root
	found  bool // there is one
	status *string
	said   string
}

// itemDepth is how far below the method's element an item may be.
const itemDepth = 3

// readList reads the answer to a method that lists items, and yields each as
// soon as it is whole. An error of yield ends it.
func readList(contentType string, r io.Reader, method, item string, yield func(element) error) error {
	s, err := newSource(contentType, r)
	if err != nil {
		return err
	}
	l := &listReader{source: s, method: method, item: item, yield: yield}
	root, err := l.root()
	if err != nil {
		return err
	}
	l.depth = 1
	if isEnvelope(root.Name.Local, method) {
		l.base, l.inside, l.found = 1, 1, true
	}
	for nested := !strings.EqualFold(root.Name.Local, method); l.depth > 0 && err == nil; {
		err = l.step(nested)
	}
	if errors.Is(err, io.EOF) {
		err = unreadable("it is cut off")
	}
	if err == nil {
		err = l.end()
	}
	switch {
	case err != nil:
		return err
	case l.status != nil && callFailed(*l.status, false):
		return refused(l.said)
	case !l.found:
		return unreadable("it is the answer to another method")
	}
	return nil
}

// step reads a token. nested says that the root is not the method's element.
func (l *listReader) step(nested bool) error {
	token, err := l.next()
	if err != nil {
		return err
	}
	switch t := token.(type) {
	case xml.StartElement:
		return l.open(t, nested)
	case xml.EndElement:
		if l.depth == l.inside {
			l.inside = l.base
		}
		l.depth--
	}
	return nil
}

func (l *listReader) open(t xml.StartElement, nested bool) error {
	below := l.depth - max(l.inside, 1) // of the parent, below the method's element
	within := l.inside > 0 || !l.found  // a root that is none may still say that the call failed
	is := func(name string) bool { return strings.EqualFold(t.Name.Local, name) }
	switch {
	case nested && l.depth == 1 && is(l.method):
		l.depth, l.inside, l.base, l.found, l.status, l.said = 2, 2, 0, true, nil, ""
	case l.inside > 0 && below < itemDepth && is(l.item):
		return l.take(t, l.yield)
	case within && below == 0 && l.status == nil && is("status"):
		return l.take(t, func(e element) error { l.status = &e.text; return nil })
	case within && below <= 1 && is("message"):
		return l.take(t, func(e element) error { l.said = e.text; return nil })
	default:
		if l.depth++; l.depth > maxDepth {
			return errTooMuch
		}
	}
	return nil
}

// take reads an element as a whole.
func (l *listReader) take(t xml.StartElement, use func(element) error) error {
	l.keep()
	e, err := l.element(t, l.depth+1)
	if err != nil {
		return err
	}
	return use(e)
}

// cut returns the first n characters of a text.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
