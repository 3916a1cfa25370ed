package main

import (
	"fmt"
	"io"
	"log/slog"
)

// logging is the flags that say what is logged, and how.
type logging struct {
	LogLevel  logLevel  `default:"info" help:"Least severe entries to log: debug, info, warn or error."`
	LogFormat logFormat `default:"text" help:"How to log: text or json."`
}

func (l *logging) logger(w io.Writer) *slog.Logger {
	o := &slog.HandlerOptions{Level: l.LogLevel.Level}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

type logLevel struct{ slog.Level }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *logLevel) UnmarshalText(text []byte) error {
	if l.Level.UnmarshalText(text) != nil {
		return fmt.Errorf("%q is no log level: write debug, info, warn or error", text)
	}
	return nil
}

type logFormat string

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *logFormat) UnmarshalText(text []byte) error {
	*f = logFormat(text)
	if *f != "text" && *f != "json" {
		return fmt.Errorf("%q is no log format: write text or json", text)
	}
	return nil
}
