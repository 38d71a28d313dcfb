package vismatest

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/internal/partner/door/doortest"
)

// Folder is the one folder that every case has.
const (
	Folder   = "Markedsføring"
	folderID = "5d0c1b6e-3a55-4a6f-9d1c-0a4b6d0e7f21"
)

// File is a file that was put on a case.
type File struct {
	ID, Name, Type string
	Tenant         string
	Case           int
	Size           int
	TagIDs         []json.RawMessage
	At             time.Time
}

// Files returns the files on a case, in the order of arrival.
func (s *Server) Files(tenant string, caseID int) []File {
	s.mu.Lock()
	defer s.mu.Unlock()
	var files []File
	for _, f := range s.state.Files {
		if f.Tenant == tenant && f.Case == caseID {
			files = append(files, f)
		}
	}
	return files
}

var filterPattern = regexp.MustCompile(`^(Id|CaseId) eq ([0-9]+)$`)

// search finds a case by its id, the one filter that the fake knows.
func (s *Server) search(c call) doortest.Reply {
	filter := filterPattern.FindStringSubmatch(c.query.Get("$filter"))
	if top, err := strconv.Atoi(c.query.Get("$top")); filter == nil || err != nil || top > 100 {
		return failure(http.StatusBadRequest, "The query is not valid.")
	}
	rows := []map[string]any{}
	id, _ := strconv.Atoi(filter[2]) // digits, by the pattern
	if one, ok := s.caseOf(c.tenant.ID, id); ok {
		rows = append(rows, s.row(one, strings.Split(c.query.Get("$select"), ",")))
	}
	if c.query.Get("$inlinecount") == "allpages" {
		return done(map[string]any{"Count": len(rows), "Results": rows})
	}
	return done(rows)
}

func (s *Server) row(c Case, fields []string) map[string]any {
	broker, _ := s.user(c.Broker)
	all := map[string]any{"Id": c.ID, "CaseId": c.ID, "CaseReferralKey": c.Number, "CaseCategoryType": c.Type,
		"Address": c.Street + ", " + c.ZipCode + " " + c.City, "Street": c.Street, "ZipCode": c.ZipCode, "City": c.City,
		"BrokerId": c.Broker, "BrokerName": broker.Name, "OfficeId": broker.OfficeID, "Office": broker.Office,
		"Sellers": strings.Join(c.Sellers, ", ")}
	row := map[string]any{}
	for _, field := range fields {
		if value, ok := all[field]; ok {
			row[field] = value
		}
	}
	return row
}

// folder lists what is on a case: its one folder, or what is in that. That items
// have a Name is assumed.
func (s *Server) folder(c call) doortest.Reply {
	id, err := strconv.Atoi(c.path("case"))
	_, known := s.caseOf(c.tenant.ID, id)
	switch folder := c.path("folder"); {
	case err != nil || !known, folder != "" && folder != folderID:
		return failure(http.StatusNotFound, "Not found.")
	case folder == "":
		return done([]map[string]any{{"Id": folderID, "Name": Folder, "Type": "Folder"}})
	}
	items := []map[string]any{}
	for _, f := range s.Files(c.tenant.ID, id) {
		items = append(items, map[string]any{"Id": f.ID, "Name": f.Name, "Type": "File"})
	}
	return done(items)
}

// upload takes the form of Visma's own program: the file, and a part "request"
// with its name and tags in JSON.
func (s *Server) upload(c call) doortest.Reply {
	id, err := strconv.Atoi(c.path("case"))
	if _, known := s.caseOf(c.tenant.ID, id); err != nil || !known || c.path("folder") != folderID {
		return failure(http.StatusNotFound, "Not found.")
	}
	f := File{ID: newGUID(), Tenant: c.tenant.ID, Case: id, At: s.options.Now(), Size: -1}
	_, params, err := mime.ParseMediaType(c.header.Get("Content-Type"))
	if err != nil {
		return failure(http.StatusBadRequest, "The form cannot be read.")
	}
	for form := multipart.NewReader(bytes.NewReader(c.body), params["boundary"]); ; {
		part, err := form.NextPart()
		if err == io.EOF {
			break
		}
		var raw []byte
		if err == nil {
			raw, err = io.ReadAll(part)
		}
		if err == nil && part.FormName() == "request" {
			var in struct {
				Name   string
				TagIDs []json.RawMessage `json:"TagIds"`
			}
			err = json.Unmarshal(raw, &in)
			f.Name, f.TagIDs = in.Name, in.TagIDs
		} else if err == nil {
			f.Type, f.Size = part.Header.Get("Content-Type"), len(raw)
		}
		if err != nil {
			return failure(http.StatusBadRequest, "The form cannot be read.")
		}
	}
	if f.Name == "" || f.Size < 0 {
		return failure(http.StatusBadRequest, "The file or its name is missing.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Files = append(slices.Clip(s.state.Files), f)
	s.save()
	return done(map[string]string{"Value": f.ID})
}
