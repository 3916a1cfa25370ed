package store

import (
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
)

func TestCursorSurvivesItsText(t *testing.T) {
	for _, c := range []Cursor{{0, ""}, {1767225600000000, "ord_1"}, {-62135596800000000, "a.b.c"}, {7, "Ä/+ "}} {
		got, err := Page{Cursor: c.String()}.After()
		if err != nil || *got != c {
			t.Errorf("%v came back as %v, %v", c, got, err)
		}
	}
}

func TestCursorThatNoListGaveOut(t *testing.T) {
	for _, text := range []string{"x", "!!!", "MTIz", "LmFiYw", Cursor{}.String() + "="} {
		_, err := Page{Cursor: text}.After()
		if apierr.KindOf(err) != apierr.Invalid {
			t.Errorf("%q: %v", text, err)
		}
	}
	if c, err := (Page{}).After(); c != nil || err != nil {
		t.Errorf("the first page follows %v, %v", c, err)
	}
}

func TestPageSize(t *testing.T) {
	for limit, want := range map[int]int{-1: 50, 0: 50, 1: 1, 200: 200, 201: 200} {
		if got := (Page{Limit: limit}).Size(); got != want {
			t.Errorf("limit %d: %d, want %d", limit, got, want)
		}
	}
}

func TestPageBytes(t *testing.T) {
	for bytes, want := range map[int]int{-1: PageBytes, 0: PageBytes, 1: 1, PageBytes: PageBytes, PageBytes + 1: PageBytes} {
		if got := (Page{Bytes: bytes}).MostBytes(); got != want {
			t.Errorf("%d bytes: %d, want %d", bytes, got, want)
		}
	}
}
