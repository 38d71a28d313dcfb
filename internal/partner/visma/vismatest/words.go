package vismatest

import (
	"cmp"

	"portico/internal/partner/door/doortest"
)

// stateName returns Core's Norwegian label of a state.
func stateName(state string) string {
	return cmp.Or(map[string]string{"Unknown": "Ukjent", "CreatedNotSent": "Opprettet", "InProcess": "Under behandling", "Error": "Feil",
		"MissingInfo": "Manglende info", "Completed": "Ferdig", "Cancelled": "Kansellert", "Created": "Opprettet polise",
		"Activated": "Aktivert"}[state], state)
}

// typeName returns the Norwegian word for a type of case.
func typeName(t string) string {
	return cmp.Or(map[string]string{"PropertyForSale": "Bolig til salgs", "HolidayHome": "Fritidsbolig", "Plot": "Tomt",
		"Construction": "Nybygg", "Industry": "Næring", "Condominium": "Selveierleilighet"}[t], t)
}

var words = doortest.Words{
	Ops: []doortest.OpName{
		{Op: doortest.OpAny, Name: "Alle kall"},
		{Op: OpToken, Name: "Token til API-brukeren"},
		{Op: OpVerify, Name: "Hvem kommer (VerifyToken)"},
		{Op: OpState, Name: "Ny status (updatestate)"},
		{Op: OpUpdate, Name: "Tittel og metadata (PATCH)"},
		{Op: OpCreate, Name: "Ny bestilling fra leverandøren"},
		{Op: OpSearch, Name: "Les oppdraget"},
		{Op: OpList, Name: "Les mappe"},
		{Op: OpUpload, Name: "Legg inn fil"},
	},
	Unknown: "Ukjent metode",
	On:      "På for: %s", Always: ", til det slås av", Once: ", ett kall igjen", Times: ", %d kall igjen",
}
