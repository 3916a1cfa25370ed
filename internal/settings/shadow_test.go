package settings

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/orderhook/orderhook/internal/apierr"
)

// called is a two-way step of a displayName, with a Host of its own and more fields.
func called(name, host, more string) string {
	return fmt.Sprintf(`{"name":"WebhookWorkflowStep","displayName":%q,"connector":"W","properties":[{"key":"Host","value":%q}]%s}`, name, host, more)
}

const isShadow = `,"mode":"shadow"`

// TestAShadowIsNoStep: the steps of a status, and their places, are the same with shadows and
// without, wherever those stand.
func TestAShadowIsNoStep(t *testing.T) {
	fraud, stock := called("Fraud", "http://a", ""), called("Stock", "http://b", "")
	next := called("Fraud next", "http://c", isShadow+`,"compareWith":" fraud ","promoteAfter":7`)
	plain := mustParse(t, inStatus(fraud+","+stock)).OrderType("Web").Status("New")
	for _, steps := range []string{next + "," + fraud + "," + stock, fraud + "," + next + "," + stock, fraud + "," + stock + "," + next} {
		s := mustParse(t, inStatus(steps))
		status := s.OrderType("Web").Status("New")
		var got, want []string
		for i := range status.Steps {
			got = append(got, status.Steps[i].Label())
		}
		for i := range plain.Steps {
			want = append(want, plain.Steps[i].Label())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("steps (-without +with the shadow):\n%s", diff)
		}
		if of := status.ShadowsOf(0); len(of) != 1 || of[0].Label() != "Fraud next" || of[0].PromoteAfter != 7 {
			t.Errorf("the shadows of Fraud are %v", of)
		}
		if of := status.ShadowsOf(1); len(of) != 0 {
			t.Errorf("the shadows of Stock are %v", of)
		}
	}
	// Without a name it is compared with the only step there is.
	s := mustParse(t, inStatus(called("", "http://c", isShadow+`,"active":false`)+","+fraud+`,{"name":"ExportOrder","connector":"W"}`))
	sh := s.Shadows()[0]
	if sh.With != 0 || sh.PromoteAfter != 100 || sh.Live.Label() != "Fraud" || sh.Label() != "WebhookWorkflowStep" || len(s.OrderTypes[0].Statuses[0].ShadowsOf(0)) != 0 {
		t.Errorf("the shadow is %+v", sh.Shadow)
	}
}

func TestWhatIsWrongWithAShadow(t *testing.T) {
	live, other := called("Fraud", "http://a", ""), called("Stock", "http://b", "")
	shadow := func(more string) string { return called("Next", "http://c", isShadow+more) }
	many := live
	for i := range mostShadows + 1 {
		many += "," + called(fmt.Sprint(i), "http://c", isShadow)
	}
	const second = "orderTypes[0].orderStatuses[0].workflowSteps[1]"
	for name, c := range map[string]struct{ steps, at, says string }{
		"another mode":              {called("x", "http://a", `,"mode":"dark"`), stepAt + ".mode", "live or shadow"},
		"no such step":              {live + "," + shadow(`,"compareWith":"Frauds"`), second + ".compareWith", "is Fraud meant?"},
		"another shadow":            {live + "," + shadow(`,"compareWith":"next"`), second + ".compareWith", "no live step"},
		"itself alone":              {shadow(""), stepAt + ".compareWith", "no live step"},
		"none named of two":         {live + "," + shadow("") + "," + other, second + ".compareWith", "is needed"},
		"a key that two steps have": {live + "," + shadow(`,"compareWith":"WebhookWorkflowStep"`) + "," + other, second + ".compareWith", "2 live steps"},
		"one that is one-way":       {`{"name":"ExportOrder","connector":"W"},` + shadow(`,"compareWith":"ExportOrder"`), second + ".compareWith", "waits for an answer"},
		"a one-way shadow":          {live + `,{"name":"ExportOrder","connector":"W","mode":"shadow"}`, second + ".mode", "ExportOrder"},
		"an unknown shadow":         {live + `,{"name":"SendFax","mode":"shadow"}`, second + ".mode", "SendFax"},
		"two of one name":           {live + "," + shadow("") + "," + shadow(""), "orderTypes[0].orderStatuses[0].workflowSteps[2].displayName", "too"},
		"promoted after 0":          {live + "," + shadow(`,"promoteAfter":0`), second + ".promoteAfter", "1 to 1000000"},
		"promoted after a half":     {live + "," + shadow(`,"promoteAfter":0.5`), second + ".promoteAfter", "1 to 1000000"},
		"too many":                  {many, "orderTypes[0].orderStatuses[0].workflowSteps[6].compareWith", "5 shadows"},
	} {
		_, _, err := Parse(document(t, inStatus(c.steps)))
		e, _ := errors.AsType[*apierr.Error](err)
		if e == nil || len(e.Fields) != 1 || e.Fields[0].Location != c.at || !strings.Contains(e.Fields[0].Message, c.says) {
			t.Errorf("%s: %v, want one error at %s that says %q", name, err, c.at, c.says)
		}
		// Settings that were stored once are read. Their shadow is no step, whatever is wrong with it.
		for _, sh := range ParseStored(document(t, inStatus(c.steps))).Shadows() {
			if sh.With >= 0 && sh.Live == nil {
				t.Errorf("%s: stored, %+v", name, sh)
			}
		}
	}
	_, warnings, err := Parse(document(t, inStatus(called("x", "http://a", `,"mode":"live","compareWith":"y","promoteAfter":3`))))
	if err != nil || len(warnings) != 2 || warnings[0].Path != stepAt+".compareWith" || warnings[1].Path != stepAt+".promoteAfter" {
		t.Errorf("fields of a shadow on a live step: %v, %v", warnings, err)
	}
}

// TestTheDigestOfAShadow: it changes with what decides about an answer, and with nothing else.
func TestTheDigestOfAShadow(t *testing.T) {
	with := func(connectors, live, shadow string) PlacedShadow {
		s := mustParse(t, `{"connectors":[`+connectors+`],`+strings.TrimPrefix(inStatus(live+","+shadow), "{"))
		return s.Shadows()[0]
	}
	const erp = `{"name":"W","connectorId":"erp","host":"http://erp"}`
	byID := `{"name":"WebhookWorkflowStep","displayName":"New","connector":"W","connectorId":"erp"` + isShadow + `}`
	live, own := called("Fraud", "http://a", ""), called("New", "http://c", isShadow)
	first := with(erp, live, own)
	for name, other := range map[string]PlacedShadow{
		"another number to promote after": with(erp, live, called("New", "http://c", isShadow+`,"promoteAfter":3`)),
		"another connector's host":        with(strings.Replace(erp, "//erp", "//other", 1), live, own),
		"a further step":                  with(erp, called("Stock", "http://s", "")+","+live, called("New", "http://c", isShadow+`,"compareWith":"Fraud"`)),
	} {
		same := name != "a further step" // which needs a compareWith, and that is a part of the configuration
		if other.ID != first.ID || (other.Digest == first.Digest) != same {
			t.Errorf("%s: id %s, digest %s; before: %s, %s", name, other.ID, other.Digest, first.ID, first.Digest)
		}
	}
	for name, other := range map[string]PlacedShadow{
		"the shadow's host": with(erp, live, called("New", "http://d", isShadow)),
		"its property":      with(erp, live, called("New", "http://c", isShadow+`,"stopOnError":true`)),
		"the live host":     with(erp, called("Fraud", "http://b", ""), own),
		"by a connector":    with(erp, live, byID),
	} {
		if other.ID != first.ID || other.Digest == first.Digest {
			t.Errorf("%s: the digest stays %s", name, other.Digest)
		}
	}
	if a, b := with(erp, live, byID), with(strings.Replace(erp, "//erp", "//other", 1), live, byID); a.Digest == b.Digest {
		t.Error("the host of its connector is no part of the digest")
	}
}

// TestPromoted: the shadow and its live step change places, secrets and all, and back again.
func TestPromoted(t *testing.T) {
	header := func(text string) string {
		return `,"properties":[{"key":"X-Key","value":"` + text + `","keyGroup":"RequestHeaders"}]`
	}
	step := func(name, more string) string {
		return fmt.Sprintf(`{"name":"WebhookWorkflowStep","displayName":%q,"connector":"W"%s}`, name, more)
	}
	statuses := `[{"name":"Returned","workflowSteps":[` + step("Second", isShadow+`,"compareWith":"Fraud"`) + `,` + step("First", "") + `,` +
		step("Next", isShadow+`,"compareWith":"Fraud","promoteAfter":3`+header("next")) + `,` + step("Fraud", `,"stopOnError":true`+header("live")) + `]}]`
	for _, place := range []string{`{"returnStatuses":%s}`, `{"orderTypes":[{"name":"A"},{"name":"Web","orderStatuses":%s}]}`} {
		s := mustParse(t, fmt.Sprintf(place, statuses))
		id := s.Shadows()[1].ID
		doc, err := s.Promoted(id)
		if err != nil {
			t.Fatal(err)
		}
		next, warnings, err := Incoming{Doc: doc, Stored: s, Literal: true}.Check()
		if err != nil {
			t.Fatalf("%v\n%s", err, doc.JSON())
		}
		want := `[{"name":"Returned","workflowSteps":[` + step("Second", isShadow+`,"compareWith":"Next"`) + `,` + step("First", "") + `,` +
			step("Fraud", `,"stopOnError":true`+header("live")+`,"active":false`+isShadow+`,"compareWith":"Next","promoteAfter":3`) + `,` + step("Next", header("next")) + `]}]`
		if diff := cmp.Diff(fmt.Sprintf(place, want), plain(next.Document())); diff != "" {
			t.Errorf("promoted (-want +got):\n%s\n%v", diff, warnings)
		}
		if removed := s.Removals(next); removed != nil {
			t.Errorf("it would destroy the secrets of %v", removed)
		}
		// The former live step can come back the same way.
		if doc, err = next.Promoted(next.Shadows()[1].ID); err != nil {
			t.Fatal(err)
		}
		back, _, err := Incoming{Doc: doc, Stored: next, Literal: true}.Check()
		if err != nil {
			t.Fatal(err)
		}
		if sh := back.Shadows()[1]; sh.Label() != "Next" || sh.Active || sh.Live.Label() != "Fraud" || !sh.Live.Active {
			t.Errorf("promoted back: %s", plain(back.Document()))
		}
	}
	if _, err := Empty().Promoted("shadow_x"); apierr.KindOf(err) != apierr.NotFound {
		t.Errorf("no such shadow: %v", err)
	}
}
