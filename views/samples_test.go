package views

import (
	"net/url"
	"time"

	"portico/internal/portal"
)

var (
	stockholm = mustLocation("Europe/Stockholm")
	now       = time.Date(2026, 11, 24, 10, 45, 0, 0, stockholm)

	erik = portal.Staff{ID: 1, Email: "erik@nordljus.example", Name: "Erik Sandberg", Role: portal.RoleFulfiller}
	lisa = portal.Staff{ID: 2, Email: "lisa@nordljus.example", Name: "Lisa Ek", Role: portal.RoleViewer}

	byErik    = erik.Actor()
	byMaja    = portal.Actor{Kind: portal.ActorBroker, ID: 7, Name: "Maja Lindqvist"}
	bySystem  = portal.Actor{Kind: portal.ActorSystem}
	byPartner = portal.Actor{Kind: portal.ActorPartner}
)

func mustLocation(name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return loc
}

func ago(d time.Duration) time.Time { return now.Add(-d) }
func in(d time.Duration) *time.Time { t := now.Add(d); return &t }
func at(d time.Duration) *time.Time { t := now.Add(-d); return &t }
func base(locale, path string) Base { return baseAt(locale, path, now) }
func staffBase(l, p string) Base {
	b := base(l, p)
	b.Staff = erik
	b.Nav = Nav{Open: 218, Overdue: 3, Differences: 4}
	return b
}
func text(sv, nb, en string) portal.Text { return portal.Text{"sv": sv, "nb": nb, "en": en} }

func baseAt(locale, path string, t time.Time) Base {
	return Base{Printer: NewPrinter(locale, stockholm, t), Path: path, Provider: "Nordljus Foto AB",
		SupportEmail: "support@nordljus.example"}
}

var service = portal.Service{ID: "expertfoto", System: "vitec", Flow: portal.FlowPage, TurnaroundHours: 48,
	Reports: []portal.State{portal.Received, portal.Waiting, portal.Delivered, portal.Failed, portal.Cancelled},
	Name:    text("Expertfotografering", "Ekspertfotografering", "Expert photography"),
	Description: text("En fotograf besöker bostaden och levererar redigerade bilder.",
		"En fotograf besøker boligen og leverer redigerte bilder.",
		"A photographer visits the home and delivers edited pictures."),
	Form: portal.Form{Fields: []portal.Field{
		{ID: "package", Type: portal.FieldChoice, Required: true, Label: text("Paket", "Pakke", "Package"), Options: []portal.Option{
			{ID: "small", Label: text("Liten", "Liten", "Small"), Hint: text("15 bilder, leverans inom 48 timmar", "15 bilder, levering innen 48 timer", "15 pictures, delivered within 48 hours"), Price: 249000},
			{ID: "large", Label: text("Stor", "Stor", "Large"), Hint: text("30 bilder och skymningsbilder, leverans inom 48 timmar", "30 bilder og skumringsbilder", "30 pictures and dusk pictures"), Price: 399000},
			{ID: "film", Label: text("Stor med film", "Stor med film", "Large with film"), Hint: text("30 bilder, 60 sekunder film, drönare", "30 bilder, 60 sekunder film, drone", "30 pictures, a film of 60 seconds, drone"), Price: 790000}}},
		{ID: "extras", Type: portal.FieldChoices, Label: text("Tillval", "Tillvalg", "Extras"), Options: []portal.Option{
			{ID: "plan", Label: text("Planritning", "Plantegning", "Floor plan"), Price: 99000},
			{ID: "keys", Label: text("Hämta nyckel på kontoret", "Hente nøkkel på kontoret", "Fetch the key at the office")}}},
		{ID: "day", Type: portal.FieldDate, Label: text("Önskat datum", "Ønsket dato", "Wanted date")},
		{ID: "from", Type: portal.FieldTime, Label: text("Tidigast", "Tidligst", "From")},
		{ID: "rooms", Type: portal.FieldNumber, Label: text("Antal rum", "Antall rom", "Rooms"), Required: true},
		{ID: "access", Type: portal.FieldTextarea, MaxLength: 2000, Label: text("Hur kommer vi in?", "Hvordan kommer vi inn?", "How do we get in?"),
			Hint: text("Fotografen ser det här, ingen annan.", "Fotografen ser dette, ingen andre.", "The photographer sees this, nobody else.")},
		{ID: "phone", Type: portal.FieldPhone, Required: true, Label: text("Säljarens telefon", "Selgerens telefon", "The seller's phone")},
		{ID: "mail", Type: portal.FieldEmail, Label: text("E-post för frågor", "E-post for spørsmål", "E-mail for questions")},
		{ID: "title", Type: portal.FieldText, MaxLength: 80, Label: text("Rubrik i annonsen", "Overskrift i annonsen", "Headline of the advert")},
		{ID: "sketch", Type: portal.FieldFile, Required: true, Label: text("Skiss eller äldre ritning", "Skisse eller eldre tegning", "Sketch or older drawing"),
			Hint: text("En per våning.", "Én per etasje.", "One for each floor.")},
		{ID: "consent", Type: portal.FieldCheckbox, Required: true, Label: text("Säljaren vet att vi kommer", "Selgeren vet at vi kommer", "The seller knows that we come")},
		{ID: "rush", Type: portal.FieldCheckbox, Price: 75000, Label: text("Leverera samma dag", "Lever samme dag", "Deliver the same day")},
	}}}

var typed = url.Values{"package": {"large"}, "extras": {"plan"}, "day": {"2026-11-25"}, "from": {"10:00"}, "rooms": {"4"},
	"access": {"Nyckel i skåpet på kontoret. Säljaren är hemma efter 16."}, "phone": {"070-123 45 67"}, "consent": {"yes"}}

var sketches = []portal.Attachment{{Field: "sketch", File: portal.File{ID: "s1", Name: "övre våningen.pdf", Size: 812_000}},
	{Field: "sketch", File: portal.File{ID: "s2", Name: "Källare och förråd, uppmätt 1987 av förra ägaren.jpg", Size: 2_400_000}}}

var wrong = url.Values{"package": {"small"}, "rooms": {"fyra"}, "phone": {"vet ej"}, "mail": {"maja"}}

func order(state portal.State) portal.Order {
	answers, _ := service.Form.Validate(typed)
	o := portal.Order{ID: 42, PublicID: "5c1f0a7e9b3d4e6f8a2b", Service: service, PartnerOrderID: "ORD-20417", State: state,
		Office: portal.Office{Customer: "M123", Name: "Fastighetsbyrån Umeå"}, Target: portal.Target{Type: "House", ID: "EST-4711"},
		Broker: "Maja Lindqvist", Currency: "SEK", AssignedTo: 1, Assignee: "Erik Sandberg"}
	if state != portal.Draft {
		o.Answers, o.Total = answers, service.Form.Total(answers)
		o.ReceivedAt, o.DueAt = at(25*time.Hour), in(23*time.Hour)
	}
	return o
}

func event(kind portal.EventKind, by portal.Actor, since time.Duration, data portal.EventData) portal.Event {
	hidden := kind == portal.EventNote || kind == portal.EventAssigned || by.Kind == portal.ActorPartner || by.Kind == portal.ActorSystem
	return portal.Event{Kind: kind, Actor: by, ForBroker: !hidden, Data: data, CreatedAt: ago(since)}
}

func events(more ...portal.Event) []portal.Event {
	return append([]portal.Event{
		event(portal.EventOpened, byMaja, 26*time.Hour, portal.EventData{}),
		event(portal.EventReceived, byMaja, 25*time.Hour, portal.EventData{}),
		event(portal.EventReported, byPartner, 25*time.Hour-8*time.Second, portal.EventData{State: portal.Received, Attempt: 2, Took: 214 * time.Millisecond}),
		event(portal.EventMessage, byMaja, 7*time.Hour, portal.EventData{Body: "Säljaren vill gärna vara med. Går det efter 16?"}),
		event(portal.EventNote, byErik, 6*time.Hour+40*time.Minute, portal.EventData{Body: "Ta med vidvinkel, litet badrum."}),
		event(portal.EventAssigned, byErik, 6*time.Hour+5*time.Minute, portal.EventData{Staff: "Erik Sandberg"}),
		event(portal.EventStarted, byErik, 6*time.Hour, portal.EventData{}),
	}, more...)
}

var asked = portal.Interaction{ID: 9, Comment: "Vilken dag passar?", AskedBy: byErik, AskedAt: ago(5 * time.Minute),
	Choices: []string{"Onsdag 25 november, 10–12", "Torsdag 26 november, 13–15"}}

var answered = portal.Interaction{ID: 8, Comment: "Ska vi fotografera källaren också?", AskedBy: byErik, AskedAt: ago(3 * time.Hour),
	Answer: "Ja, men inte pannrummet.", AnsweredAt: at(2 * time.Hour), ClosedAt: at(2 * time.Hour)}

var delivered = []portal.Delivery{
	{ID: 2, Version: 2, Message: "Ny kökbild enligt önskemål.", By: byErik, CreatedAt: ago(20 * time.Minute),
		Files: []portal.File{{ID: "f9", Name: "kok-ny.jpg", ContentType: "image/jpeg", Size: 8_400_000}}},
	{ID: 1, Version: 1, Message: "Hela bildserien, 30 bilder.", By: byErik, CreatedAt: ago(5 * time.Hour),
		Links: []string{"https://film.example/ripvagen-31/visning-med-ett-riktigt-langt-namn-som-inte-far-spranga-kolumnen"},
		Files: []portal.File{{ID: "f1", Name: "IMG_2231.jpg", Size: 24_000_000}, {ID: "f2", Name: "IMG_2232.jpg", Size: 23_100_000},
			{ID: "f3", Name: "Planritning, övre våningen med mått och möblering.pdf", Size: 812_000}}},
}

func sampleJob(id int64, state portal.State, js portal.JobState, attempt int, lastError string) portal.Job {
	j := portal.Job{ID: id, State: js, Attempt: attempt, MaxAttempts: 10, LastError: lastError, CreatedAt: ago(25 * time.Hour),
		RunAt: now.Add(25 * time.Minute), Message: portal.Message{State: state, PartnerOrderID: "ORD-20417"}}
	if attempt > 0 {
		j.Attempts = []portal.Attempt{{StartedAt: ago(25 * time.Hour), Took: 15 * time.Second, Outcome: portal.OutcomeUnknown, Error: "PUT /Service/Order/Status/M123: timeout"},
			{StartedAt: ago(24 * time.Hour), Took: 214 * time.Millisecond, Outcome: portal.OutcomeDone, Receipt: portal.Receipt{Status: 200, Answer: "true"}}}
	}
	if js.Final() {
		j.FinishedAt = at(25*time.Hour - 8*time.Second)
	}
	return j
}

var jobs = []portal.Job{
	sampleJob(3, portal.Delivered, portal.JobAvailable, 0, ""),
	sampleJob(2, portal.Waiting, portal.JobAvailable, 3, "PUT /Service/Order/UserInteraction/M123: 503 Service Unavailable"),
	sampleJob(1, portal.Received, portal.JobCompleted, 2, ""),
}

var previews = map[string]string{
	"deliveries":   "PUT /Service/Order/Status/M123\n{\"id\": \"ORD-20417\", \"status\": \"Delivered\", \"comment\": \"" + CommentMarker + "\"}",
	"interactions": "PUT /Service/Order/UserInteraction/M123\n{\"orderId\": \"ORD-20417\", \"url\": \"https://…\", \"comment\": \"" + CommentMarker + "\"}",
	"failure":      "PUT /Service/Order/Status/M123\n{\"id\": \"ORD-20417\", \"status\": \"Error\", \"comment\": \"" + CommentMarker + "\"}",
	"cancellation": "PUT /Service/Order/Status/M123\n{\"id\": \"ORD-20417\", \"status\": \"Error\", \"comment\": \"" + CommentMarker + "\"}",
}

func orderForm(locale string, typed url.Values) OrderFormPage {
	o := order(portal.Draft)
	p := OrderFormPage{Base: base(locale, "/orders/"+o.PublicID), Turnaround: service.Turnaround()}
	p.OrderPart, p.Description = NewOrderPart(p.Printer, o, p.Path), p.In(service.Description)
	_, faults := service.Form.Validate(service.Form.WithFiles(typed, sketches))
	if typed == nil {
		faults = nil
	} else {
		p.Attached = AttachedFields(p.Printer, service.Form, sketches)
	}
	p.Fields = FormFields(p.Printer, service.Form, typed, faults)
	return p
}

func orderPage(locale string, state portal.State, events []portal.Event) OrderPage {
	o := order(state)
	p := OrderPage{Base: base(locale, "/orders/"+o.PublicID), Viewer: 7, Events: events}
	p.OrderPart = NewOrderPart(p.Printer, o, p.Path)
	p.Attached = AttachedFields(p.Printer, service.Form, sketches)
	return p
}

func workspace(locale string, state portal.State) StaffOrderPage {
	o := order(state)
	p := StaffOrderPage{Base: staffBase(locale, "/staff/orders/"+o.PublicID), Customer: "M123", Broker: o.Broker,
		ReceivedAt: o.ReceivedAt, AssignedTo: 1, Assignee: erik.Name, Colleagues: []portal.Staff{erik, {ID: 3, Name: "Johan Åberg"}},
		Events: events(), Previews: previews}
	p.OrderPart = NewOrderPart(p.Printer, o, p.Path)
	p.Attached = AttachedFields(p.Printer, service.Form, sketches)
	return p
}

func queue(locale string) StaffOrderIndexPage {
	row := func(state portal.State, typ, id, service, office, assignee string, due *time.Time, number string) OrderRow {
		return OrderRow{URL: "/staff/orders/" + number, State: state, Target: portal.Target{Type: typ, ID: id}, Service: service,
			Office: office, Assignee: assignee, DueAt: due, Number: number}
	}
	p := StaffOrderIndexPage{Base: staffBase(locale, "/staff/orders"), Next: "MjAyNi0xMS0yNA",
		Query: OrderQuery{States: portal.OpenStates, Sort: "due"},
		Counts: map[portal.State]int{portal.Draft: 12, portal.Received: 90, portal.Active: 87, portal.Waiting: 31,
			portal.Failed: 10, portal.Delivered: 1840, portal.Cancelled: 44},
		Services: []Option{{ID: "expertfoto", Label: "Expertfotografering"}, {ID: "dronare", Label: "Drönarfilm"}},
		Offices:  []Option{{ID: "M123", Label: "Fastighetsbyrån Umeå"}, {ID: "M200", Label: "Bjurfors Umeå"}},
		Rows: []OrderRow{
			row(portal.Failed, "Premises", "EST-4790", "Expertfotografering", "Bjurfors Umeå", "Maja Ek", at(3*time.Hour), "ORD-20452"),
			row(portal.Active, "House", "EST-4711", "Expertfotografering", "Fastighetsbyrån Umeå", "Erik Sandberg", at(3*time.Hour), "ORD-20417"),
			row(portal.Active, "HousingCooperative", "EST-4712", "Expertfotografering", "Svensk Fastighetsförmedling Umeå Centrum och Teg", "Erik Sandberg", in(2*time.Hour), "ORD-20438"),
			row(portal.Waiting, "House", "EST-4713", "Planritning", "Bjurfors Umeå", "Erik Sandberg", in(9*time.Hour), "ORD-20431"),
			row(portal.Delivered, "Cottage", "7f3c1d2e-88aa-4b1c-9d3e-0c5b7a6f1e2d", "Drönarfilm med skymningsbilder och virtuell visning", "Fastighetsbyrån Umeå", "Erik Sandberg", nil, "ORD-20445"),
			row(portal.Received, "HousingCooperative", "EST-4714", "Virtuell visning", "Fastighetsbyrån Umeå", "", in(28*time.Hour), "ORD-20424"),
			row(portal.Received, "Plot", "EST-4715", "Drönarfilm", "HusmanHagberg Robertsfors", "", in(49*time.Hour), "ORD-20459"),
			row(portal.Draft, "", "", "Expertfotografering", "Länsförsäkringar Fastighetsförmedling Skellefteå", "", nil, "ORD-20473"),
		}}
	p.Rows[1].Unsent = Unsent{State: portal.JobAvailable, Attempt: 3, Error: "503 Service Unavailable", Since: ago(25 * time.Hour)}
	p.Rows[4].Unsent = Unsent{State: portal.JobParked, Attempt: 10, Error: "400 Bad Request", Since: ago(75 * time.Hour)}
	p.Rows[6].Unsent = Unsent{State: portal.JobAvailable, Since: ago(time.Minute)}
	p.Rows[5].Unverified, p.Rows[6].Unverified = true, true
	p.Rows[3].Unproven, p.Creates = true, true
	return p
}

// tried returns a job whose last attempt ended in a certain way.
func tried(j portal.Job, outcome portal.Outcome, status int) portal.Job {
	j.Attempts = []portal.Attempt{{StartedAt: ago(2 * time.Hour), Took: 214 * time.Millisecond, Outcome: outcome,
		Receipt: portal.Receipt{Status: status}, Error: j.LastError}}
	return j
}

func outbox(locale string) StaffOutboxPage {
	row := func(j portal.Job, typ, id, office string, behind bool) OutboxRow {
		return OutboxRow{Job: j, System: "vitec", URL: "/staff/orders/5c1f", Number: "ORD-20417", Office: office, Behind: behind,
			Target: portal.Target{Type: typ, ID: id}}
	}
	refused := tried(sampleJob(12, portal.Delivered, portal.JobParked, 1, "PUT /Service/Order/Status/M200: 400: order is closed"), portal.OutcomeRefused, 400)
	held := tried(sampleJob(16, portal.Delivered, portal.JobAvailable, 0, "PUT /Service/Order/Status/M201: 401"), portal.OutcomeCredential, 401)
	fresh := sampleJob(15, portal.Received, portal.JobAvailable, 0, "")
	fresh.CreatedAt, fresh.RunAt = ago(time.Minute), ago(time.Second)
	return StaffOutboxPage{Base: staffBase(locale, "/staff/outbox"), Counts: OutboxCounts{Parked: 12, Waiting: 1222, Retryable: 1212},
		Connections: []Option{{ID: "vitec", Label: "Vitec Express"}, {ID: "core", Label: "Visma Core"}},
		Offices:     []Option{{ID: "M123", Label: "Fastighetsbyrån Umeå"}, {ID: "M200", Label: "Bjurfors Umeå"}},
		Next:        "MjAyNi0xMS0yNA",
		Rows: []OutboxRow{
			row(refused, "Cottage", "EST-4716", "Bjurfors Umeå", false),
			row(tried(sampleJob(17, portal.Failed, portal.JobParked, 10, "PUT /Service/Order/Status/M123: 500"), portal.OutcomeUnknown, 500), "House", "EST-4713", "Fastighetsbyrån Umeå", false),
			row(tried(jobs[1], portal.OutcomeUnknown, 0), "House", "EST-4711", "Fastighetsbyrån Umeå", false),
			row(jobs[0], "House", "EST-4711", "Fastighetsbyrån Umeå", true),
			row(held, "HousingCooperative", "7f3c1d2e-88aa-4b1c-9d3e-0c5b7a6f1e2d", "Länsförsäkringar Fastighetsförmedling Skellefteå", false),
			row(sampleJob(14, portal.Received, portal.JobRunning, 1, ""), "Plot", "EST-4717", "HusmanHagberg Robertsfors", false),
			row(fresh, "Plot", "EST-4718", "HusmanHagberg Robertsfors", false),
		}}
}
