package vitectest

import (
	"cmp"

	"portico/internal/partner/door/doortest"
)

// statusName returns the Swedish word for a status; others are shown as they are.
func statusName(status string) string {
	return cmp.Or(map[string]string{StatusOrdered: "Beställd", StatusReceived: "Mottagen", "Error": "Fel",
		"Delivered": "Levererad"}[status], status)
}

// typeName returns the Swedish word for a type of estate.
func typeName(t string) string {
	return cmp.Or(map[string]string{"House": "Villa", "Cottage": "Fritidshus", "HousingCooperative": "Bostadsrätt",
		"Condominium": "Ägarlägenhet", "Farm": "Gård", "Plot": "Tomt", "CommercialProperty": "Kommersiell fastighet",
		"Premises": "Lokal", "ForeignProperty": "Utlandsobjekt"}[t], t)
}

var words = doortest.Words{
	Ops: []doortest.OpName{
		{Op: OpAny, Name: "Alla anrop"},
		{Op: OpToken, Name: "Token till biljett"},
		{Op: OpStatus, Name: "Sätt status"},
		{Op: OpInteraction, Name: "Fråga till användaren"},
		{Op: OpList, Name: "Lista beställningar"},
		{Op: OpLead, Name: "Tips"},
	},
	Unknown: "Okänd metod",
	On:      "På för: %s", Always: ", tills vidare", Once: ", ett anrop kvar", Times: ", %d anrop kvar",
}
