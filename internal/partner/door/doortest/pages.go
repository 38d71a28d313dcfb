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

//go:embed templates style.css
var shared embed.FS

// Pages are the pages of a fake for people.
type Pages struct {
	templates map[string]*template.Template
	style     []byte
}

// ParsePages reads a fake's pages, each a file in templates/ that defines "main".
// What the layout of every fake says is defined in templates/words.html, and its
// colours are in style.css. It panics if they cannot be read.
func ParsePages(files fs.FS) Pages {
	p := Pages{templates: map[string]*template.Template{}}
	for _, from := range []fs.FS{shared, files} {
		style, err := fs.ReadFile(from, "style.css")
		if err != nil {
			panic(err)
		}
		p.style = append(p.style, style...)
	}
	layout := template.Must(template.ParseFS(shared, "templates/*.html"))
	template.Must(layout.ParseFS(files, "templates/words.html"))
	names, err := fs.Glob(files, "templates/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		page := template.Must(template.Must(layout.Clone()).ParseFS(files, name))
		p.templates[strings.TrimSuffix(path.Base(name), ".html")] = page
	}
	return p
}

// Render writes a page whole or not at all.
func (p Pages) Render(w http.ResponseWriter, status int, name string, page any) error {
	var b bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&b, "layout", page); err != nil {
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

// Style serves the style sheet.
func (p Pages) Style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	w.Write(p.style) // the browser may have gone
}
