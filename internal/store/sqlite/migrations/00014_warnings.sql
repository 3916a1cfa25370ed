-- +goose Up

-- What of an endpoint's answer was not read, or not applied, as a JSON list.
ALTER TABLE attempts ADD COLUMN warnings TEXT NOT NULL DEFAULT '';
