package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/simulate"
	"github.com/orderhook/orderhook/internal/spelling"
)

// simulation says what would have become of orders under other settings
// (docs/configuring-workflows.md#what-would-have-happened). It reads the database, beside a
// running server: that has whole answers and runs, and a simulation of many orders takes
// nothing of the API's limits.
type simulation struct {
	Settings string   `placeholder:"FILE" help:"Settings document to try, JSON. Without it the record alone is checked: whether all that happened comes out the same once more."`
	Tenant   string   `default:"${tenant}" help:"Tenant whose orders they are."`
	From     momentIn `placeholder:"TIME" help:"The earliest time at which a run of the order began. The settings are tried for all that began since."`
	To       momentIn `placeholder:"TIME" help:"The time that such a run began before."`
	Order    string   `placeholder:"ID" help:"This order alone."`
	JSON     bool     `name:"json" help:"Print a JSON document for each order, one on each line, and one with the summary."`
	settingsLimit
	database
	targets
}

// simulated counts the orders by what came of their simulation.
type simulated struct {
	Runs           int `json:"runs"`
	RunsReproduced int `json:"runsReproduced"`
	Orders         int `json:"orders"`
	Same           int `json:"same"`
	Differ         int `json:"differ"`
	Unknown        int `json:"unknown"`
	NotRecorded    int `json:"notRecorded"`
	NotReproduced  int `json:"notReproduced"`

	causes []cause // why orders were not compared, or are less surely the same; each once
}

// cause is why orders were not compared, or are less surely the same. Many orders often have
// the same.
type cause struct {
	text, example string
	orders        int
}

// because notes why an order was not compared, or is less surely the same.
func (t *simulated) because(o *simulate.Outcome) {
	switch o.Verdict {
	case simulate.NotReproduced:
		t.note("not reproduced: "+shown(o.Reason), o)
	case simulate.NotRecorded:
		t.note("not on record: "+shown(o.Reason), o)
	case simulate.Same:
		for _, text := range o.Notes {
			t.note("the same, but: "+shown(text), o)
		}
	}
}

func (t *simulated) note(text string, o *simulate.Outcome) {
	for i := range t.causes {
		if t.causes[i].text == text {
			t.causes[i].orders++
			return
		}
	}
	t.causes = append(t.causes, cause{text, shown(o.OrderID), 1})
}

// found says what of the orders did not come out the same, or is not known to; "" if all did.
func (t *simulated) found() string {
	var said []string
	for _, of := range []struct {
		n    int
		what string
	}{{t.Differ, "would not come out the same"}, {t.Unknown, "with an answer that is not on record"}, {t.NotRecorded + t.NotReproduced, "not compared"}} {
		if of.n > 0 {
			said = append(said, spelling.Count(of.n, "order")+" "+of.what)
		}
	}
	return strings.Join(said, ", ")
}

// add counts an order.
func (t *simulated) add(o *simulate.Outcome) {
	t.Orders++
	t.Runs += o.Runs
	if o.Verdict != simulate.NotReproduced && o.Verdict != simulate.NotRecorded {
		t.RunsReproduced += o.Runs
	}
	*map[simulate.Verdict]*int{simulate.Same: &t.Same, simulate.Differs: &t.Differ, simulate.Unknown: &t.Unknown, simulate.NotReproduced: &t.NotReproduced, simulate.NotRecorded: &t.NotRecorded}[o.Verdict]++
}

// Run implements a kong command. Orders are printed as they come, and nothing is kept of
// them but how many there were.
func (c *simulation) Run(s *session) (err error) {
	file := &app.SettingsFile{Path: c.Settings, Tenant: c.Tenant, Refused: c.options(s).Refusal(c.Listen, c.Tenant), MaxBytes: int64(c.MaxSettingsBytes)}
	if c.Settings != "" {
		if err := file.Read(); err != nil {
			return err
		}
	}
	from, to := time.Time(c.From), time.Time(c.To)
	if !to.IsZero() && !from.Before(to) {
		return app.UserErrorf("--to is not after --from: no run can have begun between them")
	}
	st, err := c.open(s.ctx, app.OpenExisting)
	if err != nil {
		return s.unlessStopped(err, "nothing was simulated")
	}
	defer closing(st, &err)
	if err := app.CheckTenant(s.ctx, st, c.Tenant); err != nil {
		return err
	}
	sim := &simulate.Simulation{From: st, Tenant: c.Tenant, Since: from}
	if c.Settings != "" {
		stored, err := st.Settings(s.ctx, c.Tenant)
		if err != nil {
			return err
		}
		tried, warnings, err := file.Check(stored)
		// What is said of the settings is no part of the result, which a program may read.
		aside := *s
		aside.out = s.errOut
		if err := aside.report(c.Settings, warnings, err); err != nil {
			return err
		}
		sim.Settings = tried
	}
	var total simulated
	bar := progress{session: s}
	out := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	err = sim.Run(s.ctx, simulate.Filter{OrderID: c.Order, From: from, To: to}, func(o simulate.Outcome) error {
		total.add(&o)
		total.because(&o)
		if bar.due() {
			fmt.Fprintf(s.errOut, "simulated %d\n", total.Orders)
		}
		if c.JSON {
			return json.NewEncoder(s.out).Encode(o)
		}
		tell(out, &o)
		return out.Flush()
	})
	if err != nil {
		return s.unlessStopped(err, fmt.Sprintf("%d orders were simulated", total.Orders))
	}
	return c.conclude(s, &total)
}

// conclude prints the summary. What was not compared may differ as well, so the exit code is
// that of a difference then, too.
func (c *simulation) conclude(s *session, t *simulated) error {
	if c.Order != "" && t.Orders == 0 {
		return app.UserErrorf("the order %q has no run in this time", c.Order)
	}
	if c.JSON {
		if err := json.NewEncoder(s.out).Encode(map[string]*simulated{"summary": t}); err != nil {
			return err
		}
	} else {
		for _, c := range t.causes {
			fmt.Fprintf(s.out, "%s %s, as %s\n", spelling.Count(c.orders, "order"), c.text, c.example)
		}
		fmt.Fprintf(s.out, "self-check: %d of %s reproduced\n", t.RunsReproduced, spelling.Count(t.Runs, "run"))
		if c.Settings != "" {
			fmt.Fprintf(s.out, "%s: %d the same, %d differ, %d need an answer that is not on record, %d not compared\n", spelling.Count(t.Orders, "order"), t.Same, t.Differ, t.Unknown, t.NotRecorded+t.NotReproduced)
		}
	}
	if found := t.found(); found != "" {
		return foundError(found)
	}
	return nil
}

// tell prints an order of which something is to be said: a line for each difference.
func tell(w *tabwriter.Writer, o *simulate.Outcome) {
	line := func(cells ...string) {
		fmt.Fprintln(w, strings.Join(append([]string{shown(o.OrderID)}, cells...), "\t"))
	}
	for _, d := range o.Differences {
		line(shown(d.Path), value(d.Then)+" → "+value(d.Now))
	}
	for _, text := range o.Unknown {
		line("unknown: " + shown(text))
	}
	if o.Verdict == simulate.Same {
		return
	}
	for _, text := range o.Notes {
		line("note: " + shown(text))
	}
}

// mostShown is how much of a value a line shows. All of it is in the JSON.
const mostShown = 80

// value is a value of a document as a line shows it.
func value(v any) string {
	if v == nil {
		return "-"
	}
	if text, ok := v.(string); ok {
		return clipped(shown(text))
	}
	text := string(jsondoc.NewObject(jsondoc.Pair("v", v)).JSON())
	return clipped(shown(strings.TrimSuffix(strings.TrimPrefix(text, `{"v":`), "}")))
}

func clipped(text string) string {
	if r := []rune(text); len(r) > mostShown {
		return string(r[:mostShown]) + "…"
	}
	return text
}

// shown is a text without what would do something to a terminal.
func shown(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}
