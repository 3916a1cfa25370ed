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

// logger returns a logger whose level can be changed while it is in use.
func (l *logging) logger(w io.Writer, level *slog.LevelVar) *slog.Logger {
	level.Set(l.LogLevel.Level)
	o := &slog.HandlerOptions{Level: level}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, o))
	}
	return slog.New(slog.NewTextHandler(w, o))
}

// logLevel is a flag that takes the name of a level. The message of a wrong one names
// those that there are.
type logLevel struct{ slog.Level }

// UnmarshalText implements encoding.TextUnmarshaler.
func (l *logLevel) UnmarshalText(text []byte) error {
	if l.Level.UnmarshalText(text) != nil {
		return fmt.Errorf("%q is no log level: write debug, info, warn or error", text)
	}
	return nil
}

// logFormat is a flag that takes one of two formats.
type logFormat string

// UnmarshalText implements encoding.TextUnmarshaler.
func (f *logFormat) UnmarshalText(text []byte) error {
	*f = logFormat(text)
	if *f != "text" && *f != "json" {
		return fmt.Errorf("%q is no log format: write text or json", text)
	}
	return nil
}
