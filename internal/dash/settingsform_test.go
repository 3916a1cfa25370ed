package dash

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

func document(t testing.TB, text string) *jsondoc.Object {
	t.Helper()
	o, err := schema.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

const aStep = "orderTypes[0].orderStatuses[0].workflowSteps[0]"

// untouched is what a browser posts of a form that nobody wrote into.
func untouched(f settingsForm) url.Values {
	form := url.Values{}
	for _, g := range f.Groups {
		for _, field := range g.Fields {
			form.Set("f."+field.Name, strings.ReplaceAll(field.Value, "\n", "\r\n"))
		}
	}
	for _, rows := range f.Rows {
		for _, r := range rows.Rows {
			form.Set(rowField(rows.List, r.Index, "key"), r.Key)
			form.Set(rowField(rows.List, r.Index, "value"), r.Value)
			if rows.HasGroup {
				form.Set(rowField(rows.List, r.Index, "keyGroup"), r.KeyGroup)
			}
		}
	}
	return form
}

// TestAFormChangesWhatWasWritten: and nothing else, whatever shape it has.
func TestAFormChangesWhatWasWritten(t *testing.T) {
	const step = `{"name":"WebhookWorkflowStep","own":{"kept":1.50},"active":"odd","stopOnError":false,"conditions":[{"type":"Success"}],"enabledForMarkets":["NOR","SWE"],"enabledForTags":[],` +
		`"properties":["odd",{"key":"Host","value":"https://a.example"},{"key":"n","value":1.0,"valueType":"Int"},{"key":"X","value":"***","keyGroup":"RequestHeaders"},{}]}`
	for _, row := range []struct {
		name  string
		write map[string]string // "" takes away
		want  string
	}{
		{"nothing", nil, step},
		{"a text", map[string]string{"f.displayName": " Check "}, step[:len(step)-1] + `,"displayName":"Check"}`},
		{"a flag", map[string]string{"f.stopOnError": "true"}, strings.Replace(step, `"stopOnError":false`, `"stopOnError":true`, 1)},
		{"a flag that is taken away", map[string]string{"f.stopOnError": ""}, strings.Replace(step, `"stopOnError":false,`, ``, 1)},
		{"lines", map[string]string{"f.enabledForMarkets": "NOR\r\n\r\n DNK \r\n"}, strings.Replace(step, `["NOR","SWE"]`, `["NOR","DNK"]`, 1)},
		{"lines that are taken away", map[string]string{"f.enabledForMarkets": ""}, strings.Replace(step, `"enabledForMarkets":["NOR","SWE"],`, ``, 1)},
		{"an empty list", map[string]string{"f.enabledForTags": `["a"]`}, strings.Replace(step, `"enabledForTags":[]`, `"enabledForTags":["a"]`, 1)},
		{"JSON", map[string]string{"f.conditions": `[{"type":"Error"}]`}, strings.Replace(step, `Success`, `Error`, 1)},
		{"a value of another type", map[string]string{"f.active": "true"}, strings.Replace(step, `"active":"odd"`, `"active":true`, 1)},
		{"a row's value", map[string]string{"r.properties.1.value": "https://b.example"}, strings.Replace(step, `a.example`, `b.example`, 1)},
		{"a row's group", map[string]string{"r.properties.3.keyGroup": ""}, strings.Replace(step, `,"keyGroup":"RequestHeaders"`, ``, 1)},
		{"a row that is emptied", map[string]string{"r.properties.2.key": "", "r.properties.2.value": ""}, strings.Replace(step, `{"key":"n","value":1.0,"valueType":"Int"},`, ``, 1)},
		{"a new row", map[string]string{"r.properties.6.key": "Y", "r.properties.6.value": "1"}, strings.Replace(step, `{}]`, `{},{"key":"Y","value":"1"}]`, 1)},
	} {
		t.Run(row.name, func(t *testing.T) {
			o := document(t, step)
			p := place1(t, aStep)
			doc := document(t, `{"orderTypes":[{"orderStatuses":[{"workflowSteps":[`+step+`]}]}]}`)
			form := untouched(newSettingsForm(p, o, doc, nil, nil))
			for name, value := range row.write {
				form.Set(name, value)
			}
			got, err := applyForm(o, p.shape(), form)
			if err != nil || string(got.JSON()) != row.want {
				t.Errorf("%v\n%s\nwant\n%s", err, got.JSON(), row.want)
			}
			if string(o.JSON()) != step {
				t.Error("the object itself was changed")
			}
			// The page is shown again with what was written, and says the same once more.
			again := untouched(newSettingsForm(p, o, doc, nil, form))
			if twice, err := applyForm(o, p.shape(), again); err != nil || string(twice.JSON()) != row.want {
				t.Errorf("shown again: %v\n%s", err, twice.JSON())
			}
		})
	}
}

func TestAFormOfAConnector(t *testing.T) {
	const connector = `{"name":"Webhook","bearerToken":"***","breaker":{"failures":3,"window":"PT1M"},"customHeaders":[{"key":"A","value":"***"}]}`
	doc := document(t, `{"connectors":[`+connector+`]}`)
	p := place1(t, "connectors[0]")
	o, err := p.find(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct{ name, value, want string }{
		{"f.breaker.failures", "10", strings.Replace(connector, `3`, `10`, 1)},
		{"f.breaker.failures", "many", strings.Replace(connector, `3`, `"many"`, 1)},
		{"f.breaker.openFor", "PT2M", strings.Replace(connector, `"PT1M"`, `"PT1M","openFor":"PT2M"`, 1)},
		{"f.bearerToken", "new", strings.Replace(connector, `***`, `new`, 1)},
		{"r.customHeaders.0.value", "new", strings.Replace(connector, `"A","value":"***"`, `"A","value":"new"`, 1)},
	} {
		form := untouched(newSettingsForm(p, o, doc, nil, nil))
		form.Set(row.name, row.value)
		if got, err := applyForm(o, p.shape(), form); err != nil || string(got.JSON()) != row.want {
			t.Errorf("%s: %v %s", row.name, err, got.JSON())
		}
	}
	form := untouched(newSettingsForm(p, o, doc, nil, nil))
	form.Set("f.breaker.failures", "")
	form.Set("f.breaker.window", "")
	if got, err := applyForm(o, p.shape(), form); err != nil || got.Has("breaker") {
		t.Errorf("an empty breaker is left: %v %s", err, got.JSON())
	}
	form.Set("f.breaker.whileOpen", "wait")
	if got, err := applyForm(document(t, `{}`), p.shape(), form); err != nil || got.Object("breaker").Text("whileOpen") != "wait" {
		t.Errorf("a new breaker: %v %s", err, got.JSON())
	}
}

func TestWhatIsNoJSONInAForm(t *testing.T) {
	o := document(t, `{"conditions":[{"type":"Success"}]}`)
	for _, text := range []string{`[{"type":`, `1,"x":2`, `]`} {
		_, err := applyForm(o, place1(t, aStep).shape(), url.Values{"f.conditions": {text}})
		if apierr.KindOf(err) != apierr.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestFormsKeepAnything: a form that nobody wrote into changes no settings at all.
func TestFormsKeepAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SampledFrom([]string{aStep, "connectors[0]", "orderTypes[0]", "orderTypes[0].orderStatuses[0]", "markets[0]", "storeGroups[0]"}).Draw(t, "place")
		at, err := parsePlace(p)
		if err != nil {
			t.Fatal(err)
		}
		o := jsondoc.NewObject()
		for _, f := range at.shape().Fields {
			if rapid.Bool().Draw(t, f.Name) {
				o.Set(f.Name, anything(t, 3))
			}
		}
		before := string(o.JSON())
		doc := jsondoc.NewObject()
		got, err := applyForm(o, at.shape(), untouched(newSettingsForm(at, o, doc, nil, nil)))
		if err != nil || string(got.JSON()) != before {
			t.Fatalf("%v\n%s\nbefore\n%s", err, got.JSON(), before)
		}
	})
}

// anything is a JSON value.
func anything(t *rapid.T, depth int) any {
	kinds := 6
	if depth == 0 {
		kinds = 4
	}
	switch rapid.IntRange(0, kinds-1).Draw(t, "kind") {
	case 0:
		return rapid.StringMatching(`[a-z*<" ]{0,4}(\n[a-z]{0,2})?`).Draw(t, "text")
	case 1:
		return rapid.Bool().Draw(t, "flag")
	case 2:
		return jsondoc.Number(rapid.SampledFrom([]string{"0", "1.50", "-2e3"}).Draw(t, "number"))
	case 3:
		return nil
	case 4:
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(t, "elements") {
			list = append(list, anything(t, depth-1))
		}
		return list
	}
	o := jsondoc.NewObject()
	for range rapid.IntRange(0, 3).Draw(t, "members") {
		o.Set(rapid.SampledFrom([]string{"key", "value", "keyGroup", "failures", "window", "own"}).Draw(t, "name"), anything(t, depth-1))
	}
	return o
}
