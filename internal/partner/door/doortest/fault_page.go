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

// Section is a group of the page of faults.
type Section struct {
	Title  string
	Faults []FaultRow
}

// FaultRow is a fault that can be switched on or off.
type FaultRow struct {
	FaultInfo
	On    bool
	Where string // it is on, and for how long
}

// FaultCount returns how many faults are on.
func (d *Door) FaultCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.faults)
}

// FaultSections returns every fault that there is, for the template "sections".
func (d *Door) FaultSections() []Section {
	d.mu.Lock()
	faults := maps.Clone(d.faults)
	d.mu.Unlock()
	words := d.options.Words
	var sections []Section
	for _, info := range d.options.Faults {
		row := FaultRow{FaultInfo: info}
		for _, op := range words.Ops {
			if f := faults[op.Op]; f.Kind == info.Kind {
				row.On, row.Where = true, fmt.Sprintf(words.On, op.Name)+words.left(f)
			}
		}
		if len(sections) == 0 || sections[len(sections)-1].Title != info.Group {
			sections = append(sections, Section{Title: info.Group})
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

// SwitchFaults answers a form of the page of faults at /faults. What names no
// fault of the fake's is missing. A fault that cannot happen to the method that
// was chosen is switched on for any.
func (d *Door) SwitchFaults(missing http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		kind, op := FaultKind(r.FormValue("kind")), Op(r.FormValue("op"))
		times, _ := strconv.Atoi(r.FormValue("times")) // anything else is "until it is cleared"
		info, known := d.info(kind)
		switch {
		case kind == "":
			d.ClearFaults()
		case !known:
			missing(w, r)
			return
		case !d.clearKind(kind):
			if !info.concerns(op) {
				op = OpAny
			}
			d.SetFault(op, Fault{Kind: kind, Times: max(0, times), RetryAfter: info.RetryAfter, Delay: info.Delay})
		}
		http.Redirect(w, r, "/faults", http.StatusSeeOther)
	}
}
