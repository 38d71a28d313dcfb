package vitectest

import "portico/internal/partner/door/doortest"

// Office is a customer of Vitec's. Only offices of a chain have a chain id.
type Office struct {
	ID, Name, City, Tenant string
	Chain, ChainID         string
	OfficeID, ExternalID   string   // its other ids
	Areas                  []string // beginnings of the zip codes of its focus area
	Redistributor          string   // the user who gets leads that name no agent; empty: its Shark tank does
}

// User is a person at an office.
type User struct {
	ID, Office, Name, Title string
	ExternalID, Email       string
}

// Source is where leads or assignments come from.
type Source struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Estate is an object that an office sells. Agent is the user who handles it.
type Estate struct {
	ID, Office, Agent       string
	Type                    string // one of Connect's names: House, HousingCooperative, …
	Street, Zip, City, Area string
	Rooms, Size, Price      string // ready to show
	Status                  string
}

// Service is what a provider offers inside Vitec Express. Orders of it are sent
// to CallbackURL: by the user's browser, or in the background by Vitec itself.
type Service struct {
	ID, Name, Description, CallbackURL string
	Background                         bool
}

// DemoOffices returns three offices; two are of one chain and one environment.
// Their focus areas overlap at 744, and one hands no leads out.
func DemoOffices() []Office {
	return []Office{
		{ID: "M30011", Name: "Kajplats Fastighetsmäkleri Uppsala", City: "Uppsala", Tenant: "T2011", Chain: "Kajplats", ChainID: "G41",
			OfficeID: "FIR30011", ExternalID: "kajplats-uppsala", Areas: []string{"75", "744"}, Redistributor: "MED30011_124"},
		{ID: "M30012", Name: "Kajplats Fastighetsmäkleri Enköping", City: "Enköping", Tenant: "T2011", Chain: "Kajplats", ChainID: "G41",
			OfficeID: "FIR30012", ExternalID: "kajplats-enkoping", Areas: []string{"745", "744"}},
		{ID: "M30420", Name: "Bergvik & Dotter Mäklarbyrå", City: "Falun", Tenant: "T2420",
			OfficeID: "FIR30420", ExternalID: "bergvik", Areas: []string{"791"}, Redistributor: "MED30420_302"},
	}
}

// DemoUsers returns two people of each of the DemoOffices.
func DemoUsers() []User {
	return []User{
		{ID: "MED30011_118", Office: "M30011", Name: "Åsa Lindqvist", Title: "Fastighetsmäklare", ExternalID: "E118", Email: "asa.lindqvist@kajplats.example"},
		{ID: "MED30011_124", Office: "M30011", Name: "Jonas Öberg", Title: "Mäklarassistent", ExternalID: "E124", Email: "jonas.oberg@kajplats.example"},
		{ID: "MED30012_207", Office: "M30012", Name: "Mehmet Yıldız", Title: "Fastighetsmäklare", ExternalID: "E207", Email: "mehmet.yildiz@kajplats.example"},
		{ID: "MED30012_211", Office: "M30012", Name: "Karin Sjöström", Title: "Kontorschef", ExternalID: "E211", Email: "karin.sjostrom@kajplats.example"},
		{ID: "MED30420_301", Office: "M30420", Name: "Elin Bergvik", Title: "Fastighetsmäklare", ExternalID: "E301", Email: "elin@bergvik.example"},
		{ID: "MED30420_302", Office: "M30420", Name: "Per-Håkan Näslund", Title: "Koordinator", ExternalID: "E302", Email: "per-hakan@bergvik.example"},
	}
}

// DemoEstates returns ten objects of the DemoOffices.
func DemoEstates() []Estate {
	return []Estate{
		{ID: "OBJ30011_1684210", Office: "M30011", Agent: "MED30011_118", Type: "HousingCooperative", Street: "Kungsängsgatan 21 B, lgh 1302", Zip: "753 22", City: "Uppsala", Area: "Kungsängen", Rooms: "3 rum", Size: "78 m²", Price: "4 295 000 kr", Status: "Kommande"},
		{ID: "OBJ30011_1684377", Office: "M30011", Agent: "MED30011_118", Type: "House", Street: "Malma Bergsväg 4", Zip: "756 45", City: "Uppsala", Area: "Norby", Rooms: "6 rum", Size: "164 + 40 m²", Price: "7 950 000 kr", Status: "Inför försäljning"},
		{ID: "OBJ30011_1684512", Office: "M30011", Agent: "MED30011_118", Type: "Cottage", Street: "Ekoln Strandväg 17", Zip: "755 98", City: "Uppsala", Area: "Skarholmen", Rooms: "4 rum", Size: "71 m²", Price: "3 450 000 kr", Status: "Till salu"},
		{ID: "OBJ30011_1684630", Office: "M30011", Agent: "MED30011_118", Type: "HousingCooperative", Street: "Övre Slottsgatan 9, lgh 1001", Zip: "753 10", City: "Uppsala", Area: "Centrum", Rooms: "2 rum", Size: "52,5 m²", Price: "3 195 000 kr", Status: "Kommande"},
		{ID: "OBJ30012_2201184", Office: "M30012", Agent: "MED30012_207", Type: "House", Street: "Ågatan 12", Zip: "745 31", City: "Enköping", Area: "Bergvreten", Rooms: "5 rum", Size: "132 m²", Price: "4 750 000 kr", Status: "Till salu"},
		{ID: "OBJ30012_2201301", Office: "M30012", Agent: "MED30012_207", Type: "Farm", Street: "Härkeberga Prästgård 3", Zip: "745 96", City: "Enköping", Area: "Härkeberga", Rooms: "8 rum", Size: "240 m², 12 ha", Price: "9 800 000 kr", Status: "Inför försäljning"},
		{ID: "OBJ30012_2201355", Office: "M30012", Agent: "MED30012_207", Type: "Plot", Street: "Haga Näs tomt 14", Zip: "745 98", City: "Enköping", Area: "Haga", Size: "1 840 m²", Price: "1 150 000 kr", Status: "Till salu"},
		{ID: "OBJ30420_0417720", Office: "M30420", Agent: "MED30420_301", Type: "House", Street: "Östanforsgatan 38", Zip: "791 37", City: "Falun", Area: "Östanfors", Rooms: "4 rum", Size: "98 m²", Price: "3 895 000 kr", Status: "Kommande"},
		{ID: "OBJ30420_0417733", Office: "M30420", Agent: "MED30420_301", Type: "Cottage", Street: "Björnåsstigen 6", Zip: "791 96", City: "Falun", Area: "Sundborn", Rooms: "3 rum", Size: "55 m²", Price: "1 695 000 kr", Status: "Till salu"},
		{ID: "OBJ30420_0417748", Office: "M30420", Agent: "MED30420_301", Type: "Premises", Street: "Åsgatan 40", Zip: "791 71", City: "Falun", Area: "Centrum", Size: "210 m²", Price: "6 200 000 kr", Status: "Inför försäljning"},
	}
}

// DemoSources returns the sources that a lead may come from.
func DemoSources() []Source {
	return []Source{{ID: "17", Name: "Tips från leverantör"}, {ID: "21", Name: "Fotografering"}}
}

// DemoIntakes returns the sources that an assignment may come from.
func DemoIntakes() []Source {
	return []Source{{ID: "3", Name: "Granne"}, {ID: "5", Name: "Tidigare kund"}}
}

// demoRetention is how many days the fake's connection keeps a lead.
const demoRetention = 90

func (s *Server) office(id string) (Office, bool) {
	return doortest.Find(s.options.Offices, func(o Office) bool { return o.ID == id })
}

func (s *Server) user(id string) (User, bool) {
	return doortest.Find(s.options.Users, func(u User) bool { return u.ID == id })
}

func (s *Server) estate(id string) (Estate, bool) {
	return doortest.Find(s.options.Estates, func(e Estate) bool { return e.ID == id })
}
