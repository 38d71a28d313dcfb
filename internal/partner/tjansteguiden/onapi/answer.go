package onapi

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// said is an order as the network tells of it.
type said struct {
	Path      door.Text `json:"path"`
	OrderID   door.Text `json:"orderId"` // mandatory, though the examples of a second order have none
	AccessID  door.Text `json:"accessId"`
	Service   door.Text `json:"service"`
	Operation door.Text `json:"operation"`
	State     door.Text `json:"state"`
	Status    door.Text `json:"status"` // what the list of fields calls the state; all examples have state
	Message   door.Text `json:"message"`
	Expected  door.Text `json:"expectedCompletionDate"`
}

// The states of an order.
const (
	stateReceived = "RECEIVED"
	stateBegun    = "IN_PROGRESS"
	stateDone     = "DONE_SUCCESS"
	stateFailed   = "DONE_FAILED"
)

var states = map[string]portal.ActivationState{
	stateReceived: portal.ActivationAccepted,
	stateBegun:    portal.ActivationInProgress,
	stateDone:     portal.ActivationDone,
	stateFailed:   portal.ActivationFailed,
}

// read reads an answer that is an order. One that does not say how far the order
// is cannot be used, unless the order was made this moment.
func read(a door.Answer) (said, error) {
	var s said
	if body := bytes.TrimSpace(a.Body); len(body) > 0 && json.Unmarshal(body, &s) != nil {
		return said{}, a.Unusable("the answer is no order")
	}
	s.OrderID = cmp.Or(s.OrderID, lastStep(string(s.Path)), lastStep(a.Header.Get("Location")))
	s.State = cmp.Or(s.State, s.Status)
	if s.State == "" && s.OrderID != "" && a.Status == http.StatusCreated {
		s.State = stateReceived
	}
	if s.State == "" {
		return said{}, a.Unusable("the answer does not say how far the order is")
	}
	return s, nil
}

// lastStep returns the id at the end of an order's address, "" if there is none.
func lastStep(address string) door.Text {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	if dir, id := path.Split(strings.TrimRight(u.Path, "/")); dir != "" && id != path.Base(ordersPath) {
		return door.Text(id)
	}
	return ""
}

// concerns reports whether the order may be the one that was asked for; what the
// network does not repeat is taken to be.
func (s said) concerns(p placed) bool {
	same := func(said door.Text, asked string) bool { return said == "" || strings.EqualFold(string(said), asked) }
	return same(s.AccessID, p.AccessID) && same(s.Service, p.Service) && same(s.Operation, p.Operation)
}

// answer returns what the network says in our words.
func (s said) answer() portal.ActivationAnswer {
	a := portal.ActivationAnswer{NetworkID: string(s.OrderID), Message: words(string(s.Message))}
	text := strings.TrimSpace(string(s.State))
	var known bool
	if a.State, known = states[strings.ToUpper(text)]; !known {
		a.State, a.Message = portal.ActivationInProgress, words(text)
	}
	if at, err := time.Parse(time.RFC3339, string(s.Expected)); err == nil && !at.IsZero() {
		a.ExpectedAt = &at
	}
	return a
}

// refusals are the statuses with which a network says no, and will again.
var refusals = []int{http.StatusBadRequest, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity, http.StatusNotImplemented}

// refusal returns what a failed call means: that the network refuses, or that
// something went wrong.
func refusal(err error) (portal.ActivationAnswer, error) {
	var e *door.Error
	if errors.As(err, &e) && slices.Contains(refusals, e.Status) {
		return refused(cause(e.Body)), nil
	}
	return portal.ActivationAnswer{}, door.Classify(err)
}

func refused(why string) portal.ActivationAnswer {
	return portal.ActivationAnswer{State: portal.ActivationRefused, Message: words(why)}
}

// causePattern finds the cause in an answer of which only the start was kept.
var causePattern = regexp.MustCompile(`^\s*\{\s*"cause"\s*:\s*("(?:[^"\\]|\\[^u]|\\u[0-9a-fA-F]{4})*)`)

// cause returns why the network refuses, in its words: "" if it does not say so
// as the standard has it. A web page, or a proxy's two words, is nothing for staff.
func cause(body string) string {
	var answer struct {
		Cause door.Text `json:"cause"`
	}
	if json.Unmarshal([]byte(body), &answer) == nil {
		return string(answer.Cause)
	}
	var cut string
	if found := causePattern.FindStringSubmatch(body); found == nil || json.Unmarshal([]byte(found[1]+`"`), &cut) != nil {
		return ""
	}
	return cut
}

// maxMessage is how much of a network's words is kept, in characters.
const maxMessage = 500

// words returns a network's words on one line, cut to what is kept of them.
func words(s string) string {
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
	if all := []rune(s); len(all) > maxMessage {
		s = string(all[:maxMessage])
	}
	return s
}
