package main

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/orderhook/orderhook/internal/config"
)

// defaultConfig is the config file that is read if it is there.
const defaultConfig = "orderhook.json"

// sources gives a flag that is not on the command line its value: that of its
// ORDERHOOK_… variable, or else of its key in the config file, or else none,
// which leaves it at its default. It is a kong.Resolver.
//
// kong can read variables too, but would let a resolver's word go over theirs.
type sources struct {
	keys   map[string]config.Kind // of the config file
	loaded bool
	file   *config.File // nil if there is none
}

// sourceError is a value that is wrong in a variable or in the config file.
type sourceError struct{ error }

func (e *sourceError) Unwrap() error { return e.error }

// learnKeys takes the flags of `serve` for the keys of the config file. It is a
// hook for when kong has read the commands.
func (s *sources) learnKeys(k *kong.Kong) error {
	s.keys = map[string]config.Kind{}
	for _, command := range k.Model.Children {
		if command.Name == "serve" {
			for _, flag := range command.Flags {
				s.learnKey(flag)
			}
		}
	}
	return nil
}

func (s *sources) learnKey(flag *kong.Flag) {
	if flag.Name != "help" && flag.Name != "config" {
		s.keys[key(flag)] = kindOf(flag)
	}
}

func kindOf(flag *kong.Flag) config.Kind {
	if flag.IsBool() {
		return config.Flag
	}
	switch flag.Target.Interface().(type) {
	case count:
		return config.Number
	case size, sizeLimit, countLimit:
		return config.Amount
	}
	return config.Text
}

// path is the config file's, "" if there is none.
func (s *sources) path() string {
	if s.file == nil {
		return ""
	}
	return s.file.Path
}

// Validate has nothing to add: the file was checked when it was read.
func (s *sources) Validate(*kong.Application) error { return nil }

// Resolve implements kong.Resolver.
func (s *sources) Resolve(ctx *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if err := s.load(ctx); err != nil {
		return nil, &sourceError{err}
	}
	if text := os.Getenv(variable(flag)); text != "" {
		return checked(flag, text, variable(flag))
	}
	if text, ok := s.file.Value(key(flag)); ok {
		return checked(flag, text, s.file.Path+": "+key(flag))
	}
	return nil, nil
}

// load reads the config file before the first flag is looked up, if the command
// has a --config. One that was named must be there.
func (s *sources) load(ctx *kong.Context) (err error) {
	if s.loaded {
		return nil
	}
	s.loaded = true
	path, named, ok := configPath(ctx)
	if !ok {
		return nil
	}
	s.file, err = config.Load(path, s.keys)
	if !named && errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func configPath(ctx *kong.Context) (path string, named, ok bool) {
	for _, flag := range ctx.Flags() {
		if flag.Name != "config" {
			continue
		}
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

// checked returns the text if the flag can take it, and says where it stands if not.
func checked(flag *kong.Flag, text, from string) (any, error) {
	value := reflect.New(flag.Target.Type()).Elem()
	scan := kong.ScanFromTokens(kong.Token{Type: kong.FlagValueToken, Value: text})
	if err := flag.Mapper.Decode(&kong.DecodeContext{Value: flag.Value, Scan: scan}, value); err != nil {
		return nil, &sourceError{fmt.Errorf("%s: %w", from, err)}
	}
	return text, nil
}

// helpText is a flag's help with the name of its variable.
func helpText(v *kong.Value) string {
	if v.Flag == nil || v.Name == "help" {
		return v.Help
	}
	return v.Help + " ($" + variable(v.Flag) + ")"
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
