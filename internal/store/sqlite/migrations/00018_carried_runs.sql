-- +goose Up

-- What a run knows of the order's status, and what says whether a run that waits
-- gets to know another that one before it has set: whether it is for a shipment
-- or a return, and the status that it entered. Where doc has a statusVersion, too,
-- that is the one from before these columns.
ALTER TABLE runs ADD COLUMN status_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN scoped INTEGER NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN entered_status TEXT NOT NULL DEFAULT '';

UPDATE runs SET
    status_version = coalesce(json_extract(doc, '$.statusVersion'), 0),
    scoped = coalesce(json_extract(doc, '$.shipmentId'), '') <> '' OR coalesce(json_extract(doc, '$.returnId'), '') <> '',
    entered_status = fold(coalesce(json_extract(doc, '$.enteredStatus'), ''));
