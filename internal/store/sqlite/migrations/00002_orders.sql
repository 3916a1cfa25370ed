-- +goose Up

-- An order as it is now. doc says everything; the columns beside it repeat what
-- lists filter by, in lower case where they compare without regard to case.
CREATE TABLE orders (
    tenant          TEXT NOT NULL,
    id              TEXT NOT NULL,
    version         INTEGER NOT NULL,
    status_version  INTEGER NOT NULL,
    created         INTEGER NOT NULL,
    modified        INTEGER NOT NULL,
    status          TEXT NOT NULL,
    order_type      TEXT NOT NULL,
    market_id       TEXT NOT NULL,
    customer_email  TEXT NOT NULL,
    subscription_id TEXT NOT NULL,
    doc             TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX orders_created ON orders (tenant, created, id);
CREATE INDEX orders_status ON orders (tenant, status, created, id);
CREATE INDEX orders_email ON orders (tenant, customer_email, created, id) WHERE customer_email <> '';
CREATE INDEX orders_subscription ON orders (tenant, subscription_id, created, id) WHERE subscription_id <> '';

-- The versions before the one in orders: an order that never changed has none.
CREATE TABLE order_versions (
    tenant         TEXT NOT NULL,
    order_id       TEXT NOT NULL,
    version        INTEGER NOT NULL,
    status_version INTEGER NOT NULL,
    created        INTEGER NOT NULL,
    modified       INTEGER NOT NULL,
    doc            TEXT NOT NULL,
    PRIMARY KEY (tenant, order_id, version)
) STRICT;

-- seq counts the entries of one order.
CREATE TABLE order_history (
    tenant   TEXT NOT NULL,
    order_id TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    entry    TEXT NOT NULL,
    PRIMARY KEY (tenant, order_id, seq)
) STRICT, WITHOUT ROWID;

-- What is old is removed.
CREATE INDEX order_versions_modified ON order_versions (tenant, modified);
CREATE INDEX order_history_at ON order_history (tenant, at);
