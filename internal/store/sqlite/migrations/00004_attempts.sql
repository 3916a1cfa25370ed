-- +goose Up

-- Every outgoing request, seq in the order they were recorded, none used twice;
-- ids sort by when they started. detail is what only the view of a single attempt shows:
-- headers, timing, addresses. An empty text, or 0, stands for no value.
-- Of an event's attempt, the request's body is made from the event's data.
CREATE TABLE attempts (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant          TEXT NOT NULL,
    id              TEXT NOT NULL,
    kind            TEXT NOT NULL,
    call_id         TEXT NOT NULL DEFAULT '',
    event           INTEGER NOT NULL,
    endpoint        INTEGER NOT NULL,
    event_type      TEXT NOT NULL,
    format          TEXT NOT NULL,
    number          INTEGER NOT NULL,
    max_number      INTEGER NOT NULL,
    started         INTEGER NOT NULL,
    duration_ms     REAL NOT NULL,
    url             TEXT NOT NULL,
    host            TEXT NOT NULL COLLATE NOCASE,
    status          INTEGER NOT NULL,
    outcome         TEXT NOT NULL,
    error           TEXT NOT NULL DEFAULT '',
    connector_id    TEXT NOT NULL DEFAULT '',
    order_id        TEXT NOT NULL,
    shipment_id     TEXT NOT NULL DEFAULT '',
    return_id       TEXT NOT NULL DEFAULT '',
    cart_id         TEXT NOT NULL DEFAULT '',
    subscription_id TEXT NOT NULL DEFAULT '',
    stock_item_id   TEXT NOT NULL DEFAULT '',
    run_id          TEXT NOT NULL DEFAULT '',
    detail          TEXT,
    response_body   BLOB
) STRICT;

-- Lists are read in the order of the ids; what has no index of its own is
-- filtered on the way.
CREATE UNIQUE INDEX attempts_id ON attempts (tenant, id);
-- Every index ends with the seq: this is a tenant's attempts as they came.
CREATE INDEX attempts_tenant ON attempts (tenant);
CREATE INDEX attempts_delivery ON attempts (tenant, event, endpoint, id) WHERE event > 0;
CREATE INDEX attempts_call ON attempts (tenant, call_id, id) WHERE call_id <> '';
CREATE INDEX attempts_run ON attempts (tenant, run_id, id) WHERE run_id <> '';
CREATE INDEX attempts_order ON attempts (tenant, order_id, id) WHERE order_id <> '';
CREATE INDEX attempts_shipment ON attempts (tenant, shipment_id, id) WHERE shipment_id <> '';
CREATE INDEX attempts_return ON attempts (tenant, return_id, id) WHERE return_id <> '';
CREATE INDEX attempts_cart ON attempts (tenant, cart_id, id) WHERE cart_id <> '';
CREATE INDEX attempts_subscription ON attempts (tenant, subscription_id, id) WHERE subscription_id <> '';
CREATE INDEX attempts_stock_item ON attempts (tenant, stock_item_id, id) WHERE stock_item_id <> '';

-- The request body of a call, kept once for all its attempts.
CREATE TABLE bodies (
    tenant  TEXT NOT NULL,
    call_id TEXT NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (tenant, call_id)
) STRICT;
