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
			reason, ok := c.limits.Admit(c.market, c.store, c.tags)
			if reason != c.want || ok != (c.want == "") {
				t.Errorf("got %q, %v, want %q", reason, ok, c.want)
			}
		})
	}
}
