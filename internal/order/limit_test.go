package order

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// sized is a document of exactly n bytes of JSON.
func sized(n int) *jsondoc.Object {
	return jsondoc.NewObject(jsondoc.Pair("a", strings.Repeat("x", n-len(`{"a":""}`))))
}

func TestCheckSize(t *testing.T) {
	for _, c := range []struct {
		name          string
		before, after *jsondoc.Object
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
		{"escaped characters count as they are stored", nil, jsondoc.NewObject(jsondoc.Pair("a", strings.Repeat("\x01", 170))), false},
	} {
		err := CheckSize(c.before, c.after, 1000)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && (apierr.KindOf(err) != apierr.TooLarge || !strings.Contains(err.Error(), "1000 bytes") || !strings.Contains(err.Error(), "--max-order-bytes")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestAtMost: what is said to be small enough is.
func TestAtMost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		doc := &jsondoc.Object{}
		for i, name := range rapid.SliceOfDistinct(rapid.String(), func(s string) string { return s }).Draw(t, "names") {
			var v any = []any{rapid.String().Draw(t, "text"), jsondoc.Number("12.50"), true, nil, false}
			if i%2 == 0 {
				v = jsondoc.NewObject(jsondoc.Pair(name, v), jsondoc.Pair(name+"b", []any{}))
			}
			doc.Set(name, v)
		}
		size := int64(len(doc.JSON()))
		if remaining(doc, size-1) >= 0 {
			t.Fatalf("%s is said to have less than %d bytes", doc.JSON(), size)
		}
		if remaining(doc, 8*size+2) < 0 {
			t.Fatalf("%s is said to have more than eight times its size", doc.JSON())
		}
	})
}

func BenchmarkCheckSize(b *testing.B) {
	line := jsondoc.NewObject(jsondoc.Pair("code", "SHOE-42"), jsondoc.Pair("quantity", jsondoc.Number("1")), jsondoc.Pair("placedPrice", jsondoc.Number("999.00")), jsondoc.Pair("displayName", "Running shoe, blue"))
	lines := make([]any, 30)
	for i := range lines {
		lines[i] = line
	}
	doc := jsondoc.NewObject(jsondoc.Pair("id", "ORD-1"), jsondoc.Pair("lineItems", lines))
	for b.Loop() {
		_ = CheckSize(nil, doc, DefaultOrderBytes)
	}
}

// TestSize: a document's size is that of its JSON, but for what is escaped.
func TestSize(t *testing.T) {
	for _, text := range []string{`{}`, `{"a":1.50,"b":[1,null,true,"x"],"c":{"d":"é"},"e":[]}`, `{"a":"` + strings.Repeat("x", 1<<20) + `"}`} {
		o, err := schema.Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := o.Size(), len(o.JSON()); got < want || got > want+want/4+2 {
			t.Errorf("%.60s: %d bytes, want about %d", text, got, want)
		}
	}
}
