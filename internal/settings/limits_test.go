package settings

import "testing"

func TestAdmit(t *testing.T) {
	for name, c := range map[string]struct {
		limits        Limits
		market, store string
		tags          []string
		want          string // "" runs
	}{
		"no limits":                     {Limits{}, "NOR", "1", []string{"a"}, ""},
		"no limits, nothing known":      {Limits{}, "", "", nil, ""},
		"enabled market":                {Limits{EnabledForMarkets: []string{"SWE", "nor"}}, "NOR", "", nil, ""},
		"other market":                  {Limits{EnabledForMarkets: []string{"NOR"}}, "SWE", "", nil, "not enabled for market SWE"},
		"no market":                     {Limits{EnabledForMarkets: []string{"NOR", ""}}, "", "", nil, "not enabled for orders without a market"},
		"disabled market":               {Limits{DisabledForMarkets: []string{"nor"}}, "NOR", "", nil, "disabled for market NOR"},
		"no market, disabled lists":     {Limits{DisabledForMarkets: []string{"NOR", ""}}, "", "", nil, ""},
		"disabled beats enabled":        {Limits{EnabledForMarkets: []string{"NOR"}, DisabledForMarkets: []string{"NOR"}}, "NOR", "", nil, "disabled for market NOR"},
		"groups of no market":           {Limits{NoMarket: true}, "NOR", "", nil, "not enabled for any market"},
		"enabled store":                 {Limits{EnabledForStores: []string{"Oslo"}}, "", "OSLO", nil, ""},
		"other store":                   {Limits{EnabledForStores: []string{"Oslo"}}, "", "Bergen", nil, "not enabled for store Bergen"},
		"disabled store":                {Limits{DisabledForStores: []string{"Oslo"}}, "", "Oslo", nil, "disabled for store Oslo"},
		"one enabled tag is enough":     {Limits{EnabledForTags: []string{"b"}}, "", "", []string{"a", "B"}, ""},
		"one disabled tag is enough":    {Limits{EnabledForTags: []string{"a"}, DisabledForTags: []string{"b"}}, "", "", []string{"a", "b"}, "disabled for tag b"},
		"another tag":                   {Limits{EnabledForTags: []string{"b"}}, "", "", []string{"a"}, "not enabled for tag a"},
		"other tags":                    {Limits{EnabledForTags: []string{"c"}}, "", "", []string{"a", "b"}, "not enabled for any of the order's tags"},
		"no tags":                       {Limits{EnabledForTags: []string{"c"}}, "", "", nil, "not enabled for orders without a tag"},
		"all three must admit":          {Limits{EnabledForMarkets: []string{"NOR"}, EnabledForStores: []string{"1"}, DisabledForTags: []string{"x"}}, "NOR", "1", []string{"x"}, "disabled for tag x"},
		"all three admit":               {Limits{EnabledForMarkets: []string{"NOR"}, EnabledForStores: []string{"1"}, DisabledForTags: []string{"x"}}, "NOR", "1", []string{"y"}, ""},
		"the market's is the first why": {Limits{EnabledForMarkets: []string{"NOR"}, EnabledForStores: []string{"1"}}, "SWE", "2", nil, "not enabled for market SWE"},
	} {
		t.Run(name, func(t *testing.T) {
			reason, ok := c.limits.Admit(Subject{Market: c.market, Store: c.store, Tags: c.tags})
			if reason != c.want || ok != (c.want == "") {
				t.Errorf("got %q, %v, want %q", reason, ok, c.want)
			}
		})
	}
}

// What a shipment has, and what an order's own run has not.
func TestAdmitOfShipments(t *testing.T) {
	oslo := Subject{Warehouse: "Oslo", ShipmentOptions: []string{"7", "Express"}}
	for name, c := range map[string]struct {
		limits  Limits
		subject Subject
		want    string
	}{
		"enabled warehouse":              {Limits{EnabledForWarehouses: []string{"OSLO"}}, oslo, ""},
		"another warehouse":              {Limits{EnabledForWarehouses: []string{"Bergen"}}, oslo, "not enabled for warehouse Oslo"},
		"disabled warehouse":             {Limits{EnabledForWarehouses: []string{"Oslo"}, DisabledForWarehouses: []string{"oslo"}}, oslo, "disabled for warehouse Oslo"},
		"enabled, no shipment":           {Limits{EnabledForWarehouses: []string{"Oslo"}}, Subject{}, "not enabled for runs without a shipment that has a warehouse"},
		"disabled, no shipment":          {Limits{DisabledForWarehouses: []string{"Oslo"}}, Subject{}, ""},
		"shipping method by id":          {Limits{EnabledForShipmentOptions: []string{"7"}}, oslo, ""},
		"shipping method by name":        {Limits{EnabledForShipmentOptions: []string{"express"}}, oslo, ""},
		"another shipping method":        {Limits{EnabledForShipmentOptions: []string{"8"}}, oslo, "not enabled for shipment option 7"},
		"disabled by id":                 {Limits{DisabledForShipmentOptions: []string{"7"}}, oslo, "disabled for shipment option 7"},
		"disabled by name beats enabled": {Limits{EnabledForShipmentOptions: []string{"7"}, DisabledForShipmentOptions: []string{"EXPRESS"}}, oslo, "disabled for shipment option Express"},
		"option, no shipment":            {Limits{EnabledForShipmentOptions: []string{"7"}}, Subject{ShipmentOptions: []string{"", ""}}, "not enabled for runs without a shipment that has a shipment option"},
		"store groups of no store":       {Limits{NoStore: true}, Subject{Store: "1"}, "not enabled for any store"},
	} {
		t.Run(name, func(t *testing.T) {
			if reason, ok := c.limits.Admit(c.subject); reason != c.want || ok != (c.want == "") {
				t.Errorf("got %q, %v, want %q", reason, ok, c.want)
			}
		})
	}
}
