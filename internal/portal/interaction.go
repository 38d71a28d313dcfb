package portal

import (
	"slices"
	"time"
)

// MaxChoices is how many answers a question may offer.
const MaxChoices = 20

// Interaction is something that staff ask the broker to answer or choose.
// Without choices the answer is a text.
type Interaction struct {
	ID         int64
	Comment    string
	Choices    []string
	AskedBy    Actor
	AskedAt    time.Time
	Answer     string
	AnsweredAt *time.Time
	ClosedAt   *time.Time // answered, or no longer asked
}

// Open reports whether the question still waits for an answer.
func (i Interaction) Open() bool { return i.ClosedAt == nil }

// check says what is wrong with an answer to the question.
func (i Interaction) check(answer string) FieldErrors {
	faults := FieldErrors{}
	if len(i.Choices) > 0 {
		if !slices.Contains(i.Choices, answer) {
			faults["answer"] = Say("field.choose")
		}
		return faults
	}
	checkBody("answer", answer, true, faults)
	return faults
}
