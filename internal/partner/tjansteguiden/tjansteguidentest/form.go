package tjansteguidentest

import (
	"net/http"
	"net/mail"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// orderForm is what a customer fills in, as it was typed.
type orderForm struct {
	Service, Socket, Firstname, Surname, Serial, Email, Phone, Delivery, Message string
	Direct                                                                       bool // activated before the provider reads it
}

// formOf returns the form as it is before the person changes anything.
func formOf(p Person, services []Service) orderForm {
	f := orderForm{Socket: p.Socket, Firstname: p.Firstname, Surname: p.Surname, Email: p.Email, Phone: p.Phone}
	if len(p.Serial) == 12 {
		f.Serial = p.Serial[:8] + "-" + p.Serial[8:]
	}
	if len(services) > 0 {
		f.Service = services[0].ID
	}
	return f
}

func readForm(r *http.Request) orderForm {
	value := func(name string) string { return strings.TrimSpace(r.FormValue(name)) }
	return orderForm{Service: value("service"), Socket: value("socket"), Firstname: value("firstname"), Surname: value("surname"),
		Serial: value("serial"), Email: value("email"), Phone: value("phone"), Delivery: value("delivery"), Message: value("message"),
		Direct: value("direct") != ""}
}

// order returns what the form orders, and the faults by field if it cannot be.
func (f orderForm) order(services []Service, today time.Time) (Order, map[string]string) {
	faults := map[string]string{}
	service, ok := doortest.Find(services, func(v Service) bool { return v.ID == f.Service })
	if !ok {
		faults["service"] = "Välj en tjänst."
	}
	at, ok := address(f.Socket)
	if !ok {
		faults["socket"] = "Välj en adress."
	}
	for name, value := range map[string]string{"firstname": f.Firstname, "surname": f.Surname} {
		if value == "" {
			faults[name] = "Fyll i namnet."
		}
	}
	serial := strings.ReplaceAll(f.Serial, "-", "")
	if !validSerial(serial) {
		faults["serial"] = "Skriv tolv siffror som ÅÅÅÅMMDD-NNNN. Den sista siffran kontrolleras."
	}
	if a, err := mail.ParseAddress(f.Email); err != nil || a.Address != f.Email {
		faults["email"] = "Skriv en e-postadress."
	}
	delivery, err := time.ParseInLocation(time.DateOnly, f.Delivery, today.Location())
	if f.Delivery != "" && (err != nil || f.Delivery < today.Format(time.DateOnly)) {
		faults["delivery"] = "Välj i dag eller senare, eller lämna fältet tomt."
	}
	p := Person{Firstname: f.Firstname, Surname: f.Surname, Serial: serial, Email: f.Email, Phone: f.Phone}
	o := Order{Service: service.ID, ServiceUID: service.UID, ServiceName: service.Name, Delivery: delivery, Customer: p.customer(at)}
	if f.Message != "" {
		o.Customer.Data["message"] = f.Message
	}
	if f.Direct {
		o.Status = StatusDelivered
	}
	return o, faults
}

// validSerial reports whether these are the twelve digits of a personal number.
func validSerial(serial string) bool {
	if len(serial) != 12 || strings.Trim(serial, "0123456789") != "" {
		return false
	}
	_, err := time.Parse("20060102", serial[:8])
	return err == nil && checkDigit(serial[2:11]) == int(serial[11]-'0')
}
