package portal_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func asError(t *testing.T, err error) *portal.Error {
	t.Helper()
	var e *portal.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no portal.Error", err)
	}
	return e
}

// faults returns the key of each field at fault of an Invalid error; nil if err
// is nil.
func faults(t *testing.T, err error) map[string]string {
	t.Helper()
	if err == nil {
		return nil
	}
	e := asError(t, err)
	if e.Kind != portal.Invalid {
		t.Fatalf("kind %d of %v, want Invalid", e.Kind, err)
	}
	keys := map[string]string{}
	for name, say := range e.Fields {
		keys[name] = say.Key
	}
	return keys
}

func TestKindOf(t *testing.T) {
	t.Parallel()
	conflict := portal.Errorf(portal.Conflict, "order.refused_draft")
	for name, c := range map[string]struct {
		err  error
		want portal.Kind
	}{
		"nil":                {nil, portal.Internal},
		"unknown":            {errors.New("x"), portal.Internal},
		"canceled":           {context.Canceled, portal.Internal},
		"bare":               {conflict, portal.Conflict},
		"wrapped":            {fmt.Errorf("deliver order 42: %w", fmt.Errorf("tx: %w", conflict)), portal.Conflict},
		"joined":             {errors.Join(errors.New("x"), conflict), portal.Conflict},
		"the outer one":      {&portal.Error{Kind: portal.Unavailable, Err: conflict}, portal.Unavailable},
		"not by its text":    {errors.New(conflict.Error()), portal.Internal},
		"a report's outcome": {&portal.ReportError{Outcome: portal.OutcomeBusy, Err: errors.New("429")}, portal.Internal},
	} {
		if got := portal.KindOf(c.err); got != c.want {
			t.Errorf("%s: kind %d, want %d", name, got, c.want)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	cause := errors.New("duplicate key")
	err := &portal.Error{Kind: portal.Invalid, Say: portal.Say("error.form"), Err: cause,
		Fields: portal.FieldErrors{"day": portal.Say("field.date"), "access": portal.Say("field.required")}}
	if got, want := err.Error(), "error.form access=field.required day=field.date: duplicate key"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if !errors.Is(err, cause) {
		t.Error("the cause is not in the chain")
	}
}

func TestSay(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want portal.Sentence }{
		{portal.Say("a"), portal.Sentence{Key: "a"}},
		{portal.Say("a", "Max", 3, "Link", "x"), portal.Sentence{Key: "a", Args: portal.Args{"Max": 3, "Link": "x"}}},
		{portal.Say("a", "Max"), portal.Sentence{Key: "a"}},
	} {
		if diff := cmp.Diff(c.want, c.got); diff != "" {
			t.Error(diff)
		}
	}
}

func TestInvalidFields(t *testing.T) {
	t.Parallel()
	if err := portal.InvalidFields(portal.FieldErrors{}); err != nil {
		t.Errorf("no fault is an error: %v", err)
	}
	if got := faults(t, portal.InvalidFields(portal.FieldErrors{"x": portal.Say("field.date")})); got["x"] != "field.date" {
		t.Errorf("faults %v", got)
	}
}
