package oms

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sized is a document of exactly n bytes of JSON.
func sized(n int) *Object {
	return NewObject(Member{"a", strings.Repeat("x", n-len(`{"a":""}`))})
}

func TestCheckSize(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after *Object
		ok            bool
	}{
		{"a new one of just the size", nil, sized(1000), true},
		{"a new one over it", nil, sized(1001), false},
		{"a small one that grows to the size", sized(500), sized(1000), true},
		{"a small one that grows over it", sized(500), sized(1001), false},
		{"one at the size that grows", sized(1000), sized(1001), false},
		{"a large one that shrinks, and is large still", sized(3000), sized(2000), true},
		{"a large one that stays as large", sized(3000), sized(3000), true},
		{"a large one that grows", sized(3000), sized(3001), false},
		{"escaped characters count as they are stored", nil, NewObject(Member{"a", strings.Repeat("\x01", 170)}), false},
	} {
		err := CheckSize(c.before, c.after, 1000)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && (KindOf(err) != TooLarge || !strings.Contains(err.Error(), "1000 bytes") || !strings.Contains(err.Error(), "--max-order-bytes")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestAtMost: what is said to be small enough is.
func TestAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := &Object{}
		for i, name := range rapid.SliceOfDistinct(rapid.String(), func(s string) string { return s }).Draw(t, "names") {
			var v any = []any{rapid.String().Draw(t, "text"), Number("12.50"), true, nil, false}
			if i%2 == 0 {
				v = NewObject(Member{name, v}, Member{name + "b", []any{}})
			}
			doc.Set(name, v)
		}
		size := int64(len(doc.JSON()))
		if atMost(doc, size-1) {
			t.Fatalf("%s is said to have less than %d bytes", doc.JSON(), size)
		}
		if !atMost(doc, 8*size+2) {
			t.Fatalf("%s is said to have more than eight times its size", doc.JSON())
		}
	})
}

func TestCheckEventCount(t *testing.T) {
	if err := CheckEventCount(make([]*Event, MaxOrderEvents)); err != nil {
		t.Error(err)
	}
	err := CheckEventCount(make([]*Event, MaxOrderEvents+1))
	if KindOf(err) != Invalid || !strings.Contains(err.Error(), "at most 1000 events") {
		t.Error(err)
	}
}

func BenchmarkCheckSize(b *testing.B) {
	line := NewObject(Member{"code", "SHOE-42"}, Member{"quantity", Number("1")}, Member{"placedPrice", Number("999.00")}, Member{"displayName", "Running shoe, blue"})
	lines := make([]any, 30)
	for i := range lines {
		lines[i] = line
	}
	doc := NewObject(Member{"id", "ORD-1"}, Member{"lineItems", lines})
	for b.Loop() {
		_ = CheckSize(nil, doc, DefaultOrderBytes)
	}
}
