package dash

import (
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
)

// formError is one error of a problem as the page of a form shows it: by the label of the
// field that it is about, where there is one.
type formError struct {
	apierr.FieldError
	Label string // "": the place of the API is all that is known
	ID    string // of the field's element; "": the page has none
	Which string // the number of the element in a field that holds a list; "" is none
}

// labelled is a field of a form that a problem may be about. place is where the API has
// it, as body.url, and id is that of its element on the page.
type labelled struct{ place, label, id string }

// Told is the errors as a page shows them. An error of a field that the form does not
// have keeps the place of the API, so that nothing is left out.
func (p *Problem) Told() []formError {
	out := make([]formError, len(p.Errors))
	for i, e := range p.Errors {
		out[i].FieldError = e
		for _, f := range p.form {
			if rest, ok := below(e.Location, f.place); ok {
				out[i].Label, out[i].ID, out[i].Which = f.label, f.id, elementOf(rest)
				break
			}
		}
	}
	return out
}

// below returns what a place has behind another that it is at or below. So body.url is
// not taken for a part of body.urls.
func below(location, place string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(location, place)
	return rest, ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// elementOf is the number, from 1 on, of the element that a rest begins with, as [2].key.
// People count from 1, and the API's places from 0.
func elementOf(rest string) string {
	number, _, found := strings.Cut(strings.TrimPrefix(rest, "["), "]")
	n, err := strconv.Atoi(number)
	if !strings.HasPrefix(rest, "[") || !found || err != nil || n < 0 {
		return ""
	}
	return strconv.Itoa(n + 1)
}

// at is what a problem says of a place. A nil problem says nothing, so callers need not
// ask whether there is one.
func (p *Problem) at(place string) string {
	if p == nil {
		return ""
	}
	var out []string
	for _, e := range p.Errors {
		if _, ok := below(e.Location, place); ok {
			out = append(out, e.Message)
		}
	}
	return strings.Join(out, "; ")
}

// about is what a problem says of a field of the body.
func (p *Problem) about(field string) string { return p.at("body." + field) }

// mark notes beside each field of a form what the problem says of it, has the browser begin
// at the first of them, and has the problem name the fields as the form does. It may be
// called for several groups of fields, one after the other: the browser begins at the
// first error of all.
func (p *Problem) mark(inputs []Input) {
	if p == nil {
		return
	}
	for i := range inputs {
		in := &inputs[i]
		in.Error = p.about(in.Name)
		if in.Error != "" && !p.begun {
			in.Focus, p.begun = true, true
		}
		p.form = append(p.form, labelled{"body." + in.Name, in.Label, in.ID()})
	}
}

// markFilters is mark for the form above a list, whose fields are parameters of the
// query.
func (p *Problem) markFilters(f *Filters) {
	for _, fields := range [][]Filter{f.Shown, f.More} {
		for i := range fields {
			field := &fields[i]
			if field.Error = p.at("query." + field.Name); field.Error != "" {
				field.Focus = !p.begun
				p.begun = true
			}
			p.form = append(p.form, labelled{"query." + field.Name, field.Label, field.ID()})
		}
	}
}

// markSettings is mark for the form of an object of the settings. Where a new object will
// stand in its list, nobody knows yet (placeIn). A group in which something is wrong is
// shown open.
func (p *Problem) markSettings(form *settingsForm, at place) {
	for i := range form.Groups {
		g := &form.Groups[i]
		for j := range g.Fields {
			f := &g.Fields[j]
			place := p.placeIn(at) + "." + f.Name
			if f.Error = p.at(place); f.Error != "" {
				g.Open = true
				f.Focus = !p.begun
				p.begun = true
			}
			p.form = append(p.form, labelled{place, f.Label, f.ID()})
		}
	}
}

// placeIn is where the API has the object at a place: of one that is new, where its errors
// say. A new element is added at the end, so the last place of its list that has an error
// is the one.
func (p *Problem) placeIn(at place) string {
	text := "body." + at.String()
	before, isNew := strings.CutSuffix(text, "+]")
	if !isNew {
		return text
	}
	for _, e := range p.Errors {
		if rest, ok := strings.CutPrefix(e.Location, before); ok {
			if number, _, found := strings.Cut(rest, "]"); found {
				text = before + number + "]" // the last one: it is added behind the others
			}
		}
	}
	return text
}

// typeAgain stands in place of a secret in a form that comes back: what was typed is not
// shown again, and this is not taken for it. It is no value that a secret may have:
// untyped refuses it.
const typeAgain = "(type it again)"

// masked is what the API shows of a secret that is stored; sent back, it keeps that.
const masked = "***"

// withoutSecret is what a field of a form shows when it comes back, with the secrets that
// were typed into it left out. A mask stays, since it keeps what is stored. Of headers
// the names stay.
func withoutSecret(name, text string) string {
	switch name {
	case "secret", "tls.key":
		if text != "" && text != masked {
			return typeAgain
		}
	case "headers":
		var lines []string
		for line := range strings.Lines(text) {
			header, value, found := strings.Cut(strings.TrimSpace(line), ":")
			if value = strings.TrimSpace(value); found && value != "" && value != masked {
				line = header + ": " + typeAgain
			}
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
		return strings.Join(lines, "\n")
	}
	return text
}
