package applyfile

import (
	"regexp"
	"slices"

	"portico/internal/portal"
)

// A field's id is the name of its input. The page has an input of its own: lang.
var fieldPattern = regexp.MustCompile(`^[a-z][a-z0-9_]{0,40}$`)

const (
	ownInput  = "lang"
	maxLength = 20_000 // characters of an answer
)

func form(v value) []portal.Field {
	var fields []portal.Field
	seen := map[string]bool{}
	for _, item := range v.list() {
		fields = append(fields, field(item, seen))
	}
	return fields
}

func field(v value, seen map[string]bool) portal.Field {
	o := v.object()
	var f portal.Field
	id := o.required("id")
	f.ID, _ = id.matching(fieldPattern, "the name of an input: small letters, digits and _, a letter first, at most 41")
	if f.ID == ownInput {
		id.fault("the order page has a %s of its own", ownInput)
	}
	if seen[f.ID] {
		id.fault("another field has this id")
	}
	if f.ID != "" {
		seen[f.ID] = true
	}
	f.Type, _ = oneOf(o.required("type"), portal.FieldTypes...)
	f.Required = o.optional("required").yes()
	f.Label = localized(o.required("label"))
	f.Hint = localized(o.optional("hint"))
	f.MaxLength = length(o.optional("max_length"), f.Type)
	price := o.optional("price")
	if price.there() && f.Type != "" && f.Type != portal.FieldCheckbox {
		price.fault("only a checkbox and the options of a choice have a price")
	}
	f.Price = price.whole(0, maxPrice)
	f.Options = options(o, f.Type)
	o.end()
	return f
}

func length(v value, t portal.FieldType) int {
	hasLength := []portal.FieldType{portal.FieldText, portal.FieldTextarea, portal.FieldEmail, portal.FieldPhone}
	if v.there() && t != "" && !slices.Contains(hasLength, t) {
		v.fault("only %s have a length", listed(hasLength, "and"))
	}
	return int(v.whole(1, maxLength))
}

func options(o *object, t portal.FieldType) []portal.Option {
	v := o.optional("options")
	switch choice := t == portal.FieldChoice || t == portal.FieldChoices; {
	case choice:
		v = o.required("options")
	case v.there() && t != "":
		v.fault("only a choice has options")
	}
	if v.there() && len(v.list()) == 0 {
		v.fault("needs at least one option")
	}
	var all []portal.Option
	for _, item := range v.list() {
		option := option(item)
		same := func(other portal.Option) bool { return other.ID == option.ID && option.ID != "" }
		if slices.ContainsFunc(all, same) {
			item.object().optional("id").fault("another option has this id")
		}
		all = append(all, option)
	}
	return all
}

func option(v value) portal.Option {
	o := v.object()
	var option portal.Option
	option.ID, _ = o.required("id").matching(idPattern, idRule)
	option.Label = localized(o.required("label"))
	option.Hint = localized(o.optional("hint"))
	option.Price = o.optional("price").whole(0, maxPrice)
	o.end()
	return option
}
