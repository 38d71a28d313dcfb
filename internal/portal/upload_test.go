package portal

import (
	"testing"
	"time"
)

func TestDeliverBringsFiles(t *testing.T) {
	t.Parallel()
	d := Delivery{Version: 2, Files: []File{{ID: "a", Name: "film", Size: MaxFileSize}, {ID: "b", Name: ".plan"}, {ID: "c", Name: "FILM"}, {ID: "d", Name: "a.b.jpg"}}}
	for _, takes := range []bool{true, false} {
		o := &Order{ID: 7, State: Active, Service: Service{TakesFiles: takes}}
		c, err := o.Deliver(d, Actor{Kind: ActorStaff}, time.Now())
		if err != nil || c.Report != nil {
			t.Fatalf("%+v, %v", c, err)
		}
		if !takes {
			if len(c.Uploads) != 0 {
				t.Errorf("brings %+v to a partner that takes no files", c.Uploads)
			}
			continue
		}
		for i, want := range []string{"film 7-2-1", "7-2.plan", "FILM 7-2-3", "a.b 7-2.jpg"} {
			if m := c.Uploads[i]; m.Upload.As != want || m.Upload.FileID != d.Files[i].ID || m.OrderID != 7 || m.Asks() {
				t.Errorf("%+v, want %s", m.Upload, want)
			}
		}
		if extra := c.Uploads[0].Extra(); extra != uploadTime+MaxFileSize/SlowestUpload*time.Second {
			t.Errorf("%v on top for the largest file", extra)
		}
	}
	if extra := (Message{}).Extra(); extra != 0 {
		t.Errorf("%v on top for a report", extra)
	}
}
