package settings

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRetention(t *testing.T) {
	for doc, want := range map[string]Retention{
		`{}`:                                     {Attempts: 90 * day, Audit: 365 * day},
		`{"retention":null}`:                     {Attempts: 90 * day, Audit: 365 * day},
		`{"retention":{}}`:                       {Attempts: 90 * day, Audit: 365 * day},
		`{"retention":{"attempts":null}}`:        {Audit: 365 * day},
		`{"retention":{"audit":null}}`:           {Attempts: 90 * day},
		`{"retention":{"audit":"P30D"}}`:         {Attempts: 90 * day, Audit: 30 * day},
		`{"retention":{"runs":"7.12:00:00"}}`:    {Attempts: 90 * day, Runs: 7*day + 12*time.Hour, Audit: 365 * day},
		`{"Retention":{"Attempts":"P7D"}}`:       {Attempts: 7 * day, Audit: 365 * day},
		`{"retention":{"attempts":"P1Y2M3W4D"}}`: {Attempts: (365+21+4)*day + 2*365*day/12, Audit: 365 * day},
		`{"retention":{"attempts":"PT36H","versions":"P2Y","history":"P1D","runs":"P100Y"}}`: {
			Attempts: 36 * time.Hour, Versions: 730 * day, History: day, Runs: 36500 * day, Audit: 365 * day},
	} {
		if diff := cmp.Diff(want, mustParse(t, doc).Retention); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doc, diff)
		}
	}
	if got := Empty().Retention; got != (Retention{Attempts: 90 * day, Audit: 365 * day}) {
		t.Errorf("without settings: %v", got)
	}
}

func TestRetentionErrors(t *testing.T) {
	const form = "must be a duration from P1D to P100Y, as P90D or 90.00:00:00, or null to keep it for good"
	for value, want := range map[string]string{
		`"90 days"`:        form,
		`""`:               form,
		`"P1"`:             form,
		`90`:               "must be a duration as P90D, or null, not a number",
		`"P"`:              form,
		`"PT90M"`:          form,
		`"23:59:59"`:       form,
		`"36501.00:00:00"`: form,
		`"-P90D"`:          form,
		`"P101Y"`:          form,
		`"P999999999999Y"`: form,
	} {
		for _, name := range []string{"attempts", "versions", "history", "runs"} {
			_, _, err := Parse(document(t, `{"retention":{"`+name+`":`+value+`}}`))
			if at := locations(t, err); len(at) != 1 || at[0] != "retention."+name || err.Error() != at[0]+": "+want {
				t.Errorf("%s: %v", value, err)
			}
		}
	}
	for _, value := range []string{"P29D", "P1D", "29.23:59:59", "P101Y"} {
		_, _, err := Parse(document(t, `{"retention":{"audit":"`+value+`"}}`))
		if err == nil || err.Error() != "retention.audit: "+strings.Replace(form, "P1D", "P30D", 1) {
			t.Errorf("audit %s: %v", value, err)
		}
	}
	_, _, err := Parse(document(t, `{"retention":"P90D"}`))
	if diff := cmp.Diff([]string{"retention"}, locations(t, err)); diff != "" {
		t.Error(diff)
	}
	_, warnings, err := Parse(document(t, `{"retentions":{},"retention":{"attempt":"P90D"}}`))
	if err != nil || len(warnings) != 2 || warnings[0].Path != "retentions" || warnings[1].Path != "retention.attempt" {
		t.Errorf("misspelt: %v, %v", warnings, err)
	}
}
