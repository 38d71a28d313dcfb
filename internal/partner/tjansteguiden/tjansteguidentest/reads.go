package tjansteguidentest

import (
	"maps"
	"net/http"
	"slices"
	"time"

	"portico/internal/partner/door/doortest"
)

// since returns the first day that a list is asked for.
func (c call) since() (day string, ok bool) {
	day = c.query.Get("date")
	_, err := time.Parse(time.DateOnly, day)
	return day, err == nil
}

// from reports whether a moment is of a day or later: the APIs know no finer time.
func (s *Server) from(day string, t time.Time) bool {
	return t.In(stockholm).Format(time.DateOnly) >= day
}

func badDate(c call) doortest.Reply {
	return c.refuse(http.StatusBadRequest, "Date must be YYYY-MM-DD.")
}

// orderList lists the orders that were created from a day on; that the day is
// not that of their last change is assumed.
func (s *Server) orderList(c call) doortest.Reply {
	day, ok := c.since()
	if !ok {
		return badDate(c)
	}
	var list []element
	for _, o := range s.state.Orders {
		if s.visible(c, o) != nil && s.from(day, o.CreatedAt) {
			list = append(list, tree("order", s.orderFields(o)...))
		}
	}
	return c.done(list...)
}

func (s *Server) orderFields(o *Order) []element {
	delivery := "asap"
	if !o.Delivery.IsZero() {
		delivery = second(o.Delivery)
	}
	return []element{text("id", o.ID), text("type", o.Type), text("date", second(o.CreatedAt)), text("status", o.Status),
		text("service", o.Service), text("xsp", o.XSP), text("delivery", delivery), text("customer", o.Customer.ID)}
}

// orderElement is an order as order_info answers with it (assumed altogether).
func (s *Server) orderElement(c call, o *Order) element {
	fields := append(s.orderFields(o), text("service_uid", o.ServiceUID), text("service_name", o.ServiceName))
	if c.role == RoleKO {
		fields = append(fields, text("xsp_name", s.provider(o.XSP).Name))
	}
	return tree("order", fields...)
}

// logElement is an order's log as order_log answers with it (assumed altogether).
func (s *Server) logElement(o *Order) element {
	var entries []element
	for _, e := range o.Log {
		entries = append(entries, tree("entry", text("date", second(e.At)), text("type", e.Type), text("user", e.User), text("message", e.Message)))
	}
	return tree("log", entries...)
}

// customerList lists the customers that are new from a day on. Here nobody edits
// one, which the network would see too.
func (s *Server) customerList(c call) doortest.Reply {
	day, ok := c.since()
	if !ok {
		return badDate(c)
	}
	var list []element
	for _, o := range s.state.Orders {
		cu := o.Customer
		if s.visible(c, o) == nil || s.firstOf(c, cu.ID) != o || !s.from(day, cu.CreatedAt) {
			continue
		}
		fields := []element{text("id", cu.ID), text("socket", cu.Socket), text("serial", cu.Serial), text("firstname", cu.Firstname), text("surname", cu.Surname)}
		if c.role == RoleKO {
			fields = append(fields, text("email", cu.Email))
		}
		fields = append(fields, text("date", cu.CreatedAt.In(stockholm).Format("2006-01-02 15:04")))
		list = append(list, tree("customer", fields...))
	}
	return c.done(list...)
}

// firstOf returns the first order of a customer's that the caller may see.
func (s *Server) firstOf(c call, customer string) *Order {
	if o := s.customers[customer]; o == nil || s.visible(c, o) != nil {
		return o
	}
	o, _ := doortest.Find(s.state.Orders, func(o *Order) bool { return o.Customer.ID == customer && s.visible(c, o) != nil })
	return o
}

func (s *Server) customerInfo(c call) doortest.Reply {
	o := s.firstOf(c, c.query.Get("id"))
	if o == nil {
		return c.refuse(http.StatusBadRequest, "No customer "+c.query.Get("id")+".") // assumed
	}
	cu, poison := o.Customer, s.poisonOf(o, c.op)
	fields := []element{text("id", cu.ID), text("socket", cu.Socket), text("serial", cu.Serial), text("firstname", cu.Firstname),
		text("surname", cu.Surname), text("email", cu.Email), text("address", cu.Address), text("zip", cu.Zip), text("city", cu.City)}
	if poison == FaultNoSocket || c.fault == FaultNoSocket {
		fields = slices.Delete(fields, 1, 2)
	}
	if c.role == RoleKO {
		fields = append(fields, text("member", cu.Member))
	}
	var data []element
	for _, key := range slices.Sorted(maps.Keys(cu.Data)) {
		data = append(data, text(key, cu.Data[key]))
	}
	return spoil(poison, c.done(tree("customer", fields...), tree("data", data...)))
}

// second writes bare Swedish time (assumed: no page names a zone).
var stockholm = doortest.Zone("Europe/Stockholm")

func second(t time.Time) string { return t.In(stockholm).Format(time.DateTime) }
