-- +goose Up

-- webhook_id is made for an event that has its publisher's id, and is '' for one
-- whose id was made here. Events of before go on under the id that they have: a
-- receiver may know some of their deliveries by it already.
ALTER TABLE events ADD COLUMN webhook_id TEXT NOT NULL DEFAULT '';

-- Times lie in the UTC years 1970 to 9998. One beyond them could be published,
-- and no answer that held it could be written.
UPDATE events SET at = min(max(at, 0), 253370764799999999) WHERE at NOT BETWEEN 0 AND 253370764799999999;
