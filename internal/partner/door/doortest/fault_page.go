package doortest

import (
	"fmt"
	"maps"
	"net/http"
	"strconv"
)

// Words are what the pages about calls and faults say.
type Words struct {
	Ops     []OpName
	Unknown string // for a method without a name
	On      string // with the name of the method that a fault is on for
	Always  string // for how long it is: until it is cleared
	Once    string // for one more call
	Times   string // for so many
}

// OpName is a method, and what people call it.
type OpName struct {
	Op   Op
	Name string
}

type faultsPage struct {
	Ops      []OpName
	Sections []section
	On       int // how many are on
	More     any
}

type section struct {
	Title  string
	Faults []faultRow
}

// faultRow is a fault that can be switched on or off.
type faultRow struct {
	FaultInfo
	On    bool
	Where string // it is on, and for how long
}

// faultCount returns how many faults are on.
func (d *Door) faultCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.faults)
}

// sections returns every fault that there is.
func (d *Door) sections() []section {
	d.mu.Lock()
	faults := maps.Clone(d.faults)
	d.mu.Unlock()
	words := d.options.Words
	var sections []section
	for _, info := range d.options.Faults {
		row := faultRow{FaultInfo: info}
		for _, op := range words.Ops {
			if f := faults[op.Op]; f.Kind == info.Kind {
				row.On, row.Where = true, fmt.Sprintf(words.On, op.Name)+words.left(f)
			}
		}
		if len(sections) == 0 || sections[len(sections)-1].Title != info.Group {
			sections = append(sections, section{Title: info.Group})
		}
		last := &sections[len(sections)-1]
		last.Faults = append(last.Faults, row)
	}
	return sections
}

func (w Words) left(f Fault) string {
	switch f.Times {
	case 0:
		return w.Always
	case 1:
		return w.Once
	}
	return fmt.Sprintf(w.Times, f.Times)
}

func (s *Site) faultIndex(w http.ResponseWriter, r *http.Request) {
	p := faultsPage{Ops: s.door.options.Words.Ops, Sections: s.door.sections(), On: s.door.faultCount()}
	if s.options.More != nil {
		p.More = s.options.More(r)
	}
	s.show(w, r, http.StatusOK, "faults", page{Tab: "faults", Main: p})
}

// faultSwitch answers a form of the page of faults. What names no fault of the
// fake's is missing. A fault that cannot happen to the method that was chosen is
// switched on for any.
func (s *Site) faultSwitch(w http.ResponseWriter, r *http.Request) {
	kind, op := FaultKind(r.FormValue("kind")), Op(r.FormValue("op"))
	times, _ := strconv.Atoi(r.FormValue("times")) // anything else is "until it is cleared"
	info, known := s.door.info(kind)
	switch {
	case kind == "":
		s.door.ClearFaults()
	case !known:
		s.Missing(w, r)
		return
	case !s.door.clearKind(kind):
		if !info.concerns(op) {
			op = OpAny
		}
		s.door.SetFault(op, Fault{Kind: kind, Times: max(0, times), RetryAfter: info.RetryAfter, Delay: info.Delay})
	}
	http.Redirect(w, r, "/faults", http.StatusSeeOther)
}
