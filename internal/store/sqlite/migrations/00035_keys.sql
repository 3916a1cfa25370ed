-- +goose Up

-- How many requests a second may come with a key; from when on it is refused; when the last
-- request came with it, to about a minute. 0 is none, or never.
ALTER TABLE api_keys ADD COLUMN rate_limit REAL NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN expires INTEGER NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN last_used INTEGER NOT NULL DEFAULT 0;
