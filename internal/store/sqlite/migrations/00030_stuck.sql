-- +goose Up

-- What failed for good is stuck, unless its endpoint was deleted or its event's data
-- was erased: nothing can be sent again then. These tell, without the rows of those that
-- are not.
CREATE INDEX endpoints_there ON endpoints (tenant, no) WHERE deleted = 0;
CREATE INDEX events_erased ON events (seq) WHERE data IS NULL;

-- Whether the shipment or the return that a run was for has had its own status set
-- since the run ended: nothing is to be done about it then.
ALTER TABLE runs ADD COLUMN overtaken INTEGER NOT NULL DEFAULT 0;
