package event

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/ids"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

var publishTime = time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)

func published(t *testing.T, body string) []*Event {
	t.Helper()
	events, _, err := ParseEvents([]byte(body), publishTime)
	if err != nil {
		t.Fatalf("%s: %v", jsondoc.CutStep(body), err)
	}
	return events
}

// docs/contract.md#publishing: each field of an event, in any case.
func TestPublishedEvents(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC)
	for body, want := range map[string]Event{
		`{"type":"custom.thing","data":{},"id":"e1"}`:                                      {Type: "custom.thing", ID: "e1", Timestamp: publishTime},
		`{"TYPE":"a_b-C","Data":{},"ID":"e1","ORDERID":"O 1"}`:                             {Type: "a_b-C", ID: "e1", Timestamp: publishTime, Subject: Subject{"order", "O 1"}, Related: Related{OrderID: "O 1"}},
		`{"id":"~!","data":{},"type":"t","timestamp":"2026-01-02T04:04:05.6789019+01:00"}`: {Type: "t", ID: "~!", Timestamp: at},
		`{"type":"t","data":{},"id":"e","subject":{"ID":"S1","KIND":"shipment"},"orderId":"O1"}`: {Type: "t", ID: "e", Timestamp: publishTime,
			Subject: Subject{"shipment", "S1"}, Related: Related{ShipmentID: "S1", OrderID: "O1"}},
		`{"type":"t","data":{},"id":"e","subject":{"kind":"order","id":"O1"},"orderId":"O1"}`:      {Type: "t", ID: "e", Timestamp: publishTime, Subject: Subject{"order", "O1"}, Related: Related{OrderID: "O1"}},
		`{"type":"t","data":{},"id":"e","subject":{"kind":"return","id":"R"}}`:                     {Type: "t", ID: "e", Timestamp: publishTime, Subject: Subject{"return", "R"}, Related: Related{ReturnID: "R"}},
		`{"type":"t","data":{},"id":"e","subject":{"kind":"cart","id":"C"}}`:                       {Type: "t", ID: "e", Timestamp: publishTime, Subject: Subject{"cart", "C"}, Related: Related{CartID: "C"}},
		`{"type":"t","data":{},"id":"e","subject":{"kind":"subscription","id":"S"}}`:               {Type: "t", ID: "e", Timestamp: publishTime, Subject: Subject{"subscription", "S"}, Related: Related{SubscriptionID: "S"}},
		`{"type":"t","data":{},"id":"e","subject":{"kind":"stockItem","id":"S"}}`:                  {Type: "t", ID: "e", Timestamp: publishTime, Subject: Subject{"stockItem", "S"}, Related: Related{StockItemID: "S"}},
		`{"type":"t","data":{},"id":"e","subject":{"kind":"parcel","id":"P"}}`:                     {Type: "t", ID: "e", Timestamp: publishTime, Subject: Subject{"parcel", "P"}},
		`{"t\u0079pe":"\u0074","data":{},"id":"e","subject":null,"orderId":null,"timestamp":null}`: {Type: "t", ID: "e", Timestamp: publishTime},
	} {
		want.Data = []byte("{}")
		got := *published(t, body)[0]
		if !strings.HasPrefix(got.WebhookID, ids.Webhook) || got.MessageID() != got.WebhookID {
			t.Errorf("%s: its webhook-id is %q", body, got.MessageID())
		}
		got.WebhookID = ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s\n%s", body, diff)
		}
	}
}

func TestAnEventWithoutAnIDGetsOne(t *testing.T) {
	events := published(t, `[{"type":"a","data":{}},{"type":"a","data":{}}]`)
	for _, e := range events {
		if !strings.HasPrefix(e.ID, ids.Event) || e.MessageID() != e.ID {
			t.Errorf("id %q, webhook-id %q", e.ID, e.MessageID())
		}
	}
	if events[0].ID == events[1].ID {
		t.Error("two events have one id")
	}
}

// docs/contract.md#publishing: a publisher's id says nothing of the
// webhook-id, and two events of the same publisher have two.
func TestTheWebhookIDIsMadeHere(t *testing.T) {
	events := published(t, `[{"type":"a","data":{},"id":"evt_019aa4c1f2b07d3e8a6c94e05b7f1d22"},{"type":"a","data":{},"id":"x"}]`)
	a, b := events[0].MessageID(), events[1].MessageID()
	if a == b || a == events[0].ID || strings.Contains(a+b, ".") {
		t.Errorf("%s and %s", a, b)
	}
}

// docs/contract.md#publishing: built-in types are the server's alone, in
// any case.
func TestBuiltInTypesAreNotPublished(t *testing.T) {
	names := []string{TypeExportOrder, "exportorder"}
	for _, known := range EventTypes() {
		names = append(names, known.Name, strings.ToUpper(known.Name), strings.ToLower(known.Name))
	}
	for _, name := range names {
		_, _, err := ParseEvents([]byte(`[{"type":"mine","data":{}},{"type":"`+name+`","data":{}}]`), publishTime)
		if e, ok := err.(*apierr.Error); !ok || e.Kind != apierr.Invalid || len(e.Fields) != 1 || e.Fields[0].Location != "[1].type" || !strings.Contains(e.Fields[0].Message, "alone makes") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"order_completed.v2", "my_order_completed", "OrderAccept"} {
		published(t, `{"type":"`+name+`","data":{}}`)
	}
}

func TestDataIsStoredByteForByte(t *testing.T) {
	const data = "{ \"SKU\" : 1.50,\n\t\"sku\":[1e5, -0.0, 1234567890123456789], \"text\":\"\\u00e6 \\/ <&> \u2028\" }"
	for name, body := range map[string]string{
		"one":            `{"type":"t","data": ` + data + "\n}",
		"many":           `[{"type":"t","data":` + data + `} ]`,
		"with a mark":    "\xef\xbb\xbf" + `{"data":` + data + `,"type":"t"}`,
		"before others":  `{"data":` + data + `,"type":"t","id":"x","orderId":"O"}`,
		"of many others": `[{"type":"t","data":` + data + `},{"type":"t","data":{"other":1}}]`,
	} {
		if got := string(published(t, body)[0].Data); got != data {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestErrorsOfPublishedEvents(t *testing.T) {
	long := strings.Repeat("x", 300)
	for body, want := range map[string]string{
		``:                             "Malformed: the body is empty, an event or a list of events is needed",
		" \n":                          "Malformed: the body is empty, an event or a list of events is needed",
		`{"type":"t","data":{}`:        "Malformed: malformed JSON at line 1, column 22: unexpected EOF",
		`{"type":"t","data":{}}x`:      "Malformed: malformed JSON: something follows the end at line 1, column 23",
		`[{"type":"t","data":{}}] []`:  "Malformed: malformed JSON: something follows the end at line 1, column 26",
		`{"type":"t","data":{"a":01}}`: "Malformed: malformed JSON at line 1, column 26: invalid character '1' after object value (expecting ',' or '}')",
		"{\"type\":\"t\",\"data\":{\"a\":\"\xff\"}}": "Malformed: malformed JSON at line 1, column 26: invalid UTF-8",
		`{"type":"t","data":{"a":"\ud800"}}`:         "Malformed: malformed JSON at line 1, column 26: invalid surrogate pair `\\ud800\"}}` in string",
		`7`:                                          "Invalid: an event or a list of events is needed, not a number",
		`null`:                                       "Invalid: an event or a list of events is needed, not null",
		`[]`:                                         "Invalid: holds no event",
		`[{"type":"t","data":{}},7,[]]`:              "Invalid: [1]: must be an event, not a number; [2]: must be an event, not a list",
		`{}`:                                         "Invalid: type: must name a type of events; data: is needed, as an object",
		`{"type":"a b","data":[]}`:                   "Invalid: data: must be an object, not a list",
		`{"type":"a b","data":{}}`:                   "Invalid: type: must be of letters, digits, _, - and .",
		`{"type":"a*","data":{}}`:                    "Invalid: type: must be of letters, digits, _, - and .",
		`{"type":7,"data":"x","id":{},"subject":"s","orderId":[],"timestamp":1}`: "Invalid: type: must be text, not a number; data: must be an object, not text; id: must be text, not an object; " +
			"subject: must be an object with kind and id, not text; orderId: must be text, not a list; timestamp: must be text, not a number; timestamp: must be a time as 2026-11-21T09:30:00Z",
		`{"type":"t","data":{},"id":""}`:                                                      "Invalid: id: must have from 1 to 255 characters; leave it out and one is made",
		`{"type":"t","data":{},"id":"` + long + `"}`:                                          "Invalid: id: must have from 1 to 255 characters; leave it out and one is made",
		`{"type":"t","data":{},"id":"a b"}`:                                                   "Invalid: id: must be of visible ASCII characters",
		`{"type":"t","data":{},"id":"ø"}`:                                                     "Invalid: id: must be of visible ASCII characters",
		`{"type":"t","data":{},"id":".."}`:                                                    "Invalid: id: must hold no dot",
		`[{"type":"t","data":{},"id":"a.b"}]`:                                                 "Invalid: [0].id: must hold no dot",
		`{"type":"t","data":{},"id":"/"}`:                                                     `Invalid: id: must not be "/", which cannot stand in a URL`,
		`{"type":"t","data":{},"timestamp":"9999-12-31T23:59:59-12:00"}`:                      "Invalid: timestamp: must lie in the UTC years 1970 to 9998",
		`{"type":"t","data":{},"timestamp":"1969-12-31T23:59:59Z"}`:                           "Invalid: timestamp: must lie in the UTC years 1970 to 9998",
		`{"type":"t","data":{},"orderId":""}`:                                                 "Invalid: orderId: must not be empty",
		`{"type":"t","data":{},"orderId":"a\nb"}`:                                             "Invalid: orderId: must not hold control characters",
		`{"type":"t","data":{},"orderId":"` + long + `"}`:                                     "Invalid: orderId: must be at most 200 bytes long",
		`{"type":"t","data":{},"timestamp":"yesterday"}`:                                      "Invalid: timestamp: must be a time as 2026-11-21T09:30:00Z",
		`{"type":"t","data":{},"subject":{}}`:                                                 "Invalid: subject.kind: must be from 1 to 50 letters, digits, _, - and .; subject.id: must not be empty",
		`{"type":"t","data":{},"subject":{"kind":1,"id":"a","x":2}}`:                          "Invalid: subject.kind: must be text, not a number; subject.x: is no field of subject; there are kind, id",
		`{"type":"t","data":{},"subject":{"kind":"order","id":"A","ID":"B"}}`:                 "Invalid: subject.id: the field is there twice; names are compared without regard to case",
		`{"type":"t","data":{},"subject":{"kind":"order","id":"A"},"orderId":"B"}`:            "Invalid: orderId: is another order than the subject",
		`{"type":"t","TYPE":"u","data":{}}`:                                                   "Invalid: type: the field is there twice; names are compared without regard to case",
		`{"type":"t","type":"u","data":{}}`:                                                   "Invalid: type: the field is there twice",
		`[{"type":"t","data":{"a":[1,{"b":1,"b":2}]}}]`:                                       "Invalid: [0].data.a[1].b: the field is there twice",
		`{"type":"t","data":{},"typo":"u","colour":1}`:                                        "Invalid: typo: is no field of an event; is type meant?; colour: is no field of an event; there are type, data, id, subject, orderId, timestamp",
		`[{"type":"t","data":{}},{"type":"","data":{}},{"type":"t"}]`:                         "Invalid: [1].type: must name a type of events; [2].data: is needed, as an object",
		`{"type":"t","data":` + strings.Repeat(`{"a":`, 101) + `1` + strings.Repeat("}", 102): "Invalid: data: nests deeper than 100 levels",
	} {
		_, _, err := ParseEvents([]byte(body), publishTime)
		if e, ok := err.(*apierr.Error); !ok || fmt.Sprintf("%s: %s", map[apierr.Kind]string{apierr.Malformed: "Malformed", apierr.Invalid: "Invalid"}[e.Kind], e) != want {
			t.Errorf("%s\n is %v\nnot %s", jsondoc.CutStep(body), err, want)
		}
	}
}

func TestHowManyEventsCanBePublishedAtOnce(t *testing.T) {
	list := func(n int) string {
		return "[" + strings.TrimSuffix(strings.Repeat(`{"type":"t","data":{}},`, n), ",") + "]"
	}
	if n := len(published(t, list(1000))); n != 1000 {
		t.Errorf("%d events", n)
	}
	if _, _, err := ParseEvents([]byte(list(1001)), publishTime); apierr.KindOf(err) != apierr.Invalid || !strings.Contains(err.Error(), "1000") {
		t.Errorf("1001 events: %v", err)
	}
}

func TestDeepData(t *testing.T) {
	deep := func(n int) string {
		return `{"type":"t","data":{"a":` + strings.Repeat("[", n) + strings.Repeat("]", n) + `}}`
	}
	published(t, deep(99))
	for _, n := range []int{100, 9_000, 20_000, 1_000_000} {
		if _, _, err := ParseEvents([]byte(deep(n)), publishTime); apierr.KindOf(err) != apierr.Invalid || !strings.Contains(err.Error(), "nests deeper") {
			t.Errorf("%d deep: %v", n, err)
		}
	}
	published(t, `{"type":"t","data":{"a":"`+strings.Repeat("[{", 500)+`\"","b":[`+strings.Repeat("[],", 500)+`1]}}`)
	published(t, `{"type":"t","data":{"a":"\"`+strings.Repeat("[{", 500)+`"}}`)
	published(t, `{"type":"t","data":{"a":"\\","b":"`+strings.Repeat("[{", 500)+`"}}`)
}

// What is a small part of a body does not keep all of it in memory.
func TestSmallDataIsNoPartOfALargeBody(t *testing.T) {
	body := []byte(`[{"type":"t","data":{"a":1}},{"type":"t","data":{"pad":"` + strings.Repeat("x", 1000) + `"}}]`)
	events := published(t, string(body))
	if string(events[0].Data) != `{"a":1}` {
		t.Fatalf("data %s", events[0].Data)
	}
	events, _, err := ParseEvents(body, publishTime)
	if err != nil {
		t.Fatal(err)
	}
	clear(body)
	if string(events[0].Data) != `{"a":1}` {
		t.Errorf("the data lies in the body's memory: %q", events[0].Data)
	}
}

func TestErrorsOfEventsAreBounded(t *testing.T) {
	_, _, err := ParseEvents([]byte("["+strings.Repeat("1,", 900)+"2]"), publishTime)
	if e, ok := err.(*apierr.Error); !ok || len(e.Fields) != schema.MostFieldErrors {
		t.Errorf("%v", err)
	}
}

// FuzzPublishedEvents holds ParseEvents against Parse: what it takes is JSON,
// and data comes out as it went in.
func FuzzPublishedEvents(f *testing.F) {
	f.Add([]byte(`{"type":"t","data":{"a":1},"subject":{"kind":"order","id":"1"}}`))
	f.Add([]byte(`[{"type":"t","data":{}},{"Type":"t","data":{"a":[{"b":"\u00e6"}]},"id":"x"}]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		events, single, err := ParseEvents(body, publishTime)
		if err != nil {
			if _, ok := err.(*apierr.Error); !ok {
				t.Fatalf("%T", err)
			}
			return
		}
		if single != (len(events) == 1 && !strings.HasPrefix(strings.Trim(string(body), "\xef\xbb\xbf"+jsondoc.Whitespace), "[")) {
			t.Errorf("single: %v", single)
		}
		for _, e := range events {
			if !strings.Contains(string(body), string(e.Data)) || !e.Data.IsValid() {
				t.Errorf("data %q", e.Data)
			}
			if e.ID == "" || e.Type == "" || e.Timestamp.IsZero() || (e.Subject.Kind == "") != (e.Subject.ID == "") {
				t.Errorf("incomplete: %+v", e)
			}
			if full := e.Body(FormatFull); !strings.Contains(string(full), string(e.Data)) {
				t.Errorf("body %s", full)
			}
		}
	})
}

func BenchmarkParseEvents(b *testing.B) {
	var lines []string
	for i := range 10 {
		lines = append(lines, fmt.Sprintf(`{"lineItemId":"%d","code":"SHOE-%d","quantity":1,"placedPrice":999.00,"displayName":"Running shoe, blue, size 42"}`, i, i))
	}
	one := `{"type":"erp_confirmed","orderId":"ORD-12345","data":{"id":"ORD-12345","customerEmail":"kari@example.com","orderForm":{"lineItems":[` + strings.Join(lines, ",") + `]}}}`
	many := "[" + strings.Repeat(one+",", 99) + one + "]"
	for name, body := range map[string]string{"1": one, "100": many} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ParseEvents([]byte(body), publishTime); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
