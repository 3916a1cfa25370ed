-- +goose Up

-- What the last attempt at a delivery came to: the status of the answer, 0 where
-- none came or no attempt was made, and why it failed. Of the deliveries that
-- have failed already, the attempts tell; the others learn it from their next.
ALTER TABLE deliveries ADD COLUMN last_status INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN last_error TEXT NOT NULL DEFAULT '';

UPDATE deliveries SET (last_status, last_error) = (
    SELECT coalesce(max(status), 0), coalesce(max(error), '') FROM (
        SELECT status, error FROM attempts INDEXED BY attempts_delivery
        WHERE tenant = deliveries.tenant AND event = deliveries.event AND endpoint = deliveries.endpoint AND event > 0 AND kind <> 'replay'
        ORDER BY id DESC LIMIT 1))
WHERE status = 'f';

-- The failures of which none is long after the one before: since when they are,
-- how many deliveries they belong to, and whether the last of those has but begun
-- to fail.
ALTER TABLE endpoint_health ADD COLUMN streak_since INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint_health ADD COLUMN streak_deliveries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE endpoint_health ADD COLUMN streak_beginning INTEGER NOT NULL DEFAULT 0;
