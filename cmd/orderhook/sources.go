package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/orderhook/orderhook/internal/config"
	"github.com/orderhook/orderhook/internal/schema"
)

// defaultConfig is the config file that is read if it is there.
const defaultConfig = "orderhook.json"

// sources finds the value of a flag that is not on the command line: first its
// ORDERHOOK_… variable, then its key in the config file. If it is in neither, the flag
// has its default. It is a kong.Resolver.
//
// kong can read variables, too, but then the config file would win over a variable. There
// is one for the process, and one goroutine uses it, while the command line is read.
type sources struct {
	keys   []schema.ShapeField // of the config file
	loaded bool
	file   *config.File // nil if there is none
}

// sourceError is a value that is wrong in a variable or in the config file.
type sourceError struct{ error }

// Unwrap lets callers find the error itself, behind the place that it came from.
func (e *sourceError) Unwrap() error { return e.error }

// learnKeys makes the flags of `serve` the keys of the config file. kong calls it after
// it has read the commands. So a new flag of serve is a key of the file without being
// named anywhere else.
func (s *sources) learnKeys(k *kong.Kong) error {
	s.keys = nil
	for _, command := range k.Model.Children {
		if command.Name == "serve" {
			for _, flag := range command.Flags {
				s.learnKey(flag)
			}
		}
	}
	return nil
}

// learnKey adds the key of one flag, with the type that its value has in JSON.
func (s *sources) learnKey(flag *kong.Flag) {
	if flag.Name != "help" && flag.Name != "config" {
		s.keys = append(s.keys, schema.ShapeField{Name: key(flag), Type: typeOf(flag)})
	}
}

// typeOf is what the config file may say of a flag. Most flags are a text there, as
// durations. A number may be one, and an amount a number or a text with a unit.
func typeOf(flag *kong.Flag) schema.ShapeType {
	if flag.IsBool() {
		return schema.ShapeFlag
	}
	// The types are those of this package. A type that is not named here is a text in the
	// file.
	switch flag.Target.Interface().(type) {
	case count:
		return schema.ShapeNumber
	case size, sizeLimit, countLimit:
		return schema.ShapeAmount
	}
	return schema.ShapeText
}

// path returns the path of the config file, "" if there is none.
func (s *sources) path() string {
	if s.file == nil {
		return ""
	}
	return s.file.Path
}

// Validate has nothing to add: the file was checked when it was read.
func (s *sources) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver. kong calls it for each flag that the command line
// does not give; nil means that the default holds. A variable that is set to nothing
// counts as not set.
func (s *sources) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if err := s.load(ctx); err != nil {
		return nil, &sourceError{err}
	}
	// The config file has been loaded by now, also for the flags that follow.
	if commandLineAlone(flag) {
		return nil, nil
	}
	if text := os.Getenv(variable(flag)); text != "" {
		return checked(flag, text, variable(flag))
	}
	if text, ok := s.file.Value(key(flag)); ok {
		return checked(flag, text, s.file.Path+": "+key(flag))
	}
	return nil, nil
}

// load reads the config file before the first flag is looked up, if the command has the
// flag --config. A file that was named must exist.
func (s *sources) load(ctx *kong.Context) (err error) {
	if s.loaded {
		return nil
	}
	// It is set before the load, so that the file is read once, whatever comes of it.
	s.loaded = true
	path, named, ok := configPath(ctx)
	if !ok {
		// A command without --config reads none, not even the default one.
		return nil
	}
	// The default file may be absent. One that is there and wrong is an error.
	s.file, err = config.Load(path, s.keys)
	if !named && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// configPath returns the path of the config file, whether somebody has named it, and
// whether the command reads one at all.
func configPath(ctx *kong.Context) (path string, named, ok bool) {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
		// The flag goes before its variable, as with all other flags.
		if path, _ = ctx.FlagValue(flag).(string); path == "" {
			path = os.Getenv(variable(flag))
		}
		if path != "" {
			return path, true, true
		}
		return defaultConfig, false, true
	}
	return "", false, false
}

// checked returns the text if the flag accepts it. If not, the error says where the text
// comes from. kong would say only that the flag is wrong, which nobody has given.
func checked(flag *kong.Flag, text, from string) (any, error) {
	// The value is a new one, since kong sets that of the flag itself from the text.
	value := reflect.New(flag.Target.Type()).Elem()
	scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, value); err != nil {
		return nil, &sourceError{fmt.Errorf("%s: %w", from, err)}
	}
	return text, nil
}

// helpText is a flag's help with the name of its variable. kong calls it for every flag
// when it prints the help.
func helpText(v *kong.Value) string {
	if v.Flag == nil || commandLineAlone(v.Flag) {
		return v.Help
	}
	return v.Help + " ($" + variable(v.Flag) + ")"
}

// commandLineAlone reports whether a flag has no variable: one that nobody means for good (a
// container often has a variable that holds the version of its image, and starts all the
// same), or one of which the variable means something else to another command (env:"-").
func commandLineAlone(flag *kong.Flag) bool {
	return flag.Name == "help" || flag.Name == "version" || slices.Contains(flag.Envs, "-")
}

// variable is ORDERHOOK_TLS_CERT for --tls-cert.
func variable(flag *kong.Flag) string {
	return "ORDERHOOK_" + strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))
}

// key is tlsCert for --tls-cert.
func key(flag *kong.Flag) string {
	first, rest, _ := strings.Cut(flag.Name, "-")
	for word := range strings.SplitSeq(rest, "-") {
		if word != "" {
			first += strings.ToUpper(word[:1]) + word[1:]
		}
	}
	return first
}
