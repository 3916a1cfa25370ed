package settings

import "testing"

func TestOrderType(t *testing.T) {
	first := mustParse(t, `{"orderTypes":[{"name":"Web"},{"name":"Store"},{"name":"Click"}]}`)
	marked := mustParse(t, `{"orderTypes":[{"name":"Web"},{"name":"Store","default":true},{"name":"Click"}]}`)
	seed := mustParse(t, `{"orderTypes":[{"name":"Web"},{"name":"Store"},{"name":"Click","defaultOrderType":true}]}`)
	for _, c := range []struct {
		what string
		s    *Settings
		name string
		want string
	}{
		{"by name", first, "Click", "Click"},
		{"in any case", first, "STORE", "Store"},
		{"unknown, none marked", first, "Fax", "Web"},
		{"none, none marked", first, "", "Web"},
		{"unknown, one marked", marked, "Fax", "Store"},
		{"none, one marked", marked, "", "Store"},
		{"by name before the marked", marked, "web", "Web"},
		{"by name after the marked", marked, "click", "Click"},
		{"marked defaultOrderType", seed, "", "Click"},
	} {
		if got := c.s.OrderType(c.name); got == nil || got.Name != c.want {
			t.Errorf("%s: OrderType(%q) = %v, want %s", c.what, c.name, got, c.want)
		}
	}
	if got := Empty().OrderType("Web"); got != nil {
		t.Errorf("without types: %v", got)
	}
}

func TestStatus(t *testing.T) {
	s := mustParse(t, `{"orderTypes":[{"name":"Web","orderStatuses":[{"name":"New"},{"name":"Bestätigt"}]}],
		"returnStatuses":[{"name":"Returned"},{"name":"PartiallyReturned"}]}`)
	web := s.OrderType("Web")
	for name, want := range map[string]*Status{
		"New": &web.Statuses[0], "NEW": &web.Statuses[0], "BESTÄTIGT": &web.Statuses[1], "Other": nil, "": nil, "Returned": nil,
	} {
		if got := web.Status(name); got != want {
			t.Errorf("Status(%q) = %v", name, got)
		}
	}
	if (*OrderType)(nil).Status("New") != nil {
		t.Error("no type has a status")
	}
	for name, want := range map[string]*Status{"partiallyreturned": &s.ReturnStatuses[1], "New": nil} {
		if got := s.ReturnStatus(name); got != want {
			t.Errorf("ReturnStatus(%q) = %v", name, got)
		}
	}
}
