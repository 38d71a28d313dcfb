package views

import (
	"slices"
	"strings"

	"portico/internal/portal"
)

func lastSegment(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// meaning says in words what the state means.
func (p StaffLeadPage) meaning() string {
	key := "leads.means_" + string(p.State)
	switch {
	case p.stopped():
		key = "leads.means_stopped"
	case p.State == portal.LeadSent && p.ConfirmedBy != "":
		key = "leads.means_confirmed"
	}
	return p.T(key, "System", p.SystemName(p.System), "Name", p.ConfirmedBy)
}

// words are the partner's, by the input that they are about.
func (p StaffLeadPage) words() []AnswerLine {
	var lines []AnswerLine
	for _, in := range new(portal.LeadForm).Inputs() {
		if text := p.Faults[in.Name]; text != "" {
			lines = append(lines, AnswerLine{p.T("leads.field_" + in.Name), text})
		}
	}
	if p.Refusal != "" {
		lines = append(lines, AnswerLine{"", p.Refusal})
	}
	return lines
}

func (p StaffLeadPage) number() string {
	if p.Foreign {
		return p.T("leads.foreign", "Number", p.PersonalNumber)
	}
	return p.PersonalNumber
}

func (p StaffLeadPage) personFacts() []AnswerLine {
	address := strings.TrimSpace(p.ZipCode + " " + p.City)
	if p.Street != "" && address != "" {
		address = ", " + address
	}
	return p.known([]AnswerLine{
		{p.T("leads.field_phone_cell"), p.Telephone.Cell}, {p.T("leads.field_phone_home"), p.Telephone.Home},
		{p.T("leads.field_phone_work"), p.Telephone.Work}, {p.T("leads.field_phone_other"), p.Telephone.Other},
		{p.T("leads.field_email"), p.Email}, {p.T("leads.field_email2"), p.Email2},
		{p.T("facts.address"), p.Street + address}, {p.T("leads.field_message"), p.Message},
		{p.T("leads.consent"), p.consent()}})
}

func (p StaffLeadPage) consent() string {
	if p.Consent.Day == "" {
		return p.Consent.How
	}
	return strings.TrimSpace(p.Consent.How + ", " + p.Date(p.Consent.Day))
}

func (p StaffLeadPage) sendingFacts() []AnswerLine {
	var tags []string
	for _, t := range p.Marketing.UTMTags {
		tags = append(tags, t.Name+"="+t.Value)
	}
	lines := []AnswerLine{
		{p.T("leads.partner_id", "System", p.SystemName(p.System)), p.PartnerID},
		{p.T("facts.office"), p.OfficeLabel},
		{p.T("leads.field_office_id"), p.Office.ID}, {p.T("leads.field_office_customer_id"), p.Office.CustomerID},
		{p.T("leads.field_office_external_id"), p.Office.ExternalID},
		{p.T("leads.field_agent_id"), p.Agent.ID}, {p.T("leads.field_agent_email"), p.Agent.Email},
		{p.T("leads.field_agent_external_id"), p.Agent.ExternalID},
		{p.T("leads.field_source"), p.Source}, {p.T("leads.field_intake"), p.Intake},
		{p.T("leads.field_referrer"), p.Marketing.Referrer}, {p.T("leads.field_utm_tags"), strings.Join(tags, "\n")},
		{p.T("leads.staff"), p.SentBy}, {p.T("leads.created"), p.When(p.CreatedAt)}}
	if p.SentAt != nil {
		lines = append(lines, AnswerLine{p.T("leads.sent_at"), p.When(*p.SentAt)})
	}
	return p.known(lines)
}

// known leaves out the lines that say nothing.
func (p StaffLeadPage) known(lines []AnswerLine) []AnswerLine {
	return slices.DeleteFunc(lines, func(l AnswerLine) bool { return l.Value == "" })
}

// watch reports whether the lead is worth looking at again in a moment. Not for
// long: each look keeps the reader signed in.
func (p StaffLeadPage) watch() bool {
	j := p.Job
	return !j.State.Final() && j.State != portal.JobParked && j.Attempt <= 1 && p.now.Sub(j.RunAt) < watchFor
}
