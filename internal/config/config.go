// Package config reads the config file. It is one JSON object, names in any
// case, with a key for each flag of `serve` (tlsCert for --tls-cert) and two
// sections that are no flags: outgoing and webHook.
package config

import (
	"fmt"
	"os"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// File is a config file that was read and checked.
type File struct {
	Path string
	// AllowHosts is outgoing.allowHosts: targets that are allowed whatever
	// their address is.
	AllowHosts []string
	// WebHook is the section of that name; nil where it is off.
	WebHook *WebHook

	doc *oms.Object
}

// Kind is what a key of the file holds.
type Kind string

// The kinds of values, as a message names them.
const (
	Text   Kind = "text"
	Flag   Kind = "true or false"
	Number Kind = "a number"
	Amount Kind = "a number, or text such as 10MiB or 1024/256"
)

// Load reads the file at path. A `${NAME}` in a text is the value of that
// variable of the environment, which must be set. keys is the keys that are flags; any other is an
// error, as is a value of another type. Every error is one line that names the
// file, the key and what is wrong.
func Load(path string, keys map[string]Kind) (*File, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if len(strings.TrimSpace(string(data))) == 0 {
		return nil, fmt.Errorf("%s: the file is empty, a JSON object is needed", path)
	}
	doc, err := oms.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := expand(doc, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	f := &File{Path: path, doc: doc}
	if err := f.check(keys); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if f.WebHook != nil {
		f.WebHook.path = path
	}
	return f, nil
}

// Value returns what the file says about a key, as text, and whether it says
// anything. The nil File says nothing.
func (f *File) Value(key string) (string, bool) {
	if f == nil {
		return "", false
	}
	switch v, _ := f.doc.Get(key); v := v.(type) {
	case string:
		return v, true
	case oms.Number:
		return string(v), true
	case bool:
		return fmt.Sprint(v), true
	}
	return "", false
}

// check walks the file; null is as good as absent.
func (f *File) check(keys map[string]Kind) (err error) {
	for _, m := range f.doc.Members() {
		kind, isFlag := named(keys, m.Name)
		switch {
		case m.Value == nil:
		case isFlag:
			err = checkKind(m.Name, kind, m.Value)
		case strings.EqualFold(m.Name, "outgoing"):
			f.AllowHosts, err = outgoing(m.Value)
		case strings.EqualFold(m.Name, "webHook"):
			f.WebHook, err = webHook(m.Value)
		default:
			err = fmt.Errorf("%s: there is no such key", m.Name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func named(keys map[string]Kind, name string) (Kind, bool) {
	for key, kind := range keys {
		if strings.EqualFold(key, name) {
			return kind, true
		}
	}
	return "", false
}

func checkKind(key string, want Kind, v any) error {
	ok := false
	switch want {
	case Text:
		_, ok = v.(string)
	case Flag:
		_, ok = v.(bool)
	case Number:
		_, ok = v.(oms.Number)
	case Amount:
		if _, ok = v.(oms.Number); !ok {
			_, ok = v.(string)
		}
	}
	if !ok {
		return fmt.Errorf("%s: must be %s", key, want)
	}
	return nil
}
