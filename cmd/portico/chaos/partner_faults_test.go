package chaos

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"portico/internal/partner/vitec/vitectest"
)

// harmed are the partners, one of each system, that what goes wrong with "the
// partner" happens to.
func (w *world) harmed() []*partner {
	return []*partner{w.partner[ownPartner], w.partner[corePartner]}
}

// partnerLink makes the partners' links bad for a time.
func partnerLink(d time.Duration, kind, stream string, a func(*rand.Rand) attributes) func(*world, *episode, *rand.Rand) {
	return func(w *world, _ *episode, rng *rand.Rand) {
		for _, p := range w.harmed() {
			p.link.add(kind, stream, a(rng))
		}
		w.last(d)
		for _, p := range w.harmed() {
			p.link.remove(kind, stream)
		}
	}
}

// slow makes the partner take seconds.
func slow(d time.Duration) func(*world, *episode, *rand.Rand) {
	return partnerLink(d, "latency", toClient, func(rng *rand.Rand) attributes {
		return attributes{"latency": 1000 + rng.IntN(2500), "jitter": 500}
	})
}

// trickle makes the partner's answers come one byte a second.
func trickle(d time.Duration) func(*world, *episode, *rand.Rand) {
	return partnerLink(d, "slicer", toClient, func(*rand.Rand) attributes {
		return attributes{"average_size": 1, "size_variation": 0, "delay": 1_000_000}
	})
}

// partnerDown has the partner take no connection.
func partnerDown(d time.Duration) func(*world, *episode, *rand.Rand) {
	return func(w *world, _ *episode, _ *rand.Rand) {
		for _, p := range w.harmed() {
			p.link.down()
		}
		w.last(d)
		for _, p := range w.harmed() {
			p.link.up()
		}
	}
}

// storedDrop has the partner store what it is told, some times, and say nothing.
func storedDrop(d time.Duration, times int) func(*world, *episode, *rand.Rand) {
	return func(w *world, _ *episode, rng *rand.Rand) {
		kind := pick(rng, []vitectest.FaultKind{vitectest.FaultStoredDrop, vitectest.FaultStoredDrop, vitectest.FaultStoredError})
		for _, p := range w.harmed() {
			for _, op := range p.told {
				p.fake.SetFault(op, vitectest.Fault{Kind: kind, Times: times})
			}
		}
		w.last(d)
		for _, p := range w.harmed() {
			p.fake.ClearFaults()
		}
	}
}

// wrongAnswers are all that the fake of Vitec can give.
var wrongAnswers = []vitectest.FaultKind{vitectest.FaultUnauthorized, vitectest.FaultForbidden, vitectest.FaultBadRequest,
	vitectest.FaultNotFound, vitectest.FaultTooMany, vitectest.FaultServerError, vitectest.FaultUnavailable, vitectest.FaultHTML,
	vitectest.FaultRedirect, vitectest.FaultDrop, vitectest.FaultTruncated, vitectest.FaultStoredDrop, vitectest.FaultStoredHang,
	vitectest.FaultStoredError, vitectest.FaultSlow, vitectest.FaultFalse, vitectest.FaultNoExpiry, vitectest.FaultExpired,
	vitectest.FaultExpiredBare, vitectest.FaultOtherOffice, vitectest.FaultEmptyTicket}

// answerWrongly has the partner give one wrong answer after another. What it
// says about our login, the operator answers with a new password.
func answerWrongly(each time.Duration, kinds int) func(*world, *episode, *rand.Rand) {
	return func(w *world, _ *episode, rng *rand.Rand) {
		for _, i := range rng.Perm(len(wrongAnswers))[:kinds] {
			for _, p := range w.harmed() {
				fault := vitectest.Fault{Kind: p.wrong[i%len(p.wrong)], Times: 1 + rng.IntN(3), RetryAfter: "1", Delay: time.Second}
				p.fake.SetFault(pick(rng, []vitectest.Op{vitectest.OpAny, p.told[0], p.asked}), fault)
			}
			w.last(each)
		}
		for _, p := range w.harmed() {
			p.fake.ClearFaults()
			p.rotate(w, rng)
		}
		w.core.Revoke(true) // or they would go on to be good
		w.last(each)
		var err error
		if !w.until(startTime, func() bool { err = w.apply(); return err == nil }) { // the database may be down
			w.Error(err)
		}
	}
}

// deadPartner has another connection's partner say nothing, or take no
// connection. That is nothing to this one.
func deadPartner(d time.Duration) func(*world, *episode, *rand.Rand) {
	return func(w *world, e *episode, rng *rand.Rand) {
		l := w.partner[nextPartner].link
		if refuses := rng.IntN(2) == 0; refuses {
			l.down()
			defer l.up()
		} else {
			l.add("timeout", toClient, attributes{"timeout": 0})
			defer l.remove("timeout", toClient)
		}
		w.last(d)
		e.ended = time.Now()
		var notes []string
		for _, id := range []string{ownPartner, corePartner} {
			p99, sent := w.percentile(e, id, 0.99)
			notes = append(notes, fmt.Sprintf("p99 of %s %s, %.2f of what Vitec's was, %d sent", id, p99.Round(time.Millisecond), p99.Seconds()/w.calm.Seconds(), sent))
			if sent == 0 {
				e.blame(found(alive, "nothing is sent to %s, which works, while another is dead", id))
			}
		}
		e.note = strings.Join(notes, "; ")
	}
}
