package visma

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"

	"portico/internal/partner/door"
	"portico/internal/portal"
)

// caseFields are what is asked for of a case, and no more.
var caseFields = []string{"Id", "CaseId", "CaseReferralKey", "CaseCategoryType", "Address", "Street", "ZipCode", "City", "BrokerName", "Office"}

// caseRow is a row of Core's search.
type caseRow struct {
	ID      door.Text `json:"Id"`
	CaseID  door.Text `json:"CaseId"`
	Number  door.Text `json:"CaseReferralKey"`
	Type    door.Text `json:"CaseCategoryType"`
	Address string
	Street  string
	ZipCode door.Text
	City    string
	Broker  string `json:"BrokerName"`
	Office  string
	Sellers names
}

// names are a text or a list of texts: of Sellers no example is published.
type names []string

// UnmarshalJSON splits a text at its commas.
func (n *names) UnmarshalJSON(raw []byte) error {
	var one string
	if json.Unmarshal(raw, &one) != nil {
		return json.Unmarshal(raw, (*[]string)(n))
	}
	for name := range strings.SplitSeq(one, ",") {
		if name = strings.TrimSpace(name); name != "" {
			*n = append(*n, name)
		}
	}
	return nil
}

// Describe reads what an order is about, a case of a tenant's. The sellers' names are asked for only if
// they are wanted: otherwise they are not even fetched. It returns NotFound if
// the tenant has no such case; any other error is a *portal.ReportError.
//
// https://visma-real-estate-solutions.github.io/core-documentation/common
func (c *Client) Describe(ctx context.Context, customer string, target portal.Target, sellers bool) (portal.Details, error) {
	t, err := c.tenant(customer)
	if err != nil {
		return portal.Details{}, classify(err)
	}
	caseID := target.ID
	if !casePattern.MatchString(caseID) {
		return portal.Details{}, portal.Errorf(portal.NotFound, "partner.no_case", "Case", caseID)
	}
	fields := caseFields
	if sellers {
		fields = append(fields[:len(fields):len(fields)], "Sellers")
	}
	answer, err := t.do(ctx, door.Request{Method: http.MethodPost, Path: api + "Search/AdvancedPropertySearch", Private: true,
		Query: url.Values{"$inlinecount": {"allpages"}, "$skip": {"0"}, "$top": {"2"},
			"$select": {strings.Join(fields, ",")}, "$filter": {c.config.CaseField + " eq " + caseID}}})
	if err != nil {
		return portal.Details{}, classify(err)
	}
	rows, err := readRows(answer)
	if err != nil {
		return portal.Details{}, classify(err)
	}
	for _, row := range rows {
		if id := map[string]door.Text{"Id": row.ID, "CaseId": row.CaseID}[c.config.CaseField]; string(id) == caseID {
			return row.said(sellers), nil
		}
	}
	return portal.Details{}, portal.Errorf(portal.NotFound, "partner.no_case", "Case", caseID)
}

// readRows reads a list with a count, as it was asked for, or without.
func readRows(a door.Answer) ([]caseRow, error) {
	if bytes.HasPrefix(bytes.TrimSpace(a.Body), []byte("[")) {
		var rows []caseRow
		err := read(a, &rows, "the list of cases")
		return rows, err
	}
	var list struct{ Results []caseRow }
	err := read(a, &list, "the list of cases")
	return list.Results, err
}

func (r caseRow) said(sellers bool) portal.Details {
	street := r.Street
	if street == "" {
		street = r.Address
	}
	c := portal.Details{Number: printable(string(r.Number)), Type: printable(string(r.Type)), Street: printable(street),
		ZipCode: printable(string(r.ZipCode)), City: printable(r.City), Broker: printable(r.Broker), Office: printable(r.Office)}
	for _, name := range r.Sellers {
		if name = printable(name); sellers && name != "" {
			c.Sellers = append(c.Sellers, name)
		}
	}
	return c
}
