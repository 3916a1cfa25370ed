-- +goose Up

-- Every outgoing request. detail is what only the view of a single attempt
-- shows: headers, timing, addresses. An empty text stands for no value.
CREATE TABLE attempts (
    tenant        TEXT NOT NULL,
    id            TEXT NOT NULL,
    kind          TEXT NOT NULL,
    call_id       TEXT NOT NULL,
    number        INTEGER NOT NULL,
    max_number    INTEGER NOT NULL,
    started       INTEGER NOT NULL,
    duration_ms   REAL NOT NULL,
    url           TEXT NOT NULL,
    host          TEXT NOT NULL COLLATE NOCASE,
    status        INTEGER NOT NULL,
    outcome       TEXT NOT NULL,
    error         TEXT NOT NULL,
    connector_id  TEXT NOT NULL,
    order_id      TEXT NOT NULL,
    shipment_id   TEXT NOT NULL,
    return_id     TEXT NOT NULL,
    cart_id       TEXT NOT NULL,
    run_id        TEXT NOT NULL,
    detail        TEXT,
    response_body BLOB,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX attempts_started ON attempts (tenant, started, id);
CREATE INDEX attempts_order ON attempts (tenant, order_id, started, id) WHERE order_id <> '';
CREATE INDEX attempts_cart ON attempts (tenant, cart_id, started, id) WHERE cart_id <> '';
CREATE INDEX attempts_run ON attempts (tenant, run_id, started, id) WHERE run_id <> '';
CREATE INDEX attempts_call ON attempts (tenant, call_id, started, id);

-- The request body of a call, kept once for all its attempts.
CREATE TABLE bodies (
    tenant  TEXT NOT NULL,
    call_id TEXT NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (tenant, call_id)
) STRICT;
