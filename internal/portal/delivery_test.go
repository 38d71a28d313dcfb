package portal_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/internal/portal"
)

func TestParseLinks(t *testing.T) {
	t.Parallel()
	long := "https://example.com/" + strings.Repeat("a", 1980)
	for name, c := range map[string]struct {
		typed string
		want  []string
		bad   string // the line that is quoted
	}{
		"none":            {"", nil, ""},
		"blank lines":     {" \r\n\t\n", nil, ""},
		"one":             {"https://example.com/film", []string{"https://example.com/film"}, ""},
		"two":             {"https://a.example/\r\n\r\n  http://b.example:8080/x?y=1#z  \n", []string{"https://a.example/", "http://b.example:8080/x?y=1#z"}, ""},
		"as long as can":  {long, []string{long}, ""},
		"too long":        {long + "a", nil, long + "a"},
		"javascript":      {"javascript:alert(1)", nil, "javascript:alert(1)"},
		"with slashes":    {"javascript://example.com/%0aalert(1)", nil, "javascript://example.com/%0aalert(1)"},
		"data":            {"data:text/html,<script>", nil, "data:text/html,<script>"},
		"no scheme":       {"www.example.com", nil, "www.example.com"},
		"scheme-relative": {"//example.com/x", nil, "//example.com/x"},
		"no host":         {"https:///x", nil, "https:///x"},
		"a port alone":    {"https://:443/x", nil, "https://:443/x"},
		"file":            {"file:///etc/passwd", nil, "file:///etc/passwd"},
		"the second":      {"https://a.example/\nftp://b.example/", nil, "ftp://b.example/"},
		"NUL":             {"https://a.example/\x00", nil, "https://a.example/\x00"},
		"invalid UTF-8":   {"https://a.example/\xff", nil, "https://a.example/\xff"},
		"a password":      {"https://u:p@a.example/", []string{"https://u:p@a.example/"}, ""},
	} {
		got, say := portal.ParseLinks(c.typed)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if (say != nil) != (c.bad != "") || say != nil && (say.Key != "delivery.bad_link" || say.Args["Link"] != c.bad) {
			t.Errorf("%s: %v, want %q to be named", name, say, c.bad)
		}
	}
}

func TestParseLinksHasALimit(t *testing.T) {
	t.Parallel()
	var typed strings.Builder
	for i := range portal.MaxLinks {
		fmt.Fprintf(&typed, "https://example.com/%d\n", i)
	}
	if links, say := portal.ParseLinks(typed.String()); say != nil || len(links) != portal.MaxLinks {
		t.Errorf("%d links, %v", len(links), say)
	}
	typed.WriteString("https://example.com/more")
	if links, say := portal.ParseLinks(typed.String()); say == nil || say.Key != "delivery.many_links" || links != nil {
		t.Errorf("%d links, %v", len(links), say)
	}
}
