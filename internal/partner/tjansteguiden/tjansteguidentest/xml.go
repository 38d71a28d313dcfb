package tjansteguidentest

import (
	"encoding/xml"
	"net/http"
	"strings"

	"portico/internal/partner/door/doortest"
)

// element is a piece of an answer: with a text or with parts.
type element struct {
	name, text string
	parts      []element
	zend       bool // says which library wrote it, as refusals do
}

func text(name, value string) element { return element{name: name, text: value} }

func tree(name string, parts ...element) element { return element{name: name, parts: parts} }

func (e element) write(b *strings.Builder, indent string) {
	b.WriteString(indent + "<" + e.name)
	if e.zend {
		b.WriteString(` generator="zend" version="1.0"`)
	}
	b.WriteString(">")
	if len(e.parts) > 0 {
		b.WriteString("\n")
		for _, part := range e.parts {
			part.write(b, indent+"  ")
		}
		b.WriteString(indent)
	}
	_ = xml.EscapeText(b, []byte(e.text)) // a strings.Builder takes everything
	b.WriteString("</" + e.name + ">\n")
}

func xmlReply(status int, e element) doortest.Reply {
	var b strings.Builder
	b.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n")
	e.write(&b, "")
	return doortest.Reply{Status: status, Body: b.String()}.With("Content-Type", "application/xml")
}

// Shape is how an answer is wrapped. The documentation's own examples differ, so
// a client has to take each.
type Shape string

// The shapes of an answer.
const (
	ShapeDocumented   Shape = ""             // each method as its example
	ShapeMethod       Shape = "method"       // the method's name, response, status: also where the example differs
	ShapeServiceguide Shape = "serviceguide" // the root is serviceguide
	ShapeNested       Shape = "nested"       // the method's name is one level below another root
	ShapeBare         Shape = "bare"         // what is read has no response around it
	ShapeStatusless   Shape = "statusless"   // what is read has no status
)

// Shapes are all of them.
var Shapes = []Shape{ShapeDocumented, ShapeMethod, ShapeServiceguide, ShapeNested, ShapeBare, ShapeStatusless}

// done answers with what the method has to say.
func (c call) done(parts ...element) doortest.Reply {
	root, bare, statusless := string(c.op), false, false
	reads := c.op != OpLogin && c.op != OpSetStatus && c.op != OpAddMessage
	switch c.shape {
	case ShapeDocumented:
		list := c.role == RoleKO && c.op == OpOrders
		old := c.role == RoleKO && (c.op == OpCustomers || c.op == OpCustomerInfo)
		if list {
			root = "serviceguide"
		}
		bare, statusless = old, list || old
	case ShapeServiceguide:
		root = "serviceguide"
	case ShapeBare:
		bare = reads
	case ShapeStatusless:
		statusless = reads
	}
	if !bare {
		parts = []element{tree("response", parts...)}
	}
	if !statusless {
		parts = append(parts, text("status", "success"))
	}
	return xmlReply(http.StatusOK, c.nest(tree(root, parts...)))
}

// refuse answers as Zend's server does, which the whole API resembles (assumed).
func (c call) refuse(status int, message string) doortest.Reply {
	return xmlReply(status, c.nest(failed(string(c.op), message)))
}

func (c call) nest(e element) element {
	if c.shape == ShapeNested {
		return tree("Atlas_Serviceguide", e)
	}
	return e
}

func failed(method, message string) element {
	e := tree(method, tree("response", text("message", message)), text("status", "failed"))
	e.zend = true
	return e
}
