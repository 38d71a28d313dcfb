package portal

import (
	"fmt"
	"path"
	"strings"
	"time"
)

// SlowestUpload is how fast a file goes to a partner at least, in bytes a second.
const SlowestUpload = 256 << 10

// uploadTime is what a file needs beside its bytes, on top of the time of an
// ordinary call: seeing first what is there.
const uploadTime = 20 * time.Second

// Upload is a file of a delivery on its way to the partner.
type Upload struct {
	FileID      string `json:"file_id"`
	Name        string `json:"name"` // as staff called it
	As          string `json:"as"`   // at the partner: no other file is called so
	ContentType string `json:"content_type"`
	Size        int64  `json:"size"`
	Key         string `json:"key"`     // in the blob store
	Seconds     int    `json:"seconds"` // that it may take on top of the time of an ordinary call
}

// Extra is how long sending the message may take on top of the time of an
// ordinary call.
func (m Message) Extra() time.Duration {
	if m.Upload == nil {
		return 0
	}
	return time.Duration(m.Upload.Seconds) * time.Second
}

// FileName returns what staff called the file that the message brings, "" if it
// brings none.
func (m Message) FileName() string {
	if m.Upload == nil {
		return ""
	}
	return m.Upload.Name
}

// uploads returns a message for each file of a delivery.
func (o *Order) uploads(d Delivery, now time.Time) []Message {
	var messages []Message
	for i, f := range d.Files {
		m := o.message(Delivered, "", now)
		m.Upload = &Upload{FileID: f.ID, Name: f.Name, As: o.nameThere(d, i), ContentType: f.ContentType, Size: f.Size, Key: f.Key,
			Seconds: int(uploadTime/time.Second + time.Duration(f.Size/SlowestUpload))}
		messages = append(messages, m)
	}
	return messages
}

// nameThere returns the name of a file at the partner. The folder there is shared
// with the other orders and with people, and a file that has the name already
// counts as this one. So it ends with the order and the delivery, and where that
// is not enough with the file's place in it.
func (o *Order) nameThere(d Delivery, i int) string {
	name := d.Files[i].Name
	end := fmt.Sprintf("%d-%d", o.ID, d.Version)
	for j, other := range d.Files {
		if i != j && strings.EqualFold(name, other.Name) {
			end += fmt.Sprintf("-%d", i+1)
			break
		}
	}
	extension := path.Ext(name)
	return strings.TrimSpace(strings.TrimSuffix(name, extension)+" "+end) + extension
}
