// Package config reads the config file of a server. It is one JSON object, names in any
// case, with a key for each flag of `serve` (tlsCert for --tls-cert) and two sections that
// are no flags: outgoing and webHook.
//
// It does not know the flags: cmd/orderhook says which there are, and takes the values from
// here. Start reading at [Load].
package config

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
)

// File is a config file that was read and checked. Nothing changes it after [Load].
type File struct {
	Path string
	// Outgoing is the section of that name.
	Outgoing Outgoing
	// WebHook is the section of that name; nil where it is off.
	WebHook *WebHook

	// doc is the whole file, with the values of variables put in.
	doc *jsondoc.Object
}

// Load reads the file at path. A `${NAME}` in a text is the value of that variable of the
// environment, which must be set. keys are the keys that are flags. Any other key is an
// error, as is a value of another type: a name that is misspelt must not be passed over.
// Every error is one line that names the file, the key and what is wrong.
func Load(path string, keys []schema.ShapeField) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	// An empty file is one that somebody has forgotten to fill, and no set of defaults.
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, fmt.Errorf("%s: the file is empty, a JSON object is needed", path)
	}
	doc, err := schema.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Before the check, so that a value that a variable has is checked as any other.
	if err := expand(doc, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &File{Path: path, doc: doc}
	if err := f.check(keys); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	// Its errors come later, and name the file, too.
	if f.WebHook != nil {
		f.WebHook.path = path
	}
	return f, nil
}

// Value returns what the file says about a key, as text, as the flag would have it, and
// whether it says anything. The nil File says nothing.
func (f *File) Value(key string) (string, bool) {
	if f == nil {
		return "", false
	}
	// As text, since flags are given as text, whatever their type.
	switch v, _ := f.doc.Get(key); v := v.(type) {
	case string:
		return v, true
	case jsondoc.Number:
		return string(v), true
	case bool:
		return fmt.Sprint(v), true
	}
	// null and the sections say nothing about a flag.
	return "", false
}

// check reads the file by its shape; null is as good as absent.
func (f *File) check(keys []schema.ShapeField) (err error) {
	shape := &schema.Shape{Noun: "the config file", Fields: append(slices.Clone(keys),
		schema.ShapeField{Name: "outgoing", Type: schema.ShapeObject}, schema.ShapeField{Name: "webHook", Type: schema.ShapeObject})}
	r, err := read(f.doc, shape, "")
	if err != nil {
		return err
	}
	// A section that is not there leaves its defaults.
	if section := r.Object("outgoing"); section != nil {
		if f.Outgoing, err = outgoing(section); err != nil {
			return err
		}
	}
	if section := r.Object("webHook"); section != nil {
		f.WebHook, err = webHook(section)
	}
	return err
}

// read reads an object by its shape; at is the section, "" for the file itself. Its error
// is the first of what is wrong: a command has one line for it.
func read(doc *jsondoc.Object, s *schema.Shape, at string) (*schema.ObjectReader, error) {
	r := schema.Read(doc, s)
	if err, ok := errors.AsType[*apierr.Error](r.Err()); ok {
		first := err.Fields[0]
		return nil, fmt.Errorf("%s%s: %s", at, first.Location, first.Message)
	}
	return r, nil
}
