-- The schema of a new database. Written from the migrations by a test (schema.go says how);
-- a change of it is a new migration.

CREATE TABLE agreements (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    doc      TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    role    TEXT NOT NULL,
    name    TEXT NOT NULL,
    hash    BLOB NOT NULL,
    created INTEGER NOT NULL, rate_limit REAL NOT NULL DEFAULT 0, expires INTEGER NOT NULL DEFAULT 0, last_used INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE audit (
    tenant  TEXT NOT NULL,
    at      INTEGER NOT NULL,
    id      TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    action  TEXT NOT NULL,
    kind    TEXT NOT NULL,
    target  TEXT NOT NULL,
    request TEXT NOT NULL,
    entry   TEXT NOT NULL,
    PRIMARY KEY (tenant, at, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE bodies (
    tenant  TEXT NOT NULL,
    call_id TEXT NOT NULL,
    body    BLOB NOT NULL,
    PRIMARY KEY (tenant, call_id)
) STRICT;

CREATE TABLE body_chunks (
    key   INTEGER PRIMARY KEY,
    chunk BLOB NOT NULL
) STRICT;

CREATE TABLE body_segments (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    state  TEXT NOT NULL,
    young  INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    header BLOB,
    starts BLOB
) STRICT;

CREATE TABLE call_counts (
    tenant  TEXT NOT NULL,
    span    INTEGER NOT NULL,
    start   INTEGER NOT NULL,
    kind    TEXT NOT NULL,
    outcome TEXT NOT NULL,
    calls   INTEGER NOT NULL,
    d0 INTEGER NOT NULL, d1 INTEGER NOT NULL, d2 INTEGER NOT NULL, d3 INTEGER NOT NULL, d4 INTEGER NOT NULL,
    d5 INTEGER NOT NULL, d6 INTEGER NOT NULL, d7 INTEGER NOT NULL, d8 INTEGER NOT NULL, d9 INTEGER NOT NULL,
    d10 INTEGER NOT NULL, d11 INTEGER NOT NULL, d12 INTEGER NOT NULL, d13 INTEGER NOT NULL, d14 INTEGER NOT NULL,
    d15 INTEGER NOT NULL, d16 INTEGER NOT NULL, d17 INTEGER NOT NULL, d18 INTEGER NOT NULL, d19 INTEGER NOT NULL,
    d20 INTEGER NOT NULL, d21 INTEGER NOT NULL, d22 INTEGER NOT NULL, d23 INTEGER NOT NULL, d24 INTEGER NOT NULL,
    d25 INTEGER NOT NULL, d26 INTEGER NOT NULL, d27 INTEGER NOT NULL, d28 INTEGER NOT NULL,
    PRIMARY KEY (tenant, span, start, kind, outcome)
) STRICT, WITHOUT ROWID;

CREATE TABLE carts (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    version  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    doc      TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE deliveries (
    tenant       TEXT NOT NULL,
    event        INTEGER NOT NULL,
    endpoint     INTEGER NOT NULL,
    status       TEXT NOT NULL DEFAULT 'p',
    attempts     INTEGER NOT NULL DEFAULT 0,
    max_attempts INTEGER NOT NULL,
    due          INTEGER NOT NULL,
    grp          TEXT NOT NULL DEFAULT '',
    updated      INTEGER NOT NULL, last_status INTEGER NOT NULL DEFAULT 0, last_error TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, event, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoint_health (
    tenant        TEXT NOT NULL,
    endpoint      INTEGER NOT NULL,
    succeeded     INTEGER NOT NULL,
    last_success  INTEGER NOT NULL,
    last_failure  INTEGER NOT NULL,
    last_error    TEXT NOT NULL,
    consecutive   INTEGER NOT NULL,
    failing_since INTEGER NOT NULL, filter_errors INTEGER NOT NULL DEFAULT 0, last_filter_error INTEGER NOT NULL DEFAULT 0, last_filter_event TEXT NOT NULL DEFAULT '', last_filter_why TEXT NOT NULL DEFAULT '', streak_since INTEGER NOT NULL DEFAULT 0, streak_deliveries INTEGER NOT NULL DEFAULT 0, streak_beginning INTEGER NOT NULL DEFAULT 0, revision INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, endpoint)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoint_sets (
    tenant  TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE endpoints (
    tenant  TEXT NOT NULL,
    no      INTEGER NOT NULL,
    id      TEXT NOT NULL,
    origin  TEXT NOT NULL,
    deleted INTEGER NOT NULL DEFAULT 0,
    doc     TEXT NOT NULL,
    PRIMARY KEY (tenant, no)
) STRICT;

CREATE TABLE erasures (
    tenant   TEXT NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (tenant, order_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE event_marks (
    at  INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;

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
, webhook_id TEXT NOT NULL DEFAULT '', trace TEXT NOT NULL DEFAULT '') STRICT;

CREATE TABLE feed (
    tenant   TEXT NOT NULL,
    position INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    given    BLOB NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_heads (
    tenant   TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    removed  INTEGER NOT NULL DEFAULT 0,
    heads    BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);

INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (4, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (5, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (6, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (10, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (11, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (13, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (14, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (15, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (17, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (18, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (20, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (23, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (24, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (25, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (26, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (28, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (29, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (30, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (31, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (32, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (33, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (34, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (35, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (40, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (41, 1);
INSERT INTO goose_db_version (version_id, is_applied) VALUES (42, 1);

CREATE TABLE idempotency (
    tenant   TEXT NOT NULL,
    key      TEXT NOT NULL,
    hash     BLOB NOT NULL,
    resource TEXT NOT NULL,
    created  INTEGER NOT NULL,
    PRIMARY KEY (tenant, key)
) STRICT, WITHOUT ROWID;

CREATE TABLE jobs (
    tenant TEXT NOT NULL,
    id     TEXT NOT NULL,
    ended  INTEGER NOT NULL,
    doc    TEXT NOT NULL, revision INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE order_external_ids (
    of_tenant   TEXT NOT NULL,
    of_order    TEXT NOT NULL,
    external_id TEXT NOT NULL,
    of_created  INTEGER NOT NULL, -- of the order
    PRIMARY KEY (of_tenant, of_order, external_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE order_history (
    tenant   TEXT NOT NULL,
    order_id TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    at       INTEGER NOT NULL,
    entry    TEXT NOT NULL,
    PRIMARY KEY (tenant, order_id, seq)
) STRICT, WITHOUT ROWID;

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
    doc             TEXT NOT NULL, has_errors INTEGER NOT NULL DEFAULT 0, store_id TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE runs (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    order_id TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    status   TEXT NOT NULL,
    ended    INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    doc      TEXT NOT NULL, step TEXT NOT NULL DEFAULT '', step_name TEXT NOT NULL DEFAULT '', revision INTEGER NOT NULL DEFAULT 0, status_version INTEGER NOT NULL DEFAULT 0, scoped INTEGER NOT NULL DEFAULT 0, entered_status TEXT NOT NULL DEFAULT '', since INTEGER NOT NULL DEFAULT 0, overtaken INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE TABLE secret_removals (
    tenant  TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE secrets (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    place   TEXT NOT NULL,
    origins TEXT NOT NULL,
    sealed  TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL, given INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash    BLOB NOT NULL PRIMARY KEY,
    tenant  TEXT NOT NULL,
    key_id  TEXT NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    tenant  TEXT NOT NULL,
    version INTEGER NOT NULL,
    at      INTEGER NOT NULL,
    by      TEXT NOT NULL,
    doc     TEXT NOT NULL, from_file INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, version)
) STRICT;

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

CREATE TABLE tenants (
    tenant  TEXT NOT NULL PRIMARY KEY,
    created INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE INDEX attempts_call ON attempts (tenant, call_id) WHERE call_id <> '';

CREATE INDEX attempts_cart ON attempts (tenant, cart_id) WHERE cart_id <> '';

CREATE INDEX attempts_connector ON attempts (tenant, connector_id) WHERE connector_id <> '';

CREATE INDEX attempts_delivery ON attempts (tenant, event, endpoint, delivered) WHERE event > 0;

CREATE INDEX attempts_endpoint ON attempts (tenant, endpoint) WHERE endpoint > 0;

CREATE INDEX attempts_failed ON attempts (tenant) WHERE outcome = 'failed';

CREATE INDEX attempts_order ON attempts (tenant, order_id) WHERE order_id <> '';

CREATE UNIQUE INDEX attempts_other ON attempts (tenant, id) WHERE id IS NOT NULL;

CREATE INDEX attempts_return ON attempts (tenant, return_id) WHERE return_id <> '';

CREATE INDEX attempts_run ON attempts (tenant, run_id) WHERE run_id <> '';

CREATE INDEX attempts_shipment ON attempts (tenant, shipment_id) WHERE shipment_id <> '';

CREATE INDEX attempts_stock_item ON attempts (tenant, stock_item_id) WHERE stock_item_id <> '';

CREATE INDEX attempts_subscription ON attempts (tenant, subscription_id) WHERE subscription_id <> '';

CREATE INDEX attempts_tenant ON attempts (tenant);

CREATE INDEX audit_key ON audit (tenant, key_id, at, id) WHERE key_id <> '';

CREATE INDEX audit_request ON audit (tenant, request, at, id) WHERE request <> '';

CREATE INDEX audit_target ON audit (tenant, target, at, id) WHERE target <> '';

CREATE INDEX body_segments_first ON body_segments (tenant, first);

CREATE INDEX body_segments_last ON body_segments (tenant, last);

CREATE INDEX body_segments_newest ON body_segments (tenant, newest);

CREATE INDEX body_segments_open ON body_segments (tenant, first) WHERE state <> 'ready' OR young = 1;

CREATE INDEX carts_created ON carts (tenant, created, id);

CREATE INDEX deliveries_due ON deliveries (tenant, endpoint, due, event) WHERE due > 0;

CREATE INDEX deliveries_failed ON deliveries (tenant, endpoint, event) WHERE status = 'f';

CREATE INDEX deliveries_failures ON deliveries (tenant, event, endpoint) WHERE status = 'f';

CREATE INDEX deliveries_group ON deliveries (tenant, endpoint, grp, due, event) WHERE status = 'p' AND grp <> '';

CREATE INDEX endpoint_health_failing ON endpoint_health (tenant, failing_since, endpoint) WHERE consecutive >= 3;

CREATE INDEX endpoints_deleted ON endpoints (tenant, no) WHERE deleted = 1;

CREATE UNIQUE INDEX endpoints_id ON endpoints (tenant, id);

CREATE INDEX endpoints_there ON endpoints (tenant, no) WHERE deleted = 0;

CREATE INDEX events_cart ON events (tenant, cart_id, seq) WHERE cart_id <> '';

CREATE INDEX events_erased ON events (seq) WHERE data IS NULL;

CREATE UNIQUE INDEX events_id ON events (tenant, id);

CREATE INDEX events_order ON events (tenant, order_id, seq) WHERE order_id <> '';

CREATE INDEX events_return ON events (tenant, return_id, seq) WHERE return_id <> '';

CREATE INDEX events_seq ON events (tenant, seq, type, at);

CREATE INDEX events_shipment ON events (tenant, shipment_id, seq) WHERE shipment_id <> '';

CREATE INDEX events_stock_item ON events (tenant, stock_item_id, seq) WHERE stock_item_id <> '';

CREATE INDEX events_subscription ON events (tenant, subscription_id, seq) WHERE subscription_id <> '';

CREATE UNIQUE INDEX feed_first ON feed (tenant, first);

CREATE INDEX idempotency_created ON idempotency (tenant, created);

CREATE INDEX jobs_running ON jobs (tenant, id) WHERE ended = 0;

CREATE INDEX order_external_ids_id ON order_external_ids (of_tenant, external_id, of_created, of_order);

CREATE INDEX order_history_at ON order_history (tenant, at);

CREATE INDEX order_versions_modified ON order_versions (tenant, modified);

CREATE INDEX orders_created ON orders (tenant, created, id);

CREATE INDEX orders_email ON orders (tenant, customer_email, created, id) WHERE customer_email <> '';

CREATE INDEX orders_errors ON orders (tenant, created, id) WHERE has_errors = 1;

CREATE INDEX orders_modified ON orders (tenant, modified, created, id);

CREATE INDEX orders_status ON orders (tenant, status, created, id);

CREATE INDEX orders_store ON orders (tenant, store_id, created, id) WHERE store_id <> '';

CREATE INDEX orders_subscription ON orders (tenant, subscription_id, created, id) WHERE subscription_id <> '';

CREATE INDEX runs_created ON runs (tenant, created, id);

CREATE INDEX runs_open ON runs (tenant, status, created, id) WHERE ended = 0;

CREATE UNIQUE INDEX runs_order ON runs (tenant, order_id, seq);

CREATE INDEX runs_since ON runs (tenant, since) WHERE ended = 0;

CREATE INDEX runs_stopped ON runs (tenant, status, created, id) WHERE ended = 1 AND status <> 'succeeded';

CREATE INDEX runs_unfinished ON runs (tenant, order_id, seq) WHERE ended = 0;

CREATE INDEX secrets_in_use ON secrets (tenant, place) WHERE retired = 0;

CREATE INDEX secrets_place ON secrets (tenant, place, id);

CREATE INDEX sessions_expires ON sessions (tenant, expires);

CREATE INDEX sessions_key ON sessions (tenant, key_id, created);

