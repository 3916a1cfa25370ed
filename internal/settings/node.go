package settings

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/timetext"
)

// mostFindings bounds how many errors, and how many warnings, one answer
// names: a document of ten megabytes can hold a million of them.
const mostFindings = 100

// findings is what reading a document has come upon so far. All nodes of a document share
// one.
type findings struct {
	errors   []apierr.FieldError
	warnings []apierr.Warning
	verdicts map[[2]string]string // of names that were compared with others
}

// wrong notes an error at a path. Beyond so many it is left out.
func (f *findings) wrong(path, format string, args ...any) {
	if len(f.errors) < mostFindings {
		f.errors = append(f.errors, apierr.FieldError{Location: path, Message: fmt.Sprintf(format, args...)})
	}
}

// warn notes a warning at a path, within the same bound.
func (f *findings) warn(path, format string, args ...any) {
	if len(f.warnings) < mostFindings {
		f.warnings = append(f.warnings, apierr.Warning{Path: path, Message: fmt.Sprintf(format, args...)})
	}
}

// err returns all errors as one error, nil if there are none.
func (f *findings) err() error {
	if len(f.errors) == 0 {
		return nil
	}
	detail := "the settings are not valid"
	if len(f.errors) == mostFindings {
		detail += fmt.Sprintf("; only the first %d errors are named", mostFindings)
	}
	return &apierr.Error{Kind: apierr.Invalid, Detail: detail, Fields: f.errors}
}

// node is an object of the document and where it stands. Its methods read a
// field as the type it must have and note an error if it has another; null is
// as good as absent, since .NET writes out empty fields.
type node struct {
	obj *jsondoc.Object
	at  string // path from the document, "" for the document itself
	*findings
}

// path is the path of one of the object's fields.
func (n node) path(name string) string { return join(n.at, name) }

// join puts a name behind a path.
func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}

// value reads a field as a type. want names that type in a message.
func value[T any](n node, name, want string) (v T, given bool) {
	raw, _ := n.obj.Get(name)
	if raw == nil {
		return v, false
	}
	v, given = raw.(T)
	if !given {
		n.wrong(n.path(name), "must be %s, not %s", want, jsondoc.TypeName(raw))
	}
	return v, given
}

// text reads a text; "" if there is none.
func (n node) text(name string) string {
	s, _ := value[string](n, name, "text")
	return s
}

// secret reads a secret, and its text where it was sent just now.
func (n node) secret(name string) (v secret.Value, text string) {
	raw, _ := n.obj.Get(name)
	if v, ok := raw.(secret.Value); ok {
		if v.IsDestroyed() {
			n.warn(n.path(name), destroyed)
		}
		return v, ""
	}
	text = n.text(name)
	return secret.New(text), text
}

// required reads a text that must be there and say something. White space says nothing.
func (n node) required(name string) string {
	s, given := value[string](n, name, "text")
	if given && strings.TrimSpace(s) == "" || !n.obj.Has(name) {
		n.wrong(n.path(name), "is needed")
		return ""
	}
	return s
}

// flag reads true or false; absent is what a missing one counts as.
func (n node) flag(name string, absent bool) bool {
	if b, given := value[bool](n, name, "true or false"); given {
		return b
	}
	return absent
}

// whole reads a whole number that is needed, from 1 up to a bound. An error leaves some number,
// which nobody uses.
func (n node) whole(name string, most int64) int64 {
	number, given := value[jsondoc.Number](n, name, "a number")
	v, err := strconv.ParseInt(string(number), 10, 64)
	if !given && !n.obj.Has(name) {
		n.wrong(n.path(name), "is needed")
	} else if given && (err != nil || v < 1 || v > most) {
		n.wrong(n.path(name), "must be a whole number from 1 to %d", most)
	}
	return v
}

// length reads a length of time, 0 included. It takes either form of
// docs/contract.md#settings.
func (n node) length(name string) (d time.Duration, given bool) {
	s, given := value[string](n, name, "a duration, as text")
	if !given {
		return 0, false
	}
	d, ok := timetext.ParseDuration(s, math.MaxInt64)
	if !ok {
		n.wrong(n.path(name), "must be %s", timetext.DurationForms)
	}
	return d, ok
}

// span reads a length of time that is more than 0; it is 0 where none is given.
func (n node) span(name string) time.Duration {
	d, given := n.length(name)
	if given && d == 0 {
		n.wrong(n.path(name), "must be more than 0")
	}
	return d
}

// object reads an object, and whether there is one. Without one, the node reads as an empty
// object.
func (n node) object(name string) (node, bool) {
	o, given := value[*jsondoc.Object](n, name, "an object")
	return node{o, n.path(name), n.findings}, given
}

// texts reads a list of texts. What is no text is an error, and left out.
func (n node) texts(name string) []string {
	list, _ := value[[]any](n, name, "a list of texts")
	var out []string
	for i, e := range list {
		if s, ok := e.(string); ok {
			out = append(out, s)
			continue
		}
		n.wrong(fmt.Sprintf("%s[%d]", n.path(name), i), "must be text, not %s", jsondoc.TypeName(e))
	}
	return out
}

// nodes reads a list of objects, each with its path. What is no object is an error, and
// left out.
func (n node) nodes(name string) []node {
	list, _ := value[[]any](n, name, "a list of objects")
	var out []node
	for i, e := range list {
		at := fmt.Sprintf("%s[%d]", n.path(name), i)
		if o, ok := e.(*jsondoc.Object); ok {
			out = append(out, node{o, at, n.findings})
			continue
		}
		n.wrong(at, "must be an object, not %s", jsondoc.TypeName(e))
	}
	return out
}

// clip keeps a name of a hostile document readable in a message.
func clip(name string) string {
	return spelling.Clip(name, 60)
}
