package portal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"
)

func TestDiscreet(t *testing.T) {
	t.Parallel()
	words := `{"message": "Kanarie Fågelström finns redan"}`
	said := &ReportError{Outcome: OutcomeRefused, Status: 400, Answer: words, Err: errors.New("PUT /x: 400: " + words)}
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"nothing else":        {errors.New("no route to host"), `err="no route to host"`},
		"a partner's words":   {said, `err="refused: PUT /x: 400: …"`},
		"within another":      {fmt.Errorf("job 7: %w", said), `err="job 7: refused: PUT /x: 400: …"`},
		"one of several":      {errors.Join(errors.New("first"), fmt.Errorf("job 7: %w", said)), `err="first\njob 7: refused: PUT /x: 400: …"`},
		"of the domain":       {&Error{Kind: Unavailable, Say: Say("polls.refused"), Err: said}, `err="polls.refused: refused: PUT /x: 400: …"`},
		"no answer":           {&ReportError{Outcome: OutcomeFailed, Err: errors.New("reset")}, `err="failed: reset"`},
		"something else than": {42, `err=42`},
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: Discreet})).Info("m", "err", c.value)
		if got := log.String(); !bytes.HasSuffix([]byte(got), []byte(" msg=m "+c.want+"\n")) {
			t.Errorf("%s: %s", name, got)
		}
	}
}
