package contract

import "testing"

// TestListsAreCounted: with count=true a list says how many its filter picks, whatever
// the page is; without, it says nothing of that.
func TestListsAreCounted(t *testing.T) {
	r, _ := placed(t, step{Host: answering(t, canceled).URL, Stop: true})
	for _, id := range []string{"a", "b", "c"} {
		r.call("POST", "/api/orders", `{"id":"`+id+`","status":"Held","marketId":"NOR"}`).want(201)
	}
	to := r.subscribed(answering(t, "").URL, "")
	for range 3 {
		r.publish("")
	}
	r.until("all are delivered", func() bool {
		return len(r.get("/api/deliveries?status=succeeded&eventType=custom.thing").ids("id")) == 3
	})
	for path, want := range map[string]int{
		"/api/orders?":                                    4,
		"/api/orders?status=Held":                         3,
		"/api/orders?status=Held&q=nor":                   3,
		"/api/orders?q=none":                              0,
		"/api/runs?":                                      4,
		"/api/runs?status=aborted":                        1,
		"/api/runs?status=waiting":                        0,
		"/api/attempts?kind=event&eventType=custom.thing": 3,
		"/api/attempts?kind=step":                         1,
		"/api/attempts?body=custom.thing":                 3,
		"/api/attempts?endpointId=none":                   0,
		"/api/attempts?endpointId=" + to.text("id"):       3,
		"/api/events?type=custom.thing":                   3,
		"/api/deliveries?eventType=CUSTOM.thing":          3,
		"/api/deliveries?status=pending":                  0,
		"/api/deliveries?endpointId=none":                 0,
		"/api/deliveries?eventType=custom.thing":          3,
	} {
		t.Run(path, func(t *testing.T) {
			r := r.in(t)
			r.get(path+"&limit=2&count=true").is("count", want).is("countCapped", false)
			r.get(path+"&limit=2").is("count", nil).is("countCapped", nil)
			r.get(path+"&limit=2&count=false").is("count", nil)
		})
	}
	last := r.get("/api/orders?limit=2&count=true").text("nextCursor")
	r.get("/api/orders?limit=2&count=true&cursor="+last).is("count", 4)
	r.call("GET", "/api/orders?count=many", "").problem(422, "query.count")
	r.call("GET", "/api/keys?count=true", "").problem(422, "query.count")
}
