package api

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
)

// fields reads a small body, all of whose mistakes come as one error.
type fields struct {
	doc      *oms.Object
	mistakes []oms.FieldError
}

func (f *fields) wrong(name, format string, args ...any) {
	f.mistakes = append(f.mistakes, oms.FieldError{Location: "body." + name, Message: fmt.Sprintf(format, args...)})
}

// only notes each field that is none of those named.
func (f *fields) only(known ...string) {
	read := &oms.Object{}
	for _, name := range known {
		read.Set(name, true)
	}
	for _, m := range f.doc.Members() {
		if !read.Has(m.Name) && len(f.mistakes) < 20 {
			f.wrong(clip(m.Name), "is no field here; there are %s", strings.Join(known, ", "))
		}
	}
}

// clip keeps a name of a hostile body readable.
func clip(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}

// text reads a text, "" where there is none or null.
func (f *fields) text(name string) string {
	v, _ := f.doc.Get(name)
	s, ok := v.(string)
	if !ok && v != nil {
		f.wrong(name, "must be text")
	}
	return s
}

// texts reads a list of texts, nil where there is none or null.
func (f *fields) texts(name string) (all []string) {
	v, _ := f.doc.Get(name)
	list, ok := v.([]any)
	if !ok && v != nil {
		f.wrong(name, "must be a list of texts")
	}
	for i, one := range list {
		s, ok := one.(string)
		if !ok {
			f.wrong(fmt.Sprintf("%s[%d]", name, i), "must be text")
			return nil
		}
		all = append(all, s)
	}
	return all
}

// number reads a whole number within bounds; where there is none or null it is another.
func (f *fields) number(name string, least, most, otherwise int) int {
	v, _ := f.doc.Get(name)
	if v == nil {
		return otherwise
	}
	text, _ := v.(oms.Number)
	n, err := strconv.Atoi(string(text))
	if err != nil || n < least || n > most {
		f.wrong(name, "must be a whole number from %d to %d", least, most)
	}
	return n
}

// flag reads true or false; false where there is neither.
func (f *fields) flag(name string) bool {
	v, _ := f.doc.Get(name)
	b, ok := v.(bool)
	if !ok && v != nil {
		f.wrong(name, "must be true or false")
	}
	return b
}

// time reads a point in time as queries have it, too, zero where there is none.
func (f *fields) time(name string) time.Time {
	text := f.text(name)
	if text == "" {
		return time.Time{}
	}
	at, err := oms.ParseTime(text, oms.LayoutLocal, oms.LayoutDate)
	if err != nil {
		f.wrong(name, "%v", err)
	}
	return at
}

// err returns all mistakes as one error, nil if there are none.
func (f *fields) err() error {
	if len(f.mistakes) == 0 {
		return nil
	}
	return &oms.Error{Kind: oms.Invalid, Detail: "the request is not valid", Fields: f.mistakes}
}
