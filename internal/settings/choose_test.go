package settings

import (
	"strings"
	"testing"
)

// The connectors' Hosts name them; each row is a sentence of docs/contract.md#connectors.
func TestConnectorChoice(t *testing.T) {
	const (
		general  = `{"name":"Webhook","host":"http://any"}`
		general2 = `{"name":"Webhook","host":"http://general2"}`
		norway   = `{"name":"webhook","host":"http://norway","connectorId":"no","enabledForMarkets":["NOR"]}`
		nordic   = `{"name":"Webhook","host":"http://nordic","connectorId":"nordic","enabledForMarketGroups":["Nordic"]}`
		notSwe   = `{"name":"Webhook","host":"http://notswe","disabledForMarkets":["SWE"]}`
		notGroup = `{"name":"Webhook","host":"http://notgroup","disabledForMarketGroups":["nordic"]}`
		both     = `{"name":"Webhook","host":"http://both","connectorId":"both","enabledForMarkets":["NOR"],"disabledForMarkets":["NOR"]}`
		nowhere  = `{"name":"Webhook","host":"http://nowhere","connectorId":"void","enabledForMarketGroups":["Void","Unknown"]}`
		byID     = `{"name":"Other","host":"http://id","connectorId":"My-Service"}`
	)
	for name, c := range map[string]struct {
		connectors string
		step       Step
		market     string
		want       string
	}{
		"by name":                                  {byID + "," + general, Step{Connector: "Webhook"}, "NOR", "http://any"},
		"by name in any case":                      {general, Step{Connector: "WEBHOOK"}, "NOR", "http://any"},
		"the first of several":                     {general2 + "," + general, Step{Connector: "Webhook"}, "NOR", "http://general2"},
		"no such name":                             {general, Step{Connector: "Fax"}, "NOR", ""},
		"ConnectorId beats name":                   {general + "," + byID, Step{Connector: "Webhook", ConnectorID: "my-service"}, "", "http://id"},
		"ConnectorId beats market":                 {norway + "," + byID, Step{Connector: "Webhook", ConnectorID: "My-Service"}, "NOR", "http://id"},
		"ConnectorId not there: never another":     {general, Step{Connector: "Webhook", ConnectorID: "gone"}, "NOR", ""},
		"ConnectorId not for the market":           {norway + "," + general, Step{Connector: "Webhook", ConnectorID: "no"}, "SWE", ""},
		"ConnectorId for the market":               {general + "," + norway, Step{Connector: "Webhook", ConnectorID: "no"}, "nor", "http://norway"},
		"one that names the market first":          {general + "," + norway, Step{Connector: "Webhook"}, "nor", "http://norway"},
		"else one without lists":                   {norway + "," + general, Step{Connector: "Webhook"}, "DEU", "http://any"},
		"else not found":                           {norway, Step{Connector: "Webhook"}, "DEU", ""},
		"a group counts as its markets":            {general + "," + nordic, Step{Connector: "Webhook"}, "SWE", "http://nordic"},
		"a group has no other markets":             {nordic, Step{Connector: "Webhook"}, "DEU", ""},
		"disabled is set aside":                    {notSwe + "," + general, Step{Connector: "Webhook"}, "swe", "http://any"},
		"disabled group is set aside":              {notGroup, Step{Connector: "Webhook"}, "SWE", ""},
		"disabled elsewhere: like one w/out lists": {notSwe + "," + general, Step{Connector: "Webhook"}, "NOR", "http://notswe"},
		"naming the market beats not disabling it": {notSwe + "," + norway, Step{Connector: "Webhook"}, "NOR", "http://norway"},
		"disabled beats enabled":                   {both, Step{Connector: "Webhook"}, "NOR", ""},
		"disabled beats enabled with an id":        {both, Step{ConnectorID: "both"}, "NOR", ""},
		"a group without markets is nowhere":       {nowhere, Step{Connector: "Webhook"}, "NOR", ""},
		"nowhere with an id":                       {nowhere, Step{ConnectorID: "void"}, "", ""},
		"no market: enabled lists do not admit":    {norway + "," + general, Step{Connector: "Webhook"}, "", "http://any"},
		"no market: enabled lists, by id":          {norway, Step{ConnectorID: "no"}, "", ""},
		"no market: disabled lists do not matter":  {notSwe, Step{Connector: "Webhook"}, "", "http://notswe"},
		"own Host takes no credentials by name":    {general, Step{Connector: "Webhook", Host: "http://own"}, "NOR", ""},
		"own Host takes those of a ConnectorId":    {norway, Step{Connector: "Webhook", ConnectorID: "no", Host: "http://own"}, "NOR", "http://norway"},
	} {
		t.Run(name, func(t *testing.T) {
			s := mustParse(t, `{"marketGroups":[{"groupId":"Nordic","marketIds":["NOR","SWE"]},{"groupId":"Void","marketIds":[]}],"connectors":[`+c.connectors+`]}`)
			got := ""
			if found := s.Connector(&c.step, c.market); found != nil {
				got = found.Host
			}
			if got != c.want {
				t.Errorf("chose %q, want %q", got, c.want)
			}
		})
	}
}

// The connector of an ExportOrder step is found again at every attempt, by what
// was stored of it when the step's turn came.
func TestAnExportFindsItsTargetAgain(t *testing.T) {
	const connectors = `{"name":"ERP","host":"http://all"},{"name":"erp","connectorId":"Nor","host":"http://nor","enabledForMarkets":["NOR"]},{"name":"ERP","host":"http://swe","enabledForMarkets":["SWE"]}`
	for _, c := range []struct{ step, market, ref, again, url string }{
		{`"connector":"erp"`, "DEU", "ERP", connectors, "http://all"},
		{`"connector":"erp"`, "NOR", "erp/Nor", connectors, "http://nor"},
		{`"connector":"erp"`, "SWE", "ERP", connectors, "http://swe"},
		{`"connector":"erp","connectorId":"NOR"`, "NOR", "erp/Nor", connectors, "http://nor"},
		{`"connector":"erp"`, "NOR", "erp/Nor", strings.ReplaceAll(connectors, "http://nor", "https://new"), "https://new"},
		{`"connector":"erp"`, "NOR", "erp/Nor", `{"name":"ERP","host":"http://all"}`, ""},
		{`"connector":"x","properties":[{"key":"Host","value":"http://own"}]`, "NOR", "x http://own", connectors, "http://own"},
		{`"connector":"x","connectorId":"nor","properties":[{"key":"Host","value":"http://own"}]`, "NOR", "erp/Nor http://own", connectors, "http://own"},
		{`"connector":"x","connectorId":"gone","properties":[{"key":"Host","value":"http://own"}]`, "NOR", "x/gone http://own", connectors, "http://own"},
	} {
		settings := func(connectors string) *Settings {
			return mustParse(t, strings.Replace(inStatus(`{"name":"ExportOrder",`+c.step+`}`), "{", `{"connectors":[`+connectors+`],`, 1))
		}
		was := settings(connectors)
		step := &was.OrderTypes[0].Statuses[0].Steps[0]
		to, ok := was.Target(step, c.market)
		if !ok {
			t.Fatalf("%+v: not found", c)
		}
		ref := to.Ref(step)
		if got := strings.Trim(strings.TrimSuffix(ref.Name+"/"+ref.ID, "/")+" "+ref.Host, " "); got != c.ref {
			t.Errorf("%+v: kept %q", c, got)
		}
		again, ok := settings(c.again).ExportTarget(ref, c.market)
		if again.URL != c.url || ok != (c.url != "") {
			t.Errorf("%+v: found %+v, %v", c, again, ok)
		}
		if (to.Connector == nil) != (again.Connector == nil) && c.url != "" {
			t.Errorf("%+v: the connector was %v and is %v", c, to.Connector, again.Connector)
		}
	}
}
