package views

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// TestReadmeExplainsEveryMark: whoever sees a mark on a screen finds in the
// README what it means and what to do.
func TestReadmeExplainsEveryMark(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "### An order looks stuck\n")
	section, _, found := strings.Cut(section, "\n## ")
	if !found {
		t.Fatal("the README has no section of that name")
	}
	messages, err := readLocale(localeFiles, "en")
	if err != nil {
		t.Fatal(err)
	}
	marks := regexp.MustCompile(`^(unsent|why)\.|^(state\.(waiting|failed)|work\.(unverified|unproven|follow_up|direct)|event\.differs|nav\.(outbox|reconciliation|polls)|alarm\.stale)$`)
	seen := 0
	for _, m := range messages {
		if !marks.MatchString(m.ID) {
			continue
		}
		seen++
		longest := ""
		for _, part := range placeholder.Split(m.Other, -1) {
			if part = strings.Trim(part, " .:"); len(part) > len(longest) {
				longest = part
			}
		}
		if !strings.Contains(section, longest) {
			t.Errorf("the README does not explain %q (%s)", longest, m.ID)
		}
	}
	if seen < 20 {
		t.Errorf("only %d marks were looked for", seen)
	}
}
