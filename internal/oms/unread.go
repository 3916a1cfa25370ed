package oms

import (
	"fmt"
	"strings"
)

// answerPlace is one kind of object in the answers of endpoints: the members of it
// that are read, and what may be meant by others.
type answerPlace struct {
	read *model
	// ignored members are not read either, and are none to warn of: they are part
	// of the answers of other systems.
	ignored map[string]bool
	// meant returns what a member that is not read may be meant for, as a
	// sentence; "" where nothing comes to mind.
	meant func(name string) string
}

// mostUnread bounds how many members the warnings about one answer name.
const mostUnread = 50

// unread gathers the warnings about the members of one answer that nobody reads
// (CONTRACT.md, "What is not read is named").
type unread struct {
	warnings []Warning
	more     int // members that were counted and not named
}

// object names the members of an object that nobody reads. A null says nothing,
// as everywhere: typed endpoints write one for each field that they know.
func (u *unread) object(o *Object, p *answerPlace, path string) {
	for _, m := range o.Members() {
		if m.Value == nil || p.read.has(m.Name) || p.ignored[fold(m.Name)] {
			continue
		}
		if len(u.warnings) == mostUnread {
			u.more++
			continue
		}
		u.warnings = append(u.warnings, Warning{shorten(joinPath(path, lowered(m.Name))), sentence("nobody reads this member", p.meant(m.Name))})
	}
}

func sentence(what, meant string) string { return strings.TrimSuffix(what+"; "+meant, "; ") }

// list returns the warnings, with one more about what was only counted.
func (u *unread) list() []Warning {
	if u.more == 0 {
		return u.warnings
	}
	return append(u.warnings, Warning{Message: fmt.Sprintf("nobody reads %d more members", u.more)})
}

// has reports whether the model has a field of that name, in any case.
func (m *model) has(name string) bool { return m.spelling(name) != "" }

// nearest returns the field of the model that a name is a slip away from, or
// that another word stands for; "" where there is none.
func (m *model) nearest(name string, words map[string]string) string {
	if meant := words[fold(name)]; meant != "" {
		return meant
	}
	known := make([]string, 0, len(m.fields))
	for field := range m.fields {
		known = append(known, field)
	}
	return Nearest(name, known)
}

// words maps other words for a field, in lower case, to the field.
func words(of map[string]string) map[string]string {
	byWord := map[string]string{}
	for field, list := range of {
		for word := range strings.FieldsSeq(list) {
			byWord[word] = field
		}
	}
	return byWord
}

func mayBeMeant(field string) string { return field + " may be meant" }

// WarningText says in one line what warnings are about, and names the first of
// them; the others are counted.
func WarningText(warnings []Warning) string {
	const most = 5
	var parts []string
	for _, w := range warnings[:min(most, len(warnings))] {
		parts = append(parts, strings.TrimPrefix(w.Path+": "+w.Message, ": "))
	}
	if more := len(warnings) - most; more > 0 {
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(parts, "; ")
}
