package settings

import (
	"errors"
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/spelling"
)

// Variables says which variables of the environment a document may name, as
// `${NAME}`, and finds them. The zero value lets it name none.
//
// Whoever may store settings chooses the hosts that their secrets go to, and so
// learns the value of every variable that the settings may name. So settings
// that come through the API, from somebody who need not be the owner of the
// server's environment, may name few of them: see [Variables.find].
type Variables struct {
	// Lookup finds a variable of the environment, as os.LookupEnv does; nil: there
	// is none.
	Lookup func(name string) (value string, set bool)
	// Owner says that the document is that of the environment's owner, as a
	// settings file is, who may name any variable.
	Owner bool
	// Allowed are the names that others may name besides, or beginnings of names
	// with a * behind them.
	Allowed []string
}

// What a document may do with a variable depends on how its name begins: see
// [Variables.admit].
const (
	// ownVariables begin the names of orderhook's own, among which are its keys.
	ownVariables = "ORDERHOOK_"
	// secretVariables begin the names of those that are there to be named in the
	// places of secrets.
	secretVariables = ownVariables + "SECRET_"
)

// CheckAllowed says what is wrong with an entry of Allowed; "" if nothing is.
func CheckAllowed(entry string) string {
	name, _ := strings.CutSuffix(entry, "*")
	switch {
	case name == "":
		return "would admit every variable; name some, as ERP_TOKEN or ERP_*"
	case strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}):
		return "is no variable's name, as ERP_TOKEN or ERP_*"
	case strings.HasPrefix(strings.ToUpper(name), ownVariables), name != entry && strings.HasPrefix(ownVariables, strings.ToUpper(name)):
		return "would admit orderhook's own variables, which are never given out"
	}
	return ""
}

// find returns a variable's value for a place that does or does not hold a secret.
func (v Variables) find(name string, secret bool) (string, error) {
	if err := v.admit(name, secret); err != nil {
		return "", err
	}
	// Whether it may be named was asked first, so an error does not tell which variables
	// there are.
	value, err := Environment(v.Lookup)(name)
	if value == mask {
		return "", errors.New(`is "***", which stands for a stored secret and is none`)
	}
	return value, err
}

// admit says why a document may not name a variable, whether it is set or not.
// What stands in the place of a secret is never shown; all else is, so the
// variables that are secret by their name stand there alone. Errors name the rule, and
// never a value.
func (v Variables) admit(name string, secret bool) error {
	upper := strings.ToUpper(name) // as some systems take them for the same
	switch {
	case v.Lookup == nil:
		return errors.New("cannot be used: the variables are the server's, and only the settings of the tenant that --tenant names may name some")
	case strings.HasPrefix(upper, secretVariables) && secret:
		return nil
	case strings.HasPrefix(upper, secretVariables):
		return errors.New("may stand only in the place of a secret: all else is shown to whoever reads the settings")
	case strings.HasPrefix(upper, ownVariables):
		return errors.New("is one of orderhook's own, and is never given out")
	case v.Owner || v.allows(name):
		return nil
	}
	return fmt.Errorf("cannot be used: settings that come through the API may name variables whose names begin with %s, and those that --settings-variables (settingsVariables) lists", secretVariables)
}

// allows reports whether the operator has listed a variable.
func (v Variables) allows(name string) bool {
	for _, a := range v.Allowed {
		if begin, many := strings.CutSuffix(a, "*"); a == name || many && strings.HasPrefix(name, begin) {
			return true
		}
	}
	return false
}

// mostExpanded bounds what all variables of a document come to, in bytes: many
// places may name one large variable.
const mostExpanded = 4 << 20

// expansion puts the variables' values into a document. It lives for one document. Errors
// are collected, each with its place.
type expansion struct {
	variables Variables
	secrets   map[secretPlace]bool
	bytes     int
	*findings
}

// secretPlace is a field of an object of the document.
type secretPlace struct {
	in    *jsondoc.Object
	field string // folded
}

// Expand puts the values of variables into all texts of a document, in place.
// The names of fields are left alone. After an error the document is half done, and nobody
// uses it. It is for who sends the document to a server, which does not have the same
// variables; all others leave it to [Incoming].
func Expand(doc *jsondoc.Object, v Variables) error {
	e := expansion{variables: v, secrets: map[secretPlace]bool{}, findings: &findings{}}
	// Which places are those of secrets is found out first, since other variables may stand
	// there.
	for _, h := range holders(doc) {
		for _, sec := range h.secrets {
			e.secrets[secretPlace{sec.in, spelling.FoldName(sec.field)}] = true
		}
	}
	e.object(doc, "")
	return e.err()
}

// object expands what is in an object, at any depth. Names stay.
func (e *expansion) object(o *jsondoc.Object, at string) {
	for _, m := range o.Members() {
		secret := e.secrets[secretPlace{o, spelling.FoldName(m.Name)}]
		if v, changed := e.value(m.Value, join(at, clip(m.Name)), secret); changed {
			o.Set(m.Name, v)
		}
	}
}

// value expands what is in a value, and returns the one to put in its place.
func (e *expansion) value(v any, at string, secret bool) (out any, changed bool) {
	switch v := v.(type) {
	case *jsondoc.Object:
		e.object(v, at)
	case []any:
		for i := range v {
			if text, changed := e.value(v[i], fmt.Sprintf("%s[%d]", at, i), false); changed {
				v[i] = text
			}
		}
	case string:
		return e.text(v, at, secret)
	}
	return v, false
}

// text expands one text. If that cannot be done it stays, and the error names its place.
func (e *expansion) text(text, at string, secret bool) (out string, changed bool) {
	out, err := ExpandVariables(text, func(name string) (string, error) {
		value, err := e.variables.find(name, secret)
		if e.bytes += len(value); err == nil && e.bytes > mostExpanded {
			return "", fmt.Errorf("is too much: all variables of the settings may come to %d bytes", mostExpanded)
		}
		return value, err
	})
	if err != nil {
		e.wrong(at, "%v", err)
		return text, false
	}
	return out, out != text
}
