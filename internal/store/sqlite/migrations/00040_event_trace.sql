-- +goose Up

-- The trace that the event came of: a traceparent and, behind a space, the tracestate. It is
-- empty for most, and takes one byte then.
ALTER TABLE events ADD COLUMN trace TEXT NOT NULL DEFAULT '';
