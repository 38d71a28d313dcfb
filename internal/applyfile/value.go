package applyfile

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// value is something in the file, or its absence. Readers of an absent value
// return the zero value and no fault: who requires it has said so already.
type value struct {
	file *file
	node ast.Node // nil: not there, or null
	path string
	at   place // of its key; in a list, of the item
}

// fault says what is wrong with the value. One fault at a place is enough: what
// follows from it would only hide it.
func (v value) fault(format string, args ...any) {
	fault := Fault{Line: v.at.line, Column: v.at.column, Path: v.path, Text: fmt.Sprintf(format, args...)}
	same := func(f Fault) bool { f.Text = fault.Text; return f == fault }
	if !slices.ContainsFunc(v.file.faults, same) {
		v.file.faults = append(v.file.faults, fault)
	}
}

func (v value) there() bool { return v.node != nil }

// child returns the value of a node inside v.
func (v value) child(path string, at place, node ast.Node) value {
	child := value{file: v.file, path: path, at: at, node: node}
	switch n := node.(type) {
	case *ast.NullNode:
		child.node = nil
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		child.node = nil
		child.fault("anchors, aliases and tags are not understood: write it out")
	case *ast.MappingValueNode: // a mapping of one key
		child.node = &ast.MappingNode{BaseNode: n.BaseNode, Values: []*ast.MappingValueNode{n}}
	}
	return child
}

// list returns the items of a list.
func (v value) list() []value {
	if !v.there() {
		return nil
	}
	sequence, ok := v.node.(*ast.SequenceNode)
	if !ok {
		v.fault("must be a list")
		return nil
	}
	var items []value
	for i, node := range sequence.Values {
		item := v.child(fmt.Sprintf("%s[%d]", v.path, i), start(node), node)
		if item.at == (place{}) {
			item.at = v.at
		}
		items = append(items, item)
	}
	return items
}

// text returns a text with ${NAME} filled in, and whether there is one that is
// not empty.
func (v value) text() (string, bool) {
	var s string
	switch n := v.node.(type) {
	case nil:
		return "", false
	case *ast.StringNode:
		s = n.Value
	case *ast.LiteralNode:
		s = n.Value.Value
	case *ast.MappingNode, *ast.SequenceNode:
		v.fault("must be a text")
		return "", false
	default:
		v.fault("must be a text: put it in quotes")
		return "", false
	}
	if s = v.expand(s); strings.TrimSpace(s) == "" {
		v.fault("is empty")
		return "", false
	}
	return s, true
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}?`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expand leaves a ${NAME} that it cannot fill as it is.
func (v value) expand(s string) string {
	return variable.ReplaceAllStringFunc(s, func(match string) string {
		name, closed := strings.CutSuffix(strings.TrimPrefix(match, "${"), "}")
		if !closed || !variableName.MatchString(name) {
			v.fault("${ must be followed by the name of an environment variable and }")
			return match
		}
		filled, ok := v.file.env(name)
		if !ok {
			v.fault("the environment variable %s is not set", name)
			return match
		}
		return filled
	})
}

// texts returns the items of a list of texts, none of which may be there twice.
func (v value) texts() []string {
	var all []string
	for _, item := range v.list() {
		s, ok := item.text()
		if ok && slices.Contains(all, s) {
			item.fault("is there twice")
		} else if ok {
			all = append(all, s)
		}
	}
	return all
}

// oneOf returns a text that is one of those that are possible.
func oneOf[S ~string](v value, possible ...S) (S, bool) {
	s, ok := v.text()
	if ok && !slices.Contains(possible, S(s)) {
		v.fault("must be %s", listed(possible, "or"))
		return "", false
	}
	return S(s), ok
}

// listed returns words as people list them.
func listed[S ~string](words []S, last string) string {
	var b strings.Builder
	for i, word := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" " + last + " ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(word))
	}
	return b.String()
}

// matching returns a text that looks like something.
func (v value) matching(pattern *regexp.Regexp, what string) (string, bool) {
	s, ok := v.text()
	if ok && !pattern.MatchString(s) {
		v.fault("must be %s", what)
		return "", false
	}
	return s, ok
}

// whole returns a whole number from least to most.
func (v value) whole(least, most int64) int64 {
	if !v.there() {
		return 0
	}
	n, ok := int64(0), false
	if node, isInteger := v.node.(*ast.IntegerNode); isInteger {
		switch number := node.Value.(type) {
		case int64:
			n, ok = number, true
		case uint64:
			n, ok = int64(number), number <= uint64(most)
		}
	}
	if !ok || n < least || n > most {
		v.fault("must be a whole number from %d to %d", least, most)
		return 0
	}
	return n
}

// yes returns true or false.
func (v value) yes() bool {
	if !v.there() {
		return false
	}
	node, ok := v.node.(*ast.BoolNode)
	if !ok {
		v.fault("must be true or false")
		return false
	}
	return node.Value
}

// start returns where a node's first character stands.
func start(node ast.Node) place {
	switch n := node.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 { // its own token is the first colon
			return placeOf(n.Values[0].Key.GetToken())
		}
	case *ast.MappingValueNode:
		return placeOf(n.Key.GetToken())
	case nil:
		return place{}
	}
	return placeOf(node.GetToken())
}
