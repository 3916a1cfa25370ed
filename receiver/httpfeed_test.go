package receiver

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAFeedIsReadOverHTTP(t *testing.T) {
	var asked []string
	body := `{"items":[
		{"position":"17","previous":"0","eventId":"evt_1","webhookId":"msg_1","type":"OrderCreated","body":{"id":"evt_1","type":"OrderCreated","data":{"id":"o1","total":1.10}}},
		{"position":"19","previous":"17","webhookId":"evt_2","type":"x","body":{"orderId":"o1","eventType":"x"}},
		{"position":"23","previous":"19","gone":"removed"}],"next":"29","more":true,"lost":{"after":"5","upTo":"11"}}`
	code := 200
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String()+" "+r.Header.Get("Authorization"))
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
	}))
	defer s.Close()
	f := &HTTPFeed{URL: s.URL + "/", Key: "the-key", Endpoint: "ep_1/x"}
	page, err := f.After(t.Context(), "5", 1500*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if page.Next != "29" || !page.More || page.Lost != "events after the position 5, up to 11" || len(page.Events) != 3 {
		t.Errorf("the page is %+v", page)
	}
	one, two, three := page.Events[0], page.Events[1], page.Events[2]
	order, err := one.Order()
	if err != nil || order.Total != "1.10" || one.Key != "msg_1" || one.ID != "evt_1" || one.Position != "17" || one.Previous != "" {
		t.Errorf("the first event is %+v, %v", one, err)
	}
	if two.OrderID != "o1" || two.Type != "x" || two.Previous != "17" || three.Gone != "removed" || three.Position != "23" {
		t.Errorf("the others are %+v and %+v", two, three)
	}
	if _, err := f.After(t.Context(), "", 0); err != nil {
		t.Error(err)
	}
	if got := strings.Join(asked, "\n"); got != "/api/endpoints/ep_1%2Fx/feed?after=5&wait=PT1.5S Bearer the-key\n/api/endpoints/ep_1%2Fx/feed? Bearer the-key" {
		t.Errorf("asked %s", got)
	}

	for _, c := range []struct {
		code       int
		body, want string
	}{
		{404, `{"detail":"no endpoint has the id ep_1","errors":[{"location":"query.after","message":"is none"}]}`, "404 Not Found: no endpoint has the id ep_1: query.after is none"},
		{502, `<html>`, "502 Bad Gateway"},
		{302, ``, "302 Found"},
		{200, `<html>`, "read the feed"},
		{200, `{}`, "no page of a feed"},
		{200, `{"next":"1","items":[{"position":"7","body":{"a":1}}]}`, "the event at 7"},
	} {
		code, body = c.code, c.body
		if _, err := f.After(t.Context(), "", 0); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "the-key") {
			t.Errorf("%d %s: %v", c.code, c.body, err)
		}
	}
	s.Close()
	if _, err := f.After(t.Context(), "", 0); err == nil || strings.Contains(err.Error(), "the-key") {
		t.Errorf("without a server: %v", err)
	}
	f.URL = "::"
	if _, err := f.After(t.Context(), "", 0); err == nil {
		t.Error("a URL that is none was asked")
	}
}
