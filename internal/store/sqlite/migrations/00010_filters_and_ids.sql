-- +goose Up

-- webhook_id is made for an event that has its publisher's id, and is '' for one
-- whose id was made here. Events of before go on under the id that they have: a
-- receiver may know some of their deliveries by it already.
ALTER TABLE events ADD COLUMN webhook_id TEXT NOT NULL DEFAULT '';

-- Times lie in the UTC years 1970 to 9998. One beyond them could be published,
-- and no answer that held it could be written.
UPDATE events SET at = min(max(at, 0), 253370764799999999) WHERE at NOT BETWEEN 0 AND 253370764799999999;

-- What the filters of endpoints could not judge: how many events, and of the last
-- one when, which, and why.
ALTER TABLE endpoint_health ADD COLUMN filter_errors INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint_health ADD COLUMN last_filter_error INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint_health ADD COLUMN last_filter_event TEXT NOT NULL DEFAULT '';
ALTER TABLE endpoint_health ADD COLUMN last_filter_why TEXT NOT NULL DEFAULT '';
