package portal

// Office is a broker's office, the partner's customer.
type Office struct {
	ID       int64  `db:"id"`
	Customer string `db:"customer_id"`
	Name     string `db:"name"` // empty: not known
}

// Label returns the office's name, or the partner's id where that is not known.
func (o Office) Label() string {
	if o.Name != "" {
		return o.Name
	}
	return o.Customer
}
