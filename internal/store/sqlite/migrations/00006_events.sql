-- +goose Up

-- seq is given when the event is decided on, and none is used twice: those of one
-- order ascend as they are committed. data is kept once, however many endpoints get
-- it; NULL once it was erased.
CREATE TABLE events (
    seq             INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant          TEXT NOT NULL,
    id              TEXT NOT NULL,
    type            TEXT NOT NULL,
    at              INTEGER NOT NULL,
    subject_kind    TEXT NOT NULL,
    subject_id      TEXT NOT NULL,
    order_id        TEXT NOT NULL,
    shipment_id     TEXT NOT NULL DEFAULT '',
    return_id       TEXT NOT NULL DEFAULT '',
    cart_id         TEXT NOT NULL DEFAULT '',
    subscription_id TEXT NOT NULL DEFAULT '',
    stock_item_id   TEXT NOT NULL DEFAULT '',
    data            BLOB
) STRICT;

CREATE UNIQUE INDEX events_id ON events (tenant, id);
-- Lists are read from here, and filtered by type and time without their rows.
CREATE INDEX events_seq ON events (tenant, seq, type, at);
CREATE INDEX events_order ON events (tenant, order_id, seq) WHERE order_id <> '';

-- doc is the whole endpoint, sealed. A deleted one stays, for its deliveries
-- name it by its number; deleted is 1 until the pending ones are canceled, and
-- 2 from then on.
CREATE TABLE endpoints (
    tenant  TEXT NOT NULL,
    no      INTEGER NOT NULL,
    id      TEXT NOT NULL,
    origin  TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    doc     TEXT NOT NULL,
    PRIMARY KEY (tenant, no)
) STRICT;

CREATE UNIQUE INDEX endpoints_id ON endpoints (tenant, id);
CREATE INDEX endpoints_deleted ON endpoints (tenant, no) WHERE deleted = 1;

CREATE TABLE endpoint_health (
    tenant        TEXT NOT NULL,
    endpoint      INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    last_success  INTEGER NOT NULL,
    last_failure  INTEGER NOT NULL,
    last_error    TEXT NOT NULL,
    consecutive   INTEGER NOT NULL,
    failing_since INTEGER NOT NULL,
    PRIMARY KEY (tenant, endpoint)
) STRICT, WITHOUT ROWID;

-- status is a letter: p(ending), s(ucceeded), f(ailed), c(anceled). due is 0 for
-- one that has ended, and for one that waits behind another of its grp, the
-- subject of an endpoint with `ordering: subject`.
CREATE TABLE deliveries (
    tenant       TEXT NOT NULL,
    event        INTEGER NOT NULL,
    endpoint     INTEGER NOT NULL,
    status       TEXT NOT NULL DEFAULT 'p',
    attempts     INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    grp          TEXT NOT NULL DEFAULT '',
    updated      INTEGER NOT NULL,
    PRIMARY KEY (tenant, event, endpoint)
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_due ON deliveries (tenant, endpoint, due, event) WHERE due > 0;
CREATE INDEX deliveries_group ON deliveries (tenant, endpoint, grp, due, event) WHERE status = 'p' AND grp <> '';
CREATE INDEX deliveries_failed ON deliveries (tenant, endpoint, event) WHERE status = 'f';

CREATE TABLE stock_items (
    tenant    TEXT NOT NULL,
    id        TEXT NOT NULL,
    sku       TEXT NOT NULL,
    warehouse TEXT NOT NULL,
    available TEXT NOT NULL,
    version   INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE jobs (
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL,
    ended  INTEGER NOT NULL,
    doc    TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX jobs_running ON jobs (tenant, id) WHERE ended = 0;
