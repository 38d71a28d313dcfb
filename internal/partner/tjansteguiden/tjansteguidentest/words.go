package tjansteguidentest

import (
	"cmp"

	"portico/internal/partner/door/doortest"
)

// statusName returns the Swedish word for a status; others are shown as they are.
func statusName(status string) string {
	return cmp.Or(map[string]string{StatusNew: "Ny", StatusReceived: "Mottagen", StatusActive: "Aktiv", StatusWaiting: "Väntar",
		StatusDelivered: "Levererad", StatusCancelled: "Avbruten"}[status], status)
}

// typeName returns the Swedish word for a type of message.
func typeName(t string) string {
	return cmp.Or(map[string]string{"error": "Fel", "alert": "Viktigt", "system": "System", "log": "Meddelande"}[t], t)
}

// shapeNames are what people call the shapes of an answer.
var shapeNames = map[Shape]string{
	ShapeDocumented:   "Som exemplen i dokumentationen",
	ShapeMethod:       "Metodens namn, response och status, överallt",
	ShapeServiceguide: "Roten heter serviceguide",
	ShapeNested:       "Metodens namn ligger under en annan rot",
	ShapeBare:         "Utan response när något läses",
	ShapeStatusless:   "Utan status när något läses",
}

var words = doortest.Words{
	Ops: []doortest.OpName{
		{Op: OpAny, Name: "Alla anrop"},
		{Op: OpLogin, Name: "Inloggning (api_login)"},
		{Op: OpOrders, Name: "Lista beställningar (orders)"},
		{Op: OpOrderInfo, Name: "En beställning (order_info)"},
		{Op: OpCustomerInfo, Name: "En kund (customer_info)"},
		{Op: OpCustomers, Name: "Lista kunder (customers)"},
		{Op: OpOrderLog, Name: "Logg (order_log)"},
		{Op: OpSetStatus, Name: "Sätt status (set_status)"},
		{Op: OpAddMessage, Name: "Meddelande (add_message)"},
	},
	Unknown: "Okänd metod",
	On:      "På för: %s", Always: ", tills vidare", Once: ", ett anrop kvar", Times: ", %d anrop kvar",
}
