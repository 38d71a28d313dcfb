package views

import (
	"bytes"
	"compress/gzip"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"portico/static"
)

// TestMarkup holds every screen to what the content policy, screen readers and
// the addresses of its forms require.
func TestMarkup(t *testing.T) {
	t.Parallel()
	for name, p := range pages() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tokens := tokenise(t, render(t, p))
			ids := checkAttributes(t, tokens)
			checkReferences(t, tokens, ids)
			checkHeadings(t, tokens)
		})
	}
}

// checkAttributes returns the ids of a document.
func checkAttributes(t *testing.T, tokens []html.Token) map[string]bool {
	t.Helper()
	ids := map[string]bool{}
	focused := 0
	for _, tok := range tokens {
		if tok.Type != html.StartTagToken && tok.Type != html.SelfClosingTagToken {
			continue
		}
		for _, a := range tok.Attr {
			switch {
			case a.Key == "autofocus":
				focused++
			case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
				t.Errorf("the content policy forbids %s", tok)
			case a.Key == "id" && (ids[a.Val] || a.Val == ""):
				t.Errorf("id %q twice", a.Val)
			case (a.Key == "href" || a.Key == "src" || a.Key == "action") && strings.Contains(a.Val, "about:invalid"):
				t.Errorf("an address was taken for an attack: %s", tok)
			}
		}
		ids[attr(tok, "id")] = true
		if tok.Data == "script" && attr(tok, "nonce") != "NONCE" {
			t.Errorf("script without the nonce: %s", tok)
		}
		if tok.Data == "style" {
			t.Error("a style element")
		}
		if tok.Data == "html" && attr(tok, "lang") == "" {
			t.Error("no lang")
		}
	}
	if focused > 1 {
		t.Errorf("%d inputs want the focus", focused)
	}
	return ids
}

func checkReferences(t *testing.T, tokens []html.Token, ids map[string]bool) {
	t.Helper()
	labelled := map[string]bool{}
	for _, tok := range tokens {
		if tok.Type == html.StartTagToken && tok.Data == "label" {
			labelled[attr(tok, "for")] = true
		}
		for _, name := range []string{"for", "aria-describedby", "aria-labelledby", "popovertarget"} {
			for id := range strings.FieldsSeq(attr(tok, name)) {
				if !ids[id] {
					t.Errorf("%s names no id: %s", name, tok)
				}
			}
		}
		if id, ok := strings.CutPrefix(attr(tok, "href"), "#"); ok && !ids[id] {
			t.Errorf("a link to nowhere: %s", tok)
		}
	}
	inLabel := 0
	for _, tok := range tokens {
		switch {
		case tok.Data == "label" && tok.Type == html.StartTagToken:
			inLabel++
		case tok.Data == "label" && tok.Type == html.EndTagToken:
			inLabel--
		case tok.Type == html.EndTagToken || attr(tok, "type") == "hidden":
		case tok.Data == "input" || tok.Data == "select" || tok.Data == "textarea":
			if inLabel == 0 && !labelled[attr(tok, "id")] {
				t.Errorf("no label: %s", tok)
			}
		}
	}
}

func checkHeadings(t *testing.T, tokens []html.Token) {
	t.Helper()
	last := 0
	for i, tok := range tokens {
		if tok.Type != html.StartTagToken || len(tok.Data) != 2 || tok.Data[0] != 'h' || tok.Data == "hr" {
			continue
		}
		level := int(tok.Data[1] - '0')
		if level > last+1 || level == 1 && last > 0 {
			t.Errorf("<h%d> after <h%d>", level, last)
		}
		last = level
		if tokens[i+1].Type == html.EndTagToken {
			t.Errorf("an empty <h%d>", level)
		}
	}
	if last == 0 {
		t.Error("no heading")
	}
}

func attr(tok html.Token, name string) string {
	for _, a := range tok.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// TestBrokersPageIsLight holds the order page to 60 KB over the wire, in all.
func TestBrokersPageIsLight(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]Page{"form": orderForm("sv", wrong), "order": pages()["order_delivered"]} {
		body := render(t, p)
		size := gzipped(t, body)
		for _, tok := range tokenise(t, body) {
			for _, a := range tok.Attr {
				if strings.Contains(a.Val, "://") && (a.Key == "src" || tok.Data == "link") {
					t.Errorf("%s: asks another host: %s", name, tok)
				}
				if strings.HasPrefix(a.Val, static.Prefix) {
					size += static.Size(a.Val)
				}
			}
		}
		if size > 60_000 {
			t.Errorf("%s: %d bytes", name, size)
		}
		if size < 20_000 {
			t.Errorf("%s: %d bytes, without the styles", name, size)
		}
	}
}

func gzipped(t *testing.T, body string) int {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write([]byte(body)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Len()
}
