package doortest

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
)

//go:embed layout.html style.css templates words
var shared embed.FS

// Pages are the pages of a fake for people.
type Pages struct {
	templates map[string]*template.Template
	style     []byte
}

// ParsePages reads a fake's pages, each a file in templates/ that defines "main".
// Those that every fake has are there already, in the language given (sv or nb):
// what they and the layout say of the fake is defined in templates/words.html,
// and "more" of the page of faults in templates/faults.html. The fake's colours
// are in style.css. It panics if any of them cannot be read.
func ParsePages(language string, files fs.FS) Pages {
	p := Pages{templates: map[string]*template.Template{}}
	layout := template.Must(template.ParseFS(shared, "layout.html", "words/"+language+".html"))
	template.Must(layout.ParseFS(files, "templates/words.html"))
	for _, from := range []fs.FS{shared, files} {
		style, err := fs.ReadFile(from, "style.css")
		if err != nil {
			panic(err)
		}
		p.style = append(p.style, style...)
		names, err := fs.Glob(from, "templates/*.html")
		if err != nil {
			panic(err)
		}
		for _, name := range names {
			id := strings.TrimSuffix(path.Base(name), ".html")
			if p.templates[id] == nil {
				p.templates[id] = template.Must(layout.Clone())
			}
			template.Must(p.templates[id].ParseFS(from, name))
		}
	}
	return p
}

// render writes a page whole or not at all.
func (p Pages) render(w http.ResponseWriter, status int, name string, data page) error {
	var b bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&b, "layout", data); err != nil {
		return fmt.Errorf("render the page %s of the simulator: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	// No form-action: it would also forbid the redirect from an order to the portal.
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; frame-ancestors 'none'")
	w.WriteHeader(status)
	w.Write(b.Bytes()) // the browser may have gone
	return nil
}

// serveStyle serves the style sheet.
func (p Pages) serveStyle(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(p.style) // the browser may have gone
}
