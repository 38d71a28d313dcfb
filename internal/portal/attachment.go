package portal

import (
	"maps"
	"slices"
)

// Limits of the files that answer an order form.
const (
	MaxAttachmentSize  = 50 << 20  // bytes, one file
	MaxAttachmentsSize = 200 << 20 // bytes, all files of one sending of the form
	MaxAttachments     = 20        // of an order
)

// Attachment is a file that answers a field of the order form.
type Attachment struct {
	File
	Field string // its id
}

// TakesFiles reports whether any field of the form is answered by files.
func (f Form) TakesFiles() bool {
	return slices.ContainsFunc(f.Fields, func(field Field) bool { return field.Type == FieldFile })
}

// TakesFile reports whether a field of the form is answered by files.
func (f Form) TakesFile(id string) bool {
	return slices.ContainsFunc(f.Fields, func(field Field) bool { return field.ID == id && field.Type == FieldFile })
}

// WithFiles returns what was typed into the form, and the names of files as the
// answers of the fields that take them: nothing that was typed there counts.
func (f Form) WithFiles(typed map[string][]string, files []Attachment) map[string][]string {
	all := maps.Clone(typed)
	if all == nil {
		all = map[string][]string{}
	}
	for _, field := range f.Fields {
		if field.Type == FieldFile {
			delete(all, field.ID)
		}
	}
	for _, a := range files {
		if f.TakesFile(a.Field) {
			all[a.Field] = append(all[a.Field], a.Name)
		}
	}
	return all
}

// Attach reports whether the order may have more files beside those that it has:
// Conflict if its form is sent, Invalid if there are too many.
func (o *Order) Attach(there, more []Attachment) error {
	if o.State != Draft {
		return o.refuse(Received)
	}
	if len(more) > 0 && len(there)+len(more) > MaxAttachments {
		return InvalidFields(FieldErrors{more[0].Field: Say("attachment.many", "Max", MaxAttachments)})
	}
	return nil
}
