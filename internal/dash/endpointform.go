package dash

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
)

// endpointFormView is the form that makes or changes an endpoint. One template serves
// both, and what is new or changed is in its inputs.
type endpointFormView struct {
	Action  string
	Inputs  []Input
	More    []Input // what most endpoints leave as it is
	Open    bool    // More is shown, since something of it was filled in or refused
	Hidden  []Hidden
	Button  string
	Back    string
	Problem *Problem
}

// endpointSavedView says that an endpoint was saved, and shows what is shown once. It is
// the answer to the form itself, and no page that has a URL: nobody can open it again.
type endpointSavedView struct {
	What     string
	Endpoint api.Endpoint
	Secret   string // "" if there is none to show
	Gone     bool   // the form was sent before, and the secret was shown then
	Warnings []apierr.Warning
}

var (
	// They are two pages, because the secret stands on the second alone.
	endpointFormPage  = newPage[endpointFormView]("endpoint-form", "/endpoints")
	endpointSavedPage = newPage[endpointSavedView]("endpoint-saved", "/endpoints")
)

// endpointInput is a field of the form. Its name is the API's; those of tls are joined
// by a dot. value and read are the two directions between the API and a field that a
// person fills in. The fields of tls have no read, since they are put together
// (endpointBody).
type endpointInput struct {
	Input
	more  bool
	value func(e *api.Endpoint) string // as the form shows it
	read  func(text string) any        // as the API takes it
}

// endpointInputs are the fields of the form, in their order. A field of endpoints that
// people are to set is added here.
var endpointInputs = []endpointInput{
	{Input: Input{Name: "url", Label: "URL", Hint: "https://warehouse.example.com/webhooks", Required: true, Help: "Or feed: for one to which nothing is sent: its receiver reads its feed."}, value: func(e *api.Endpoint) string { return e.URL }, read: asText},
	{Input: Input{Name: "eventTypes", Label: "Event types", Lines: 3, Required: true, Help: "One on each line: names, * for all, and beginnings as order_*. The page Event types lists the names."},
		value: func(e *api.Endpoint) string { return strings.Join(e.EventTypes, "\n") }, read: asWords},
	{Input: Input{Name: "description", Label: "Description", Hint: "The warehouse in Oslo"}, value: func(e *api.Endpoint) string { return e.Description }, read: asText},
	{Input: Input{Name: "filter", Label: "Filter", Lines: 2, Hint: "data.orderForm.total > 1000", Help: "Only events that it is true for are sent. It may look at id, type, timestamp, orderId, subject and data."},
		value: func(e *api.Endpoint) string { return e.Filter }, read: asText},
	{Input: Input{Name: "ordering", Label: "Order", Options: []Option{{"none", "events as they come"}, {"subject", "the events of one subject one after the other"}}},
		value: func(e *api.Endpoint) string { return string(e.Ordering) }, read: asText},
	{Input: Input{Name: "format", Label: "Body", Options: []Option{{"full", "the whole event"}, {"thin", "ids alone"}}}, value: func(e *api.Endpoint) string { return string(e.Format) }, read: asText},

	{more: true, Input: Input{Name: "headers", Label: "Headers", Lines: 3, Hint: "X-Api-Key: …", Help: "One on each line, as Name: value. A value of *** stays what is stored."}, value: headerLines, read: asHeaders},
	{more: true, Input: Input{Name: "timeout", Label: "Time-out of an attempt", Hint: "PT30S", Help: "From PT0.1S to PT5M."}, value: func(e *api.Endpoint) string { return e.Timeout }, read: asText},
	{more: true, Input: Input{Name: "retrySchedule", Label: "Waits before the repeats", Hint: "PT5S PT30S PT2M PT10M PT1H", Help: "One for each repeat, at most 20."},
		value: func(e *api.Endpoint) string { return strings.Join(e.RetrySchedule, " ") }, read: asWords},
	{more: true, Input: Input{Name: "maxConcurrency", Label: "Attempts at the same time", Hint: "64", Type: "number"}, value: func(e *api.Endpoint) string { return fmt.Sprint(e.MaxConcurrency) }, read: asNumber},
	{more: true, Input: Input{Name: "rateLimit", Label: "Attempts a second, at most", Hint: "no limit"}, value: func(e *api.Endpoint) string {
		if e.RateLimit == 0 {
			return ""
		}
		return numberText(e.RateLimit)
	}, read: asNumber},
	{more: true, Input: Input{Name: "signatures", Label: "Signatures", Options: []Option{{"v1", "v1: HMAC-SHA256 with the secret"}, {"v1 v1a", "v1 and v1a: Ed25519, too"}, {"v1a", "v1a: Ed25519 with a public key"}}},
		value: func(e *api.Endpoint) string { return strings.Join(slices.Sorted(slices.Values(e.Signatures)), " ") }, read: asWords},
	{more: true, Input: Input{Name: "tls.ca", Label: "Trusted certificates (PEM)", Lines: 3, Help: "Instead of the system's."}, value: ofTLS(func(e *api.Endpoint) string { return e.TLS.CA })},
	{more: true, Input: Input{Name: "tls.certificate", Label: "Client certificate (PEM)", Lines: 3}, value: ofTLS(func(e *api.Endpoint) string { return e.TLS.Certificate })},
	{more: true, Input: Input{Name: "tls.key", Label: "Its key (PEM)", Lines: 2, Help: "*** stays what is stored."}, value: ofTLS(func(e *api.Endpoint) string { return e.TLS.Key })},
}

// newEndpointInputs are those that only a new endpoint has.
var newEndpointInputs = []endpointInput{
	{more: true, Input: Input{Name: "secret", Label: "Secret", Hint: "whsec_…", Help: "One is made if it is left out, and shown once."}, read: asText},
	{more: true, Input: Input{Name: "enabled", Label: "It is", Options: []Option{{"true", "on"}, {"false", "off"}}}, read: func(text string) any { return text == "true" }},
}

// asText sends a text as it is.
func asText(text string) any { return text }

// asWords sends a list of what stands between commas, spaces or line ends, since nobody
// should have to know which.
func asWords(text string) any {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' || r == '\n' || r == '\t' })
}

// asNumber leaves what is no number to the API, which says so. It goes as the digits that
// were typed, and through no float.
func asNumber(text string) any {
	if text = strings.TrimSpace(text); json.Valid([]byte(text)) && strings.Trim(text, "0123456789.+-eE") == "" {
		return json.Number(text)
	}
	return text
}

// asHeaders is a list of lines as Name: value. A line without a colon is a name, which
// the API refuses if it is none.
func asHeaders(text string) any {
	out := []map[string]string{}
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			name, value, _ := strings.Cut(line, ":")
			out = append(out, map[string]string{"key": strings.TrimSpace(name), "value": strings.TrimSpace(value)})
		}
	}
	return out
}

// headerLines is the headers of an endpoint, one a line, with *** for each value: they are secrets.
func headerLines(e *api.Endpoint) string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(e.Headers)) {
		lines = append(lines, name+": "+e.Headers[name])
	}
	return strings.Join(lines, "\n")
}

// numberText is a number as JSON has it.
func numberText(n float64) string {
	text, err := json.Marshal(n)
	if err != nil {
		return "" // no JSON holds such a number
	}
	return string(text)
}

// ofTLS is the value of a field of an endpoint that may have no TLS of its own.
func ofTLS(get func(e *api.Endpoint) string) func(e *api.Endpoint) string {
	return func(e *api.Endpoint) string {
		if e.TLS == nil {
			return ""
		}
		return get(e)
	}
}

// was is the name of the hidden field that says what a field showed at first: only what
// was changed is sent, so that what somebody else changes meanwhile stays.
func was(name string) string { return "was." + name }

// lines is what was posted in a field, with the line ends that JSON texts have.
func (v *visit) lines(name string) string {
	return strings.ReplaceAll(v.field(name), "\r\n", "\n")
}

// endpointBody is what the form says that is not as it was. A field that was emptied is
// null, which gives it its default. The API replaces tls as a whole; so if one of its
// fields was changed, all of them are sent, with *** for a key that is stored.
func (v *visit) endpointBody(inputs []endpointInput) map[string]any {
	body, tls, changed := map[string]any{}, map[string]string{}, false
	for _, in := range inputs {
		text := v.lines(in.Name)
		// A new endpoint has no hidden fields, so every field that was filled in differs.
		differs := text != v.lines(was(in.Name))
		if part, ok := strings.CutPrefix(in.Name, "tls."); ok {
			changed = changed || differs
			if text != "" {
				tls[part] = text
			}
			continue
		}
		switch {
		case !differs:
		// null has the API take its default.
		case strings.TrimSpace(text) == "":
			body[in.Name] = nil
		default:
			body[in.Name] = in.read(text)
		}
	}
	if changed {
		body["tls"] = nil
		if len(tls) > 0 { // it is replaced whole
			body["tls"] = tls
		}
	}
	return body
}

// fill gives the form its inputs, with what each of them shows, and what was said
// against it. Where the form comes back, secrets that were typed are left out. The part
// that is folded up opens if an error stands in it.
func (f *endpointFormView) fill(inputs []endpointInput, shown func(in *endpointInput) string) {
	for _, in := range inputs {
		input := in.Input
		input.Value = shown(&in)
		if f.Problem != nil {
			input.Value = withoutSecret(in.Name, input.Value)
		}
		if in.more {
			f.More = append(f.More, input)
		} else {
			f.Inputs = append(f.Inputs, input)
		}
	}
	f.Problem.mark(f.Inputs)
	f.Problem.mark(f.More)
	f.Open = slices.ContainsFunc(f.More, func(in Input) bool { return in.Error != "" })
}

// newEndpointForm shows the form of a new endpoint. The query may fill it in, as a link
// from the catalogue of event types does.
func newEndpointForm(v *visit) error {
	return v.showNewEndpoint(nil, v.query().Get)
}

// showNewEndpoint shows the form with what shown says for each field, and with what was
// wrong, if it comes back.
func (v *visit) showNewEndpoint(problem *Problem, shown func(name string) string) error {
	f := endpointFormView{Action: "/endpoints", Button: "Create the endpoint", Back: "/endpoints", Problem: problem, Hidden: []Hidden{newOnce()}}
	f.fill(slices.Concat(endpointInputs, newEndpointInputs), func(in *endpointInput) string { return shown(in.Name) })
	if problem != nil {
		return endpointFormPage.refuse(v, "New endpoint", problem, f)
	}
	return endpointFormPage.show(v, "New endpoint", f)
}

// createEndpoint answers with the page that has the secret, as rotateSecret does.
func createEndpoint(v *visit) error {
	if p := v.untyped(); p != nil {
		return v.showNewEndpoint(p, v.lines)
	}
	body := v.endpointBody(slices.Concat(endpointInputs, newEndpointInputs))
	var made struct {
		api.Endpoint
		Secret string `json:"secret"`
	}
	err := v.sendForm("/api/endpoints", body, &made)
	if p := refused(err); p != nil {
		return v.showNewEndpoint(p, v.lines)
	}
	if err != nil {
		return err
	}
	// The API shows the secret in this one answer. If the form was sent before, that
	// answer is gone, and so is the secret.
	saved := endpointSavedView{What: "The endpoint is made, and gets what happens from now on.", Endpoint: made.Endpoint, Secret: made.Secret, Gone: made.Secret == "" && body["secret"] == nil, Warnings: made.Warnings}
	// An endpoint that is off gets nothing until somebody turns it on.
	if !made.Enabled {
		saved.What = "The endpoint is made, and is off."
	}
	return endpointSavedPage.show(v, "Endpoint created", saved)
}

// editEndpointForm shows the form of an endpoint. The query may fill in what was tried
// elsewhere; nothing of it is saved before the button is pressed.
func editEndpointForm(v *visit) error {
	// The form needs the endpoint alone, without any of its attempts.
	head, err := v.endpoint("", "0")
	if err != nil {
		return err
	}
	before := func(in *endpointInput) string { return in.value(&head.Endpoint) }
	return v.showEdit(nil, func(in *endpointInput) string { return cmp.Or(v.query().Get(in.Name), before(in)) }, before)
}

// showEdit shows the form of an endpoint that is there. shown is what each field has, and
// before what it had when the form was opened first, which hidden fields carry along.
func (v *visit) showEdit(problem *Problem, shown, before func(in *endpointInput) string) error {
	at := href("endpoints", v.endpointID())
	f := endpointFormView{Action: at + "/edit", Button: "Save", Back: at, Problem: problem}
	f.fill(endpointInputs, shown)
	for _, in := range endpointInputs {
		f.Hidden = append(f.Hidden, Hidden{was(in.Name), before(&in)})
	}
	if problem != nil {
		return endpointFormPage.refuse(v, "Edit the endpoint", problem, f)
	}
	return endpointFormPage.show(v, "Edit the endpoint", f)
}

// showTyped shows the form again, with what was typed into it. What the fields had at
// first comes from the form, too, and not from the endpoint, which somebody else may have
// changed since.
func (v *visit) showTyped(p *Problem) error {
	return v.showEdit(p, func(in *endpointInput) string { return v.lines(in.Name) }, func(in *endpointInput) string { return v.lines(was(in.Name)) })
}

// untyped is the problem of a form that came back with secrets left out, which were not
// typed again; nil if there are none. The text that stands for such a secret would
// otherwise become the secret.
func (v *visit) untyped() *Problem {
	p := &Problem{Status: http.StatusUnprocessableEntity, Title: http.StatusText(http.StatusUnprocessableEntity), Detail: "a secret is missing", Instance: idOf(v.r)}
	for _, name := range []string{"headers", "secret", "tls.key"} {
		if strings.Contains(v.field(name), typeAgain) {
			p.Errors = append(p.Errors, apierr.FieldError{Location: "body." + name, Message: "must be typed again where it says so: a secret that was sent is not shown"})
		}
	}
	if len(p.Errors) == 0 {
		return nil
	}
	return p
}

// editEndpoint sends only the fields that were changed in the form, so that two people who change
// different fields do not undo each other's change. Warnings of the API have a page of
// their own, since a notice is one of a few fixed texts.
func editEndpoint(v *visit) error {
	at := href("endpoints", v.endpointID())
	if p := v.untyped(); p != nil {
		return v.showTyped(p)
	}
	body := v.endpointBody(endpointInputs)
	// Nothing was changed, so nothing is sent, and the audit log has no entry.
	if len(body) == 0 {
		return v.done(at, "unchanged")
	}
	var saved api.Endpoint
	err := v.send(http.MethodPatch, "/api"+at, body, &saved)
	if p := refused(err); p != nil {
		return v.showTyped(p)
	}
	if err != nil {
		return err
	}
	// The endpoint is saved in either case.
	if len(saved.Warnings) > 0 {
		return endpointSavedPage.show(v, "Endpoint saved", endpointSavedView{What: "The changes are saved.", Endpoint: saved, Warnings: saved.Warnings})
	}
	return v.done(at, "saved")
}
