package tjansteguidentest

import (
	"fmt"
	"strconv"
	"time"

	"portico/internal/partner/door/doortest"
)

// Provider is a service provider, by the number that orders name it with.
type Provider struct {
	XSP, Name string
}

// Service is what the first provider offers. UID is what the network calls it.
type Service struct {
	ID, UID, Name, Description string
}

// Address is a customer port of a network's: Socket is its accessId.
type Address struct {
	Socket, Street, Zip, City, Premise string
}

// Person is somebody who orders on the pages. Serial is a personal number.
type Person struct {
	ID, Firstname, Surname, Serial, Email, Phone, Socket string
}

// DemoProviders returns ours and another.
func DemoProviders() []Provider {
	return []Provider{{XSP: "31420", Name: "Nordljus Bredband"}, {XSP: "31421", Name: "Påhittade Nät"}}
}

// DemoAddresses returns invented addresses, the last of them in another network.
func DemoAddresses() []Address {
	return []Address{
		{Socket: "KC0101A06", Street: "Testgatan 10 B", Zip: "64430", City: "Torshälla", Premise: "1002"},
		{Socket: "KC0101A07", Street: "Testgatan 10 B", Zip: "64430", City: "Torshälla", Premise: "1003"},
		{Socket: "KC0102B01", Street: "Exempelvägen 4", Zip: "64431", City: "Torshälla", Premise: "villa"},
		{Socket: "KC0103A12", Street: "Påhittsgränd 7", Zip: "64432", City: "Torshälla", Premise: "1201"},
		{Socket: "CCTW0151B87", Street: "Provstigen 2", Zip: "64434", City: "Torshälla", Premise: "1101"},
	}
}

// DemoPeople returns people who do not exist, one for each of the DemoAddresses.
func DemoPeople() []Person {
	return []Person{
		{ID: "susanne", Firstname: "Susanne", Surname: "Testqvist", Serial: "199001012385", Email: "susanne.testqvist@epost.example", Phone: "0701740605", Socket: "KC0101A06"},
		{ID: "anton", Firstname: "Anton", Surname: "Testblom", Serial: "198504122386", Email: "anton.testblom@epost.example", Phone: "0701740606", Socket: "KC0101A07"},
		{ID: "asa", Firstname: "Åsa", Surname: "Provström", Serial: "197109232392", Email: "asa.provstrom@epost.example", Phone: "0701740607", Socket: "KC0102B01"},
		{ID: "orjan", Firstname: "Örjan", Surname: "Exempelsson", Serial: "196411302398", Email: "orjan.exempelsson@epost.example", Phone: "0701740608", Socket: "KC0103A12"},
		{ID: "mina", Firstname: "Mina", Surname: "Påhittdal", Serial: "200207082389", Email: "mina.pahittdal@epost.example", Phone: "0701740609", Socket: "CCTW0151B87"},
	}
}

func address(socket string) (Address, bool) {
	return doortest.Find(DemoAddresses(), func(a Address) bool { return a.Socket == socket })
}

func person(id string) (Person, bool) {
	return doortest.Find(DemoPeople(), func(p Person) bool { return p.ID == id })
}

// customer returns a person as a customer at an address.
func (p Person) customer(a Address) Customer {
	return Customer{Socket: a.Socket, Serial: p.Serial, Firstname: p.Firstname, Surname: p.Surname, Email: p.Email,
		Address: a.Street, Zip: a.Zip, City: a.City, Data: map[string]string{"phone": p.Phone, "premise": a.Premise}}
}

// generated returns the customer of a number, with a personal number and a socket
// of its own.
func generated(n int) Customer {
	born := time.Date(1950, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, n).Format("20060102")
	serial := born + "238"
	serial += strconv.Itoa(checkDigit(serial[2:]))
	return Customer{Socket: fmt.Sprintf("KC%02d%02dA%02d", n/10000%100, n/100%100, n%100), Serial: serial,
		Firstname: fmt.Sprintf("Prov%d", n), Surname: "Testqvist", Email: fmt.Sprintf("prov%d@epost.example", n),
		Address: fmt.Sprintf("Testgatan %d", n), Zip: "64430", City: "Torshälla",
		Data: map[string]string{"phone": "0" + strconv.Itoa(701740605+n%95), "premise": strconv.Itoa(1001 + n%8)}}
}

// checkDigit returns the last digit of a personal number from the nine before.
func checkDigit(nine string) int {
	sum := 0
	for i, c := range nine {
		n := int(c-'0') * (2 - i%2)
		sum += n/10 + n%10
	}
	return (10 - sum%10) % 10
}

func (s *Server) services() []Service {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.options.Services
}

func (s *Server) provider(xsp string) Provider {
	p, _ := doortest.Find(s.options.Providers, func(p Provider) bool { return p.XSP == xsp })
	return p
}
