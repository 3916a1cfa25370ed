package app

import (
	"slices"
	"testing"

	"github.com/orderhook/orderhook/internal/jsondoc"
)

// TestTheTotalOfAnOrderInCSV is that of its form, else the one beside it; and a text is no
// formula.
func TestTheTotalOfAnOrderInCSV(t *testing.T) {
	for text, want := range map[string][]string{
		`{"id":"=1","orderForm":{"total":999.00},"total":10.10}`: {"'=1", "999.00"},
		`{"id":"1","orderForm":{"total":null},"total":10.10}`:    {"1", "10.10"},
		`{"id":"1","orderForm":[],"total":10.10}`:                {"1", "10.10"},
		`{"id":"1"}`: {"1", ""},
	} {
		doc, err := jsondoc.Read([]byte(text), jsondoc.Reading{Levels: 9})
		if err != nil {
			t.Fatal(err)
		}
		if got := cells(doc, []string{"id", "total"}); !slices.Equal(got, want) {
			t.Errorf("%s has the cells %q, want %q", text, got, want)
		}
	}
}
