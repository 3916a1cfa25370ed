-- +goose Up

-- The attempts of before: 00033 moves them, some at a time, and so does a start that follows
-- one that was killed. Of their indexes only that of the ids is needed for that.
ALTER TABLE attempts RENAME TO attempts_before;
DROP INDEX attempts_tenant;
DROP INDEX attempts_delivery;
DROP INDEX attempts_call;
DROP INDEX attempts_run;
DROP INDEX attempts_order;
DROP INDEX attempts_shipment;
DROP INDEX attempts_return;
DROP INDEX attempts_cart;
DROP INDEX attempts_subscription;
DROP INDEX attempts_stock_item;
DROP INDEX attempts_connector;
DROP INDEX attempts_endpoint;
DROP INDEX attempts_failed;

-- Every outgoing request. seq says when it began, in 2048ths of a microsecond since 1970, and
-- no two have the same: the id is made of it. Only where it is not, as of an attempt of
-- before, has the row an id. What an attempt at a delivery is about its event says; event_type
-- and the columns that end with _id, from order_id to stock_item_id, are for the others.
-- delivered is 1 for an attempt that its delivery succeeded with: that has no row in deliveries
-- then, and this attempt is the record of it. detail is what only the view of a single attempt
-- shows: headers, timing, addresses. An empty text, or 0, stands for no value.
CREATE TABLE attempts (
    seq             INTEGER PRIMARY KEY,
    tenant          TEXT NOT NULL,
    id              TEXT,
    kind            TEXT NOT NULL,
    call_id         TEXT NOT NULL DEFAULT '',
    event           INTEGER NOT NULL,
    endpoint        INTEGER NOT NULL,
    event_type      TEXT NOT NULL DEFAULT '',
    format          TEXT NOT NULL,
    number          INTEGER NOT NULL,
    max_number      INTEGER NOT NULL,
    duration_ms     REAL NOT NULL,
    url             TEXT NOT NULL,
    host            TEXT NOT NULL COLLATE NOCASE,
    status          INTEGER NOT NULL,
    outcome         TEXT NOT NULL,
    delivered       INTEGER NOT NULL DEFAULT 0,
    error           TEXT NOT NULL DEFAULT '',
    connector_id    TEXT NOT NULL DEFAULT '',
    order_id        TEXT NOT NULL DEFAULT '',
    shipment_id     TEXT NOT NULL DEFAULT '',
    return_id       TEXT NOT NULL DEFAULT '',
    cart_id         TEXT NOT NULL DEFAULT '',
    subscription_id TEXT NOT NULL DEFAULT '',
    stock_item_id   TEXT NOT NULL DEFAULT '',
    run_id          TEXT NOT NULL DEFAULT '',
    warnings        TEXT NOT NULL DEFAULT '',
    detail          TEXT,
    response_body   BLOB
) STRICT;

-- Every index ends with the seq: lists are read from the highest down.
CREATE INDEX attempts_tenant ON attempts (tenant);
CREATE UNIQUE INDEX attempts_other ON attempts (tenant, id) WHERE id IS NOT NULL;
CREATE INDEX attempts_delivery ON attempts (tenant, event, endpoint, delivered) WHERE event > 0;
CREATE INDEX attempts_call ON attempts (tenant, call_id) WHERE call_id <> '';
CREATE INDEX attempts_run ON attempts (tenant, run_id) WHERE run_id <> '';
CREATE INDEX attempts_order ON attempts (tenant, order_id) WHERE order_id <> '';
CREATE INDEX attempts_shipment ON attempts (tenant, shipment_id) WHERE shipment_id <> '';
CREATE INDEX attempts_return ON attempts (tenant, return_id) WHERE return_id <> '';
CREATE INDEX attempts_cart ON attempts (tenant, cart_id) WHERE cart_id <> '';
CREATE INDEX attempts_subscription ON attempts (tenant, subscription_id) WHERE subscription_id <> '';
CREATE INDEX attempts_stock_item ON attempts (tenant, stock_item_id) WHERE stock_item_id <> '';
CREATE INDEX attempts_connector ON attempts (tenant, connector_id) WHERE connector_id <> '';
CREATE INDEX attempts_endpoint ON attempts (tenant, endpoint) WHERE endpoint > 0;
CREATE INDEX attempts_failed ON attempts (tenant) WHERE outcome = 'failed';

-- The events that are about a thing, by which the attempts at them are found, too.
CREATE INDEX events_shipment ON events (tenant, shipment_id, seq) WHERE shipment_id <> '';
CREATE INDEX events_return ON events (tenant, return_id, seq) WHERE return_id <> '';
CREATE INDEX events_cart ON events (tenant, cart_id, seq) WHERE cart_id <> '';
CREATE INDEX events_subscription ON events (tenant, subscription_id, seq) WHERE subscription_id <> '';
CREATE INDEX events_stock_item ON events (tenant, stock_item_id, seq) WHERE stock_item_id <> '';

-- Whether an attempt comes to be before what is indexed already.
CREATE INDEX body_segments_last ON body_segments (tenant, last);
