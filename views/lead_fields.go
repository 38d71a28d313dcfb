package views

import (
	"net/url"
	"slices"
	"strings"

	"portico/internal/portal"
)

// leadField is an input of the form of a lead.
type leadField struct {
	name     string // as portal.LeadForm has it
	kind     string // of the input; empty: text
	rows     int    // of a text of several lines; 0: one line
	required bool
	whole    bool   // takes the whole width
	aside    string // stands small beside the label; empty: nothing
	hint     string // empty: none
}

// leadGroup are inputs that are folded away until they are wanted.
type leadGroup struct {
	name   string
	inputs []string
}

// leadMain are the inputs that every lead needs, in the order of the form.
var leadMain = []string{"customer", "source", "first_name", "last_name", "phone_cell", "email", "message", "consent_how", "consent_day"}

var leadGroups = []leadGroup{
	{"address", []string{"street", "zip_code", "city"}},
	{"agent", []string{"agent_id", "agent_email", "agent_external_id"}},
	{"reach", []string{"phone_home", "phone_work", "phone_other", "email2"}},
	{"number", []string{"personal_number", "foreign"}},
	{"office", []string{"office_id", "office_customer_id", "office_external_id"}},
	{"intake", []string{"intake"}},
	{"marketing", []string{"referrer", "utm_tags"}},
}

// help says what a group is for, empty where its name does.
func (p StaffLeadFormPage) help(g leadGroup) string {
	if key := "leads.help_" + g.name; hasText(key) {
		return p.T(key)
	}
	return ""
}

// leadForms is the name of the form among those that were refused.
const leadForms = "leads"

// field returns an input of the form.
func (p StaffLeadFormPage) field(name string) leadField {
	f := leadField{name: name}
	if key := "leads.hint_" + name; hasText(key) {
		f.hint = p.T(key)
	}
	switch name {
	case "street", "referrer", "intake":
		f.whole = true
	case "phone_cell", "phone_home", "phone_work", "phone_other":
		f.kind = "tel"
	case "email", "email2", "agent_email":
		f.kind = "email"
	case "consent_day":
		f.kind = "date"
	case "consent_how":
		f.aside = p.T("leads.not_sent")
	case "message":
		f.rows, f.whole = 3, true
	case "utm_tags":
		f.rows, f.whole = 2, true
	case "personal_number":
		if p.HasNumber {
			f.hint = p.T("leads.hint_number_kept")
		}
	}
	if name == "phone_cell" || name == "email" {
		f.aside = p.T("form.optional")
	}
	f.required = slices.Contains([]string{"first_name", "last_name", "message", "consent_how", "consent_day"}, name)
	return f
}

func (p StaffLeadFormPage) value(name string) string { return p.Rejected.Value(leadForms, name) }

func (p StaffLeadFormPage) fault(name string) portal.Sentence {
	return p.Rejected.Fault(leadForms, name)
}

// max returns how many characters an input takes.
func (p StaffLeadFormPage) max(name string) int {
	for _, in := range new(portal.LeadForm).Inputs() {
		if in.Name == name {
			return in.Max
		}
	}
	return 0
}

// focuses reports whether an input is the first that is at fault.
func (p StaffLeadFormPage) focuses(name string) bool {
	order := slices.Clone(leadMain)
	for _, g := range leadGroups {
		order = append(order, g.inputs...)
	}
	at := slices.IndexFunc(order, func(name string) bool { return p.fault(name).Key != "" })
	return at >= 0 && order[at] == name
}

// opens reports whether a group is unfolded: something in it is at fault, or was
// typed. What we have filled in ourselves stands in its summary.
func (p StaffLeadFormPage) opens(g leadGroup) bool {
	if g.name == "number" && p.value("forget_number") != "" {
		return true
	}
	return slices.ContainsFunc(g.inputs, func(name string) bool {
		return p.fault(name).Key != "" || p.value(name) != p.Filled.Get(name)
	})
}

// summary is what a folded group holds.
func (p StaffLeadFormPage) summary(g leadGroup) string {
	if g.name == "number" {
		if p.HasNumber {
			return p.T("leads.stored")
		}
		return ""
	}
	var values []string
	for _, name := range g.inputs {
		if v := p.Filled.Get(name); v != "" {
			values = append(values, strings.Join(strings.Fields(v), ", "))
		}
	}
	return strings.Join(values, ", ")
}

// options returns what there is to choose from for an input, with what was
// chosen, even if that is not offered any more.
func (p StaffLeadFormPage) options(name string) []Option {
	options := map[string][]Option{"customer": p.Offices, "source": p.Sources, "intake": p.Intakes}[name]
	chosen := p.value(name)
	if chosen != "" && p.fault(name).Key == "" && !slices.ContainsFunc(options, func(o Option) bool { return o.ID == chosen }) {
		options = append(slices.Clone(options), Option{ID: chosen, Label: chosen})
	}
	return options
}

// action returns the address that the form is sent to.
func (p StaffLeadFormPage) action() string {
	if p.LeadID != "" {
		return "/staff/leads/" + p.LeadID + "/correction"
	}
	return "/staff/leads"
}

// hidden are the values that nobody types, by name.
func (p StaffLeadFormPage) hidden() url.Values {
	values := url.Values{}
	for name, value := range map[string]string{"form": p.FormKey, "connection": p.Connection, "order": p.OrderID, "lead": p.LeadID} {
		if value != "" {
			values.Set(name, value)
		}
	}
	return values
}

func (p StaffLeadFormPage) title() string {
	if p.LeadID != "" {
		return p.T("leads.edit")
	}
	return p.T("leads.new")
}

func (p StaffLeadFormPage) leadLabel(name string) string {
	if name == "forget_number" {
		return p.T("leads.forget_number")
	}
	return p.T("leads.field_" + name)
}
