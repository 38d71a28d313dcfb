package views

import (
	"io"
	"testing"

	"portico/internal/portal"
)

// BenchmarkRender is a page alone: no database, no network.
func BenchmarkRender(b *testing.B) {
	pages := []struct {
		name string
		page Page
	}{
		{"order form", orderForm("sv", nil)},
		{"order page", orderPage("sv", portal.Active, events())},
		{"workspace", workspace("sv", portal.Active)},
		{"queue", queue("sv")},
	}
	for _, p := range pages {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := p.page.View().Render(b.Context(), io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
