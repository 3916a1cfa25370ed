-- +goose Up

-- What lists of orders are filtered by besides what the first columns say.
-- has_errors: an error of the order is neither Solved nor Deleted.
ALTER TABLE orders ADD COLUMN has_errors INTEGER NOT NULL DEFAULT 0;
ALTER TABLE orders ADD COLUMN store_id TEXT NOT NULL DEFAULT '';

-- The orders that have an external id. Its columns have names of their own,
-- since it is joined with orders.
CREATE TABLE order_external_ids (
    of_tenant   TEXT NOT NULL,
    of_order    TEXT NOT NULL,
    external_id TEXT NOT NULL,
    of_created  INTEGER NOT NULL, -- of the order
    PRIMARY KEY (of_tenant, of_order, external_id)
) STRICT, WITHOUT ROWID;

UPDATE orders SET
    store_id = CASE WHEN json_type(doc, '$.storeId') = 'text' THEN fold(json_extract(doc, '$.storeId')) ELSE '' END,
    has_errors = json_type(doc, '$.errors') IS 'array' AND EXISTS (
        SELECT 1 FROM json_each(doc, '$.errors') AS e
        WHERE e.type = 'object' AND lower(trim(coalesce(e.value ->> '$.status', ''))) NOT IN ('solved', 'deleted'));

INSERT OR IGNORE INTO order_external_ids (of_tenant, of_order, external_id, of_created)
SELECT o.tenant, o.id, CASE json_type(e.value, '$.id') WHEN 'text' THEN e.value ->> '$.id' ELSE e.value -> '$.id' END, o.created
FROM orders AS o, json_each(o.doc, '$.externalIds') AS e
WHERE json_type(o.doc, '$.externalIds') = 'array' AND e.type = 'object'
    AND json_type(e.value, '$.id') IN ('text', 'integer', 'real') AND e.value ->> '$.id' <> '';

CREATE INDEX orders_errors ON orders (tenant, created, id) WHERE has_errors = 1;
CREATE INDEX orders_store ON orders (tenant, store_id, created, id) WHERE store_id <> '';
CREATE INDEX orders_modified ON orders (tenant, modified, created, id);
CREATE INDEX order_external_ids_id ON order_external_ids (of_tenant, external_id, of_created, of_order);

-- The step that a run is at, or ended at: its key and what the settings call it.
ALTER TABLE runs ADD COLUMN step TEXT NOT NULL DEFAULT '';
ALTER TABLE runs ADD COLUMN step_name TEXT NOT NULL DEFAULT '';

UPDATE runs SET
    step = fold(coalesce(json_extract(doc, '$.results[' || coalesce(json_extract(doc, '$.position.step'), 0) || '].step'), '')),
    step_name = fold(coalesce(json_extract(doc, '$.results[' || coalesce(json_extract(doc, '$.position.step'), 0) || '].displayName'), ''))
WHERE status <> 'succeeded';

-- Most runs succeed; those that did not are looked for.
CREATE INDEX runs_stopped ON runs (tenant, status, created, id) WHERE ended = 1 AND status <> 'succeeded';
