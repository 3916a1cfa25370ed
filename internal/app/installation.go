package app

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/api"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
)

// Installation is a file that says what a tenant is to have: settings, endpoints and keys
// (docs/operating.md#an-installation-in-a-file). What it does not name stays as it is.
//
// Whoever keeps a server in files, as in a repository or a Helm chart, applies such a file
// at each deployment. So applying it twice must change nothing the second time.
type Installation struct {
	Path     string // "": it came through the API
	Tenant   string
	Targets  Targets
	Listen   string // the address that the server is to listen at, which says what it may call
	MaxBytes int64  // of the settings

	body []byte // the document, with the values of variables and files in it
	// What was found in it.
	settings  *SettingsFile // nil: the file has none
	endpoints []wantedEndpoint
	keys      []wantedKey
}

// wantedEndpoint is an endpoint that is to be there, or not. It is known by its
// description: the id of an endpoint is made by the server, so a file cannot name it.
type wantedEndpoint struct {
	// at is where it stands in the file, for errors; name is the description.
	at, name string
	doc      *jsondoc.Object // without secret
	secret   string
	absent   bool
}

// wantedKey is an API key that is to be there, or not. It is known by its name. secret is
// the key itself.
type wantedKey struct {
	at, name, secret string
	role             access.Role
	fields           *schema.ObjectReader // what else the file says of it
	absent           bool
}

// Read reads the file, and the variables and files that it names, and checks what can be
// checked without a database. No error repeats one of their values.
func (in *Installation) Read() error {
	data, err := os.ReadFile(in.Path)
	if err != nil {
		return &UserError{err}
	}
	if int64(len(data)) > in.MaxBytes { // which a server would refuse, too
		return UserErrorf("%s is larger than %d bytes, which is the most that --max-settings-bytes allows", in.Path, in.MaxBytes)
	}
	doc, err := schema.Parse(data)
	if err != nil {
		return &UserError{fmt.Errorf("%s: %w", in.Path, err)}
	}
	if err := in.resolve(doc); err != nil {
		// If a variable or a file is missing, nothing is checked any further, and nothing was
		// stored.
		return err
	}
	in.body = doc.JSON()
	return in.take(doc)
}

// resolve puts the values of variables, and the secrets that are in files of their own, into
// their places. So the document is whole, and means the same to a server as here.
func (in *Installation) resolve(doc *jsondoc.Object) error {
	if s := doc.Object("settings"); s != nil {
		// The variables of the settings have rules of their own, so their reader puts the
		// values in.
		if err := settings.Expand(s, settings.Variables{Lookup: os.LookupEnv, Owner: true}); err != nil {
			return firstWrong(in.place("settings"), err)
		}
	}
	for _, of := range []struct{ list, secret string }{{"endpoints", "secret"}, {"keys", "key"}} {
		for i, v := range doc.List(of.list) {
			one, ok := v.(*jsondoc.Object)
			if !ok { // take says that it must be one
				continue
			}
			at := fmt.Sprintf("%s[%d]", of.list, i)
			if err := expandAll(one, at+"."); err != nil {
				return UserErrorf("%s: %w", in.Path, err)
			}
			if err := readSecret(one, at, of.secret); err != nil {
				return UserErrorf("%s: %w", in.Path, err)
			}
		}
	}
	return nil
}

// take reads the document, whose variables are in their places. It may come from anybody, so
// it reads no file. The document is changed.
func (in *Installation) take(doc *jsondoc.Object) error {
	r := schema.Read(doc, api.InstallationShape)
	if err := r.Err(); err != nil {
		return firstWrong(cmp.Or(in.Path, "body"), err)
	}
	if s := r.Object("settings"); s != nil {
		in.settings = &SettingsFile{Path: in.Path, Tenant: in.Tenant, doc: s, literal: true}
	}
	names := map[string]bool{}
	for i, v := range r.List("endpoints") {
		if err := in.readEndpoint(fmt.Sprintf("endpoints[%d]", i), v, names); err != nil {
			return in.wrong(err)
		}
	}
	// A key and an endpoint may have the same name.
	clear(names)
	for i, v := range r.List("keys") {
		if err := in.readKey(fmt.Sprintf("keys[%d]", i), v, names); err != nil {
			return in.wrong(err)
		}
	}
	return nil
}

// place is a place of the document, with the file where there is one.
func (in *Installation) place(at string) string {
	if in.Path == "" {
		return at
	}
	return in.Path + ": " + at
}

// wrong is an error whose text begins with a place.
func (in *Installation) wrong(err error) error { return UserErrorf("%s%w", in.place(""), err) }

// readEndpoint reads an endpoint at a place of the file. The members that only a file has
// are taken out, so that what is left is what the API takes.
func (in *Installation) readEndpoint(at string, v any, names map[string]bool) error {
	doc, ok := v.(*jsondoc.Object)
	if !ok {
		return fmt.Errorf("%s must be an object", at)
	}
	// The shape of the API does not know absent. Of another type it would count as false, and
	// the endpoint would stay.
	if v, _ := doc.Get("absent"); v != nil {
		if _, is := v.(bool); !is {
			return fmt.Errorf("%s.absent must be true or false", at)
		}
	}
	// These are read before secret and absent are taken out.
	e := wantedEndpoint{at: at, name: doc.Text("description"), secret: doc.Text("secret"), doc: doc, absent: doc.True("absent")}
	if err := unique(names, at+".description", e.name); err != nil {
		return err
	}
	// What is left is a document as the API takes it, which would refuse these.
	for _, own := range []string{"secret", "absent"} {
		doc.Delete(own)
	}
	in.endpoints = append(in.endpoints, e)
	return nil
}

// readKey reads a key at a place of the file. One that is to be absent needs nothing but
// its name.
func (in *Installation) readKey(at string, v any, names map[string]bool) error {
	doc, ok := v.(*jsondoc.Object)
	if !ok {
		return fmt.Errorf("%s must be an object", at)
	}
	r := schema.Read(doc, access.InstallationKeyShape)
	k := wantedKey{at: at, name: r.Text("name"), secret: r.Text("key"), fields: r, absent: r.Flag("absent")}
	// That a time is over is wrong only where it changes something: the file may be older
	// than the end of its key.
	new(access.Key).Take(r, time.Time{})
	if err := r.Err(); err != nil {
		return firstWrong(at, err)
	}
	if err := unique(names, at+".name", k.name); err != nil {
		return err
	}
	// Role and secret of a key that is to go do not matter.
	if k.absent {
		in.keys = append(in.keys, k)
		return nil
	}
	if k.secret == "" {
		return fmt.Errorf("%s.key is needed", at)
	}
	// Somebody may have thought it up.
	if err := checkAPIKey(k.secret); err != nil {
		return fmt.Errorf("%s: %w", at, err)
	}
	var err error
	if k.role, err = access.ParseRole(r.Text("role")); err != nil {
		return fmt.Errorf("%s.role must be one of reader, publisher, operator, admin", at)
	}
	for _, other := range in.keys {
		if !other.absent && other.secret == k.secret {
			return fmt.Errorf("%s: the key is that of %s already", at, other.at)
		}
	}
	in.keys = append(in.keys, k)
	return nil
}

// unique returns an error unless a name is there, and is the only one of its kind.
func unique(names map[string]bool, at, name string) error {
	if name == "" {
		return fmt.Errorf("%s is needed: it is what this is known by", at)
	}
	if names[name] {
		return fmt.Errorf("%s: there are two of %q", at, name)
	}
	names[name] = true
	return nil
}

// readSecret puts a secret into its field that is in a file: the field with File behind its
// name names that, since a secret that a platform puts into a file need not be in a variable.
// A line break at the end of that file is not part of it.
func readSecret(doc *jsondoc.Object, at, field string) error {
	v, given := doc.Get(field + "File")
	file, _ := v.(string)
	switch {
	case !given:
		return nil
	case file == "":
		return fmt.Errorf("%s.%sFile must be the path of a file", at, field)
	case doc.Text(field) != "":
		return fmt.Errorf("%s.%s and %[2]sFile are both given: take one of them", at, field)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("%s.%sFile: %w", at, field, err)
	}
	// Most editors end a file with a line break.
	text := strings.TrimRight(string(data), "\r\n")
	if text == "" {
		return fmt.Errorf("%s.%sFile: %s is empty", at, field, file)
	}
	doc.Delete(field + "File")
	doc.Set(field, text)
	return nil
}

// expandAll puts the values of variables into the texts of an object, and of the objects
// within it. It leaves lists as they are. The settings are not expanded by it, but by their
// own reader.
func expandAll(doc *jsondoc.Object, at string) error {
	for _, m := range doc.Members() {
		switch v := m.Value.(type) {
		case *jsondoc.Object:
			if err := expandAll(v, at+m.Name+"."); err != nil {
				return err
			}
		case string:
			text, err := settings.ExpandVariables(v, settings.Environment(os.LookupEnv))
			if err != nil {
				return fmt.Errorf("%s%s: %w", at, m.Name, err)
			}
			doc.Set(m.Name, text)
		}
	}
	return nil
}

// firstWrong says in one line what is wrong first, and where. It is a user error if the
// caller can correct it. An answer of the API would list all of it; a command has one line.
func firstWrong(at string, err error) error {
	e, ok := errors.AsType[*apierr.Error](err)
	switch {
	case !ok && IsUserError(err):
		return UserErrorf("%s: %w", at, err)
	case !ok:
		return fmt.Errorf("%s: %w", at, err)
	// An error without fields says by itself what is wrong.
	case len(e.Fields) == 0:
		return fmt.Errorf("%s: %w", at, err)
	case len(e.Fields) == 1:
		return UserErrorf("%s.%s: %s", at, strings.TrimPrefix(e.Fields[0].Location, "body."), e.Fields[0].Message)
	}
	return UserErrorf("%s.%s: %s (and %d errors more)", at, strings.TrimPrefix(e.Fields[0].Location, "body."), e.Fields[0].Message, len(e.Fields)-1)
}
