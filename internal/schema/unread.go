package schema

import (
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Place is one kind of object in the answers of endpoints: the members of it
// that are read, and what may be meant by others. It is made at the start and never
// changes.
type Place struct {
	read *Model
	// ignored members are not read either, and are none to warn of: they are part
	// of the answers of other systems.
	ignored map[string]bool
	// meant returns what a member that is not read may be meant for, as a
	// sentence; "" where nothing comes to mind.
	meant func(name string) string
}

// MostUnread bounds how many members the warnings about one answer name.
const MostUnread = 50

// Unread gathers the warnings about the members of one answer that nobody reads
// (docs/contract.md#unread-members). Its zero value has gathered nothing.
type Unread struct {
	warnings []apierr.Warning
	more     int // members that were counted and not named
}

// Object names the members of an object that nobody reads. A null says nothing,
// as everywhere: typed endpoints write one for each field that they know. The name of each
// is in its path, as a stored one would be spelled.
func (u *Unread) Object(o *jsondoc.Object, p *Place, path string) {
	for _, m := range o.Members() {
		if m.Value == nil || p.read.spelling(m.Name) != "" || p.ignored[spelling.Fold(m.Name)] {
			continue
		}
		// An answer may have 100,000 members.
		if len(u.warnings) == MostUnread {
			u.more++
			continue
		}
		u.warnings = append(u.warnings, apierr.Warning{Path: jsondoc.ShortPath(jsondoc.JoinPath(path, jsondoc.Lowered(m.Name))), Message: sentence("nobody reads this member", p.meant(m.Name))})
	}
}

// sentence puts together what is wrong and what may be meant.
func sentence(what, meant string) string { return strings.TrimSuffix(what+"; "+meant, "; ") }

// List returns the warnings, with one more about what was only counted. It is asked once,
// in the end.
func (u *Unread) List() []apierr.Warning {
	if u.more == 0 {
		return u.warnings
	}
	return append(u.warnings, apierr.Warning{Message: fmt.Sprintf("nobody reads %d more members", u.more)})
}

// nearest returns the field of the model that a name is a slip away from, or
// that another word stands for; "" where there is none. Another word is no slip, so it is
// looked up first.
func (m *Model) nearest(name string, words map[string]string) string {
	if meant := words[spelling.Fold(name)]; meant != "" {
		return meant
	}
	known := make([]string, 0, len(m.Fields))
	for field := range m.Fields {
		known = append(known, field)
	}
	return spelling.Nearest(name, known)
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

// mayBeMeant is the usual end of a warning.
func mayBeMeant(field string) string { return field + " may be meant" }
