package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"github.com/orderhook/orderhook/internal/schema"
)

// TestEveryFlagOfServeHasFourSources sets each flag in the file, in its
// variable and on the command line, one after the other, and sees each win over
// what was there before.
func TestEveryFlagOfServeHasFourSources(t *testing.T) {
	for _, flag := range flagsOf(t, "serve") {
		if flag.Name == "help" || flag.Name == "config" {
			continue
		}
		t.Run(flag.Name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			v := samples(flag)
			byDefault := parsed(t, flag.Name)
			writeConfig(t, map[string]any{strings.ToUpper(key(flag)): v.file})
			expect(t, flag.Name, fmt.Sprint(v.file))
			t.Setenv(variable(flag), v.env)
			expect(t, flag.Name, v.env)
			expect(t, flag.Name, v.flag, "--"+flag.Name+"="+v.flag)
			t.Setenv(variable(flag), "") // is as good as unset
			expect(t, flag.Name, fmt.Sprint(v.file))
			writeConfig(t, map[string]any{key(flag): nil})
			expect(t, flag.Name, byDefault)
		})
	}
}

func TestDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, want := range map[string]string{
		"listen": "127.0.0.1:8080", "database": "orderhook.db", "grace": "30s", "lease-time": "30s", "max-status-changes": "60", "disable-endpoints-after": "120h0m0s", "tenant": "default",
		"connection-max-age": "1m30s", "proxy": "", "proxy-lookup": "true", "trusted-proxies": "", "forwarded-header": "X-Forwarded-For",
		"max-outgoing": "2048", "max-answer-bytes-in-flight": "256MiB",
		"settings": "", "api-key": "", "allow-private-targets": "<nil>", "log-level": "INFO", "log-format": "text",
		"max-requests": "1024/256", "max-request-bytes-in-flight": "256MiB/64MiB", "max-order-bytes": "10MiB", "max-endpoints": "100000/10000", "max-settings-bytes": "4MiB",
	} {
		expect(t, name, want)
	}
}

type threeValues struct {
	file      any
	env, flag string
}

// samples returns three values, each unlike the one before it, and the first
// unlike the default.
func samples(flag *kong.Flag) threeValues {
	switch {
	case flag.IsBool():
		return threeValues{true, "false", "true"}
	case flag.Name == "grace" || flag.Name == "lease-time" || flag.Name == "disable-endpoints-after", flag.Name == "connection-max-age":
		return threeValues{"1s", "2s", "3s"}
	case flag.Name == "max-answer-bytes-in-flight":
		return threeValues{"8MiB", "9MiB", "10MiB"}
	case strings.HasPrefix(flag.Tag.PlaceHolder, "ALL/"):
		return threeValues{"7/1", "7/2", "7/3"} // of counts and of bytes
	case flag.Tag.PlaceHolder == "SIZE":
		return threeValues{1023, "2MiB", "3MiB"}
	case typeOf(flag) == schema.ShapeNumber:
		return threeValues{1, "2", "3"}
	case flag.Name == "log-level":
		return threeValues{"ERROR", "DEBUG", "WARN"}
	case flag.Name == "trusted-proxies":
		return threeValues{"10.0.0.0/8", "10.0.0.1/32", "::1/128"}
	case flag.Name == "forwarded-header":
		return threeValues{"Forwarded", "X-Forwarded-For", "Forwarded"}
	case flag.Name == "log-format":
		return threeValues{"json", "text", "json"}
	}
	return threeValues{"of the file", "of the variable", "of the flag"}
}

func expect(t *testing.T, name, want string, args ...string) {
	t.Helper()
	if got := parsed(t, name, args...); got != want {
		t.Errorf("%s is %s, want %s", name, got, want)
	}
}

// parsed returns what a flag of `serve` is after parsing the arguments.
func parsed(t *testing.T, name string, args ...string) string {
	t.Helper()
	parser, _ := newParser(io.Discard, io.Discard)
	ctx, err := parser.Parse(append([]string{"serve"}, args...))
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range ctx.Selected().Flags {
		if flag.Name != name {
			continue
		}
		if b, ok := flag.Target.Interface().(*bool); ok && b != nil {
			return fmt.Sprint(*b)
		}
		return fmt.Sprint(flag.Target.Interface())
	}
	t.Fatalf("serve has no flag %s", name)
	return ""
}

func flagsOf(t *testing.T, command string) []*kong.Flag {
	t.Helper()
	parser, _ := newParser(io.Discard, io.Discard)
	for _, c := range parser.Model.Children {
		if c.Name == command {
			return c.Flags
		}
	}
	t.Fatalf("no command %s", command)
	return nil
}

func writeConfig(t *testing.T, doc map[string]any) {
	t.Helper()
	data, err := json.Marshal(doc)
	if err == nil {
		err = os.WriteFile(defaultConfig, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestABenchmarkTakesNoDatabaseFromTheEnvironment: ORDERHOOK_DATABASE is that of a server,
// on which a benchmark must not make databases unasked.
func TestABenchmarkTakesNoDatabaseFromTheEnvironment(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("ORDERHOOK_DATABASE", "postgres://shop@db.example/orders")
	parser, _ := newParser(io.Discard, io.Discard)
	ctx, err := parser.Parse([]string{"bench"})
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range ctx.Selected().Flags {
		if flag.Name == "database" && fmt.Sprint(flag.Target.Interface()) != "" {
			t.Errorf("bench --database is %q", flag.Target.Interface())
		}
	}
}
