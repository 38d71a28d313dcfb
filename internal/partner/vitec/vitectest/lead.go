package vitectest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"portico/internal/partner/door/doortest"
)

// Lead is a person that a provider told an office of.
type Lead struct {
	ID         string
	Customer   string // the office that it was sent to
	Person     string // who it is about; several leads may be about one
	FirstName  string
	LastName   string
	Body       string // as it came
	To         Receiver
	ReceivedAt time.Time
}

// Receiver is who got a lead. Agent is the user, empty for a Shark tank.
type Receiver struct {
	Kind          ReceiverKind
	Office, Agent string
}

// ReceiverKind says why somebody got a lead.
type ReceiverKind string

// The kinds of receiver.
const (
	ToAgent         ReceiverKind = "agent"
	ToRedistributor ReceiverKind = "redistributor"
	ToSharkTank     ReceiverKind = "shark tank"
)

// leadIn is a lead as it comes in.
type leadIn struct {
	FirstName            string `json:"firstName"`
	LastName             string `json:"lastName"`
	Message              string `json:"message"`
	TypeID               string `json:"typeId"`
	SocialSecurityNumber string `json:"socialSecurityNumber"`
	Telephone            struct{ Home, Work, Cell, Other string }
	Email                struct{ EmailAddress, EmailAddress2 string }
	Address              struct{ StreetAddress, ZipCode, City string }
	AssignmentSourceID   string `json:"assignmentSourceId"`
	Agent                struct{ ID, ExternalID, Email string }
	Office               struct{ ID, CustomerID, ExternalID string }
}

// leadFaults are what is wrong with the fields of a lead.
type leadFaults map[string]string

// invalid is a 400 that names fields. That it is ASP.NET's usual one is assumed.
func invalid(faults leadFaults) doortest.Reply {
	state := map[string][]string{}
	for field, text := range faults {
		state[field] = []string{text}
	}
	return doortest.JSON(http.StatusBadRequest, map[string]any{"message": "The request is invalid.", "modelState": state})
}

// takeLead makes a lead of a person, who may be known, and gives it to somebody.
//
// https://connect.maklare.vitec.net/Help/Api/POST-Service-Contact-customerId-Lead-Person
func (s *Server) takeLead(c call) doortest.Reply {
	var in leadIn
	if json.Unmarshal(c.body, &in) != nil {
		return failure(http.StatusBadRequest, "Ogiltig JSON.")
	}
	to, faults := s.route(in, c.customer)
	s.checkLead(in, faults)
	if len(faults) > 0 {
		return invalid(faults)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	l := Lead{ID: strconv.Itoa(480001 + len(s.state.Leads)), Customer: c.customer, Person: s.person(in), FirstName: in.FirstName,
		LastName: in.LastName, Body: string(c.body), To: to, ReceivedAt: s.options.Now()}
	s.state.Leads = append(s.state.Leads, l)
	s.save()
	if c.fault == FaultNoLeadID {
		return done("")
	}
	return done(l.ID)
}

// checkLead adds what the help page's rules say against a lead.
func (s *Server) checkLead(in leadIn, faults leadFaults) {
	fault := func(field, text string, wrong bool) {
		if wrong {
			faults["person."+field] = text
		}
	}
	length := func(v string) bool { return utf8.RuneCountInString(v) > 30 }
	fault("FirstName", "Förnamn måste vara mellan 1 och 30 tecken.", length(in.FirstName))
	fault("FirstName", "Förnamn krävs.", in.FirstName == "")
	fault("LastName", "Efternamn måste vara mellan 1 och 30 tecken.", length(in.LastName))
	fault("LastName", "Efternamn krävs.", in.LastName == "")
	fault("Message", "Meddelande krävs.", in.Message == "")
	fault("TypeId", "Ange id på befintlig leadskälla.", !hasSource(s.options.Sources, in.TypeID))
	fault("SocialSecurityNumber", "Personnummer måste vara mellan 0 och 20 tecken.", utf8.RuneCountInString(in.SocialSecurityNumber) > 20)
	fault("AssignmentSourceId", "Ange id på befintlig intagskälla.", in.AssignmentSourceID != "" && !hasSource(s.options.Intakes, in.AssignmentSourceID))
}

func hasSource(all []Source, id string) bool {
	return slices.ContainsFunc(all, func(s Source) bool { return s.ID == id })
}

// route says who gets a lead. That an unknown agent or office is refused is assumed.
func (s *Server) route(in leadIn, customer string) (Receiver, leadFaults) {
	faults := leadFaults{}
	office, _ := s.office(customer)
	if in.Office.ID+in.Office.CustomerID+in.Office.ExternalID != "" {
		given, ok := doortest.Find(s.options.Offices, func(o Office) bool {
			return isOrEmpty(in.Office.ID, o.OfficeID) && isOrEmpty(in.Office.CustomerID, o.ID) && isOrEmpty(in.Office.ExternalID, o.ExternalID)
		})
		if !ok {
			faults["person.Office"] = "Kontoret finns inte."
		}
		office = given
	} else if near := s.covering(in.Address.ZipCode); len(near) == 1 {
		office = near[0]
	}
	if in.Agent.ID+in.Agent.ExternalID+in.Agent.Email != "" {
		agent, ok := doortest.Find(s.options.Users, func(u User) bool {
			return isOrEmpty(in.Agent.ID, u.ID) && isOrEmpty(in.Agent.ExternalID, u.ExternalID) && isOrEmpty(in.Agent.Email, u.Email)
		})
		if !ok {
			faults["person.Agent"] = "Mäklaren finns inte."
		}
		return Receiver{ToAgent, office.ID, agent.ID}, faults
	}
	if office.Redistributor != "" {
		return Receiver{ToRedistributor, office.ID, office.Redistributor}, faults
	}
	return Receiver{ToSharkTank, office.ID, ""}, faults
}

func isOrEmpty(given, id string) bool { return given == "" || strings.EqualFold(given, id) }

// covering returns the offices whose focus area covers an address. That zip codes
// say so is assumed.
func (s *Server) covering(zip string) []Office {
	zip = strings.ReplaceAll(zip, " ", "")
	var near []Office
	for _, o := range s.options.Offices {
		if zip != "" && slices.ContainsFunc(o.Areas, func(area string) bool { return strings.HasPrefix(zip, area) }) {
			near = append(near, o)
		}
	}
	return near
}

// Leads returns every lead, the oldest first.
func (s *Server) Leads() []Lead {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.state.Leads)
}

// leadRow is a lead as the page shows it.
type leadRow struct {
	ID, Name, Receiver, Person, At string
}

// leadRows returns the leads, the last first.
func (s *Server) leadRows() []leadRow {
	var rows []leadRow
	for _, l := range s.Leads() {
		rows = append(rows, leadRow{ID: l.ID, Name: l.FirstName + " " + l.LastName, Receiver: s.receiverName(l.To),
			Person: l.Person, At: clock(l.ReceivedAt)})
	}
	slices.Reverse(rows)
	return rows
}

func (s *Server) receiverName(to Receiver) string {
	office, _ := s.office(to.Office)
	user, _ := s.user(to.Agent)
	switch to.Kind {
	case ToAgent:
		return user.Name + ", " + office.Name
	case ToRedistributor:
		return user.Name + " som fördelar, " + office.Name
	}
	return "Shark tank, " + office.Name
}
