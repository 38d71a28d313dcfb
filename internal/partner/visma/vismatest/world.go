package vismatest

import "portico/internal/partner/door/doortest"

// The permissions of an API user. Two of the names are Visma's, the others are
// assumed.
const (
	PermissionOrders = "Marketing Integrator - WRITE"
	PermissionVerify = "Marketing Integrator - READ" // assumed
	PermissionCases  = "Cases - Read"
	PermissionFiles  = "Files - Write" // assumed
)

// AllPermissions are what an API user may have.
var AllPermissions = []string{PermissionOrders, PermissionVerify, PermissionCases, PermissionFiles}

// Tenant is a customer of Visma's, and our API user there.
type Tenant struct {
	ID, Name               string
	ClientID, ClientSecret string
	Permissions            []string
	Integrator             bool // "new order as integrator" is enabled
}

// User is a person at a tenant.
type User struct {
	ID              int
	Tenant          string
	Name, Email     string
	OfficeID        int
	Office, Company string
}

// Case is an assignment of a tenant's. Broker is the user who handles it.
type Case struct {
	ID             int
	Tenant, Number string
	Type           string // one of Core's: PropertyForSale, HolidayHome, …
	Street         string
	ZipCode, City  string
	Broker         int
	Sellers        []string
	Size, Price    string // ready to show
	Status         string
}

// Check is an item of a broker's checklist, which ticks when an order on the case
// reaches a state. Each customer of Visma's makes its own list.
type Check struct {
	Text, State string
}

// Service is what a provider offers inside Core, as Visma has set it up.
type Service struct {
	ID, Name, Description string
	URL                   string // opened for a new order and for an old one
	AuthType              string // flow_token (also if empty), oauth_simplified, oauth, basic
	TokenURL              string // where Core fetches a token, with the OAuth types
	Login, Secret         string // that Core shows there, or with basic
	Query                 map[string]string
}

// DemoTenants returns two customers; their secrets protect nothing.
func DemoTenants() []Tenant {
	return []Tenant{
		{ID: "14", Name: "Fjordlys Eiendomsmegling", ClientID: "nordlys", ClientSecret: "simulator-secret-14", Permissions: AllPermissions, Integrator: true},
		{ID: "22", Name: "Bakke & Datter Megling", ClientID: "nordlys-22", ClientSecret: "simulator-secret-22", Permissions: AllPermissions},
	}
}

// DemoUsers returns people of the DemoTenants.
func DemoUsers() []User {
	return []User{
		{ID: 501, Tenant: "14", Name: "Ingrid Solberg", Email: "ingrid@fjordlys.example", OfficeID: 31, Office: "Fjordlys Bergen sentrum", Company: "Fjordlys Eiendomsmegling AS"},
		{ID: 502, Tenant: "14", Name: "Øyvind Nesse", Email: "oyvind@fjordlys.example", OfficeID: 32, Office: "Fjordlys Voss", Company: "Fjordlys Eiendomsmegling AS"},
		{ID: 611, Tenant: "22", Name: "Kari Bakke", Email: "kari@bakke.example", OfficeID: 41, Office: "Bakke & Datter, Hamar", Company: "Bakke & Datter Megling AS"},
	}
}

// DemoCases returns cases of the DemoTenants.
func DemoCases() []Case {
	return []Case{
		{ID: 66115, Tenant: "14", Number: "14-25-0117", Type: "PropertyForSale", Street: "Nygårdsgaten 84 C", ZipCode: "5008", City: "Bergen", Broker: 501, Sellers: []string{"Torhild Eide", "Arne Eide"}, Size: "3-roms, 71 m²", Price: "4 350 000 kr", Status: "Klargjøring"},
		{ID: 66120, Tenant: "14", Number: "14-25-0121", Type: "PropertyForSale", Street: "Hellandsgata 7", ZipCode: "5700", City: "Voss", Broker: 502, Sellers: []string{"Bjørg Mæland"}, Size: "Enebolig, 168 m²", Price: "5 900 000 kr", Status: "Aktiv"},
		{ID: 66131, Tenant: "14", Number: "14-25-0130", Type: "HolidayHome", Street: "Rjuvenvegen 311", ZipCode: "5713", City: "Vossestrand", Broker: 502, Sellers: []string{"Lars Ytre-Hauge"}, Size: "Hytte, 92 m²", Price: "3 750 000 kr", Status: "Klargjøring"},
		{ID: 70402, Tenant: "22", Number: "22-25-0009", Type: "PropertyForSale", Street: "Strandgata 55", ZipCode: "2317", City: "Hamar", Broker: 611, Sellers: []string{"Siv Aasen"}, Size: "2-roms, 54 m²", Price: "3 190 000 kr", Status: "Klargjøring"},
	}
}

// DemoChecklist returns a broker's checklist.
func DemoChecklist() []Check {
	return []Check{
		{"Leverandøren har mottatt bestillingen", "InProcess"},
		{"Foreløpig polise er på plass", "Created"},
		{"Leveransen er mottatt", "Completed"},
		{"Forsikringen er aktivert", "Activated"},
	}
}

func (s *Server) tenant(id string) (Tenant, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return doortest.Find(s.options.Tenants, func(t Tenant) bool { return t.ID == id })
}

func (s *Server) user(id int) (User, bool) {
	return doortest.Find(s.options.Users, func(u User) bool { return u.ID == id })
}

// caseOf returns a case of a tenant's.
func (s *Server) caseOf(tenant string, id int) (Case, bool) {
	return doortest.Find(s.options.Cases, func(c Case) bool { return c.ID == id && c.Tenant == tenant })
}

func (s *Server) services() []Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Services
}
