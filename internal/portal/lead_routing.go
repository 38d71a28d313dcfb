package portal

// Route says what the partner will do with the lead.
func (l Lead) Route() Sentence {
	return RouteOf(l.Agent != LeadAgent{}, l.Office != LeadOffice{}, l.Street+l.ZipCode+l.City != "", l.Customer)
}

// RouteOf says what the partner will do with a lead that is sent to an office, a
// customer of the partner's: who receives it, and at which office. Where the
// person lives matters only if no office is given, and who hands leads out there
// only if no agent is.
func RouteOf(agent, office, address bool, customer string) Sentence {
	switch {
	case agent && office:
		return Say("lead.route_agent_office")
	case agent && address:
		return Say("lead.route_agent_address", "Customer", customer)
	case agent:
		return Say("lead.route_agent_customer", "Customer", customer)
	case office:
		return Say("lead.route_office")
	case address:
		return Say("lead.route_address", "Customer", customer)
	}
	return Say("lead.route_customer", "Customer", customer)
}
