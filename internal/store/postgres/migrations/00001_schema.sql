-- +goose Up

-- The tables are SQLite's (its migrations say what is in them), with the types of
-- PostgreSQL: numbers are bigint, a truth is 0 or 1, a time is Unix microseconds, a
-- document is text and comes back to the byte, a body is bytea. Texts compare byte by
-- byte, whatever the database's own collation is: cursors and ids rely on it.
-- Of what may be long, an index has the beginning: it takes no more than 2,700 bytes.
-- The keys of what grows begin with the tenant: no question of one goes through what others have.

CREATE TABLE meta (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE tenants (
    tenant  text COLLATE "C" NOT NULL PRIMARY KEY,
    created bigint NOT NULL
);

CREATE TABLE api_keys (
    tenant  text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    role    text COLLATE "C" NOT NULL,
    name    text COLLATE "C" NOT NULL,
    hash    bytea NOT NULL,
    created bigint NOT NULL,
    -- How many requests a second may come with it; from when on it is refused; when the last
    -- request came with it, to about a minute. 0 is none, or never.
    rate_limit double precision NOT NULL DEFAULT 0,
    expires    bigint NOT NULL DEFAULT 0,
    last_used  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
CREATE UNIQUE INDEX api_keys_hash ON api_keys (hash);

CREATE TABLE settings (
    tenant    text COLLATE "C" NOT NULL,
    version   bigint NOT NULL,
    at        bigint NOT NULL,
    by        text COLLATE "C" NOT NULL,
    doc       text COLLATE "C" NOT NULL,
    from_file bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, version)
);

CREATE TABLE idempotency (
    tenant   text COLLATE "C" NOT NULL,
    key      text COLLATE "C" NOT NULL,
    hash     bytea NOT NULL,
    resource text COLLATE "C" NOT NULL,
    created  bigint NOT NULL,
    PRIMARY KEY (tenant, key)
);
CREATE INDEX idempotency_created ON idempotency (tenant, created);

CREATE TABLE orders (
    tenant          text COLLATE "C" NOT NULL,
    id              text COLLATE "C" NOT NULL,
    version         bigint NOT NULL,
    status_version  bigint NOT NULL,
    created         bigint NOT NULL,
    modified        bigint NOT NULL,
    status          text COLLATE "C" NOT NULL,
    order_type      text COLLATE "C" NOT NULL,
    market_id       text COLLATE "C" NOT NULL,
    customer_email  text COLLATE "C" NOT NULL,
    subscription_id text COLLATE "C" NOT NULL,
    store_id        text COLLATE "C" NOT NULL DEFAULT '',
    has_errors      bigint NOT NULL DEFAULT 0,
    doc             text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX orders_created ON orders (tenant, created, id);
CREATE INDEX orders_status ON orders (tenant, left(status, 500), created, id);
CREATE INDEX orders_email ON orders (tenant, left(customer_email, 500), created, id) WHERE customer_email <> '';
CREATE INDEX orders_subscription ON orders (tenant, left(subscription_id, 500), created, id) WHERE subscription_id <> '';
CREATE INDEX orders_errors ON orders (tenant, created, id) WHERE has_errors = 1;
CREATE INDEX orders_store ON orders (tenant, left(store_id, 500), created, id) WHERE store_id <> '';
CREATE INDEX orders_modified ON orders (tenant, modified, created, id);

CREATE TABLE order_external_ids (
    of_tenant   text COLLATE "C" NOT NULL,
    of_order    text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    of_created  bigint NOT NULL
);
CREATE UNIQUE INDEX order_external_ids_order ON order_external_ids (of_tenant, of_order, md5(external_id));
CREATE INDEX order_external_ids_id ON order_external_ids (of_tenant, left(external_id, 500), of_created, of_order);

-- rowid is what SQLite has by itself.
CREATE TABLE order_versions (
    rowid          bigint GENERATED ALWAYS AS IDENTITY,
    tenant         text COLLATE "C" NOT NULL,
    order_id       text COLLATE "C" NOT NULL,
    version        bigint NOT NULL,
    status_version bigint NOT NULL,
    created        bigint NOT NULL,
    modified       bigint NOT NULL,
    doc            text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, order_id, version)
);
CREATE UNIQUE INDEX order_versions_rowid ON order_versions (rowid);
CREATE INDEX order_versions_modified ON order_versions (tenant, modified, rowid);

CREATE TABLE order_history (
    tenant   text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    seq      bigint NOT NULL,
    at       bigint NOT NULL,
    entry    text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, order_id, seq)
);
CREATE INDEX order_history_at ON order_history (tenant, at);

CREATE TABLE runs (
    tenant         text COLLATE "C" NOT NULL,
    id             text COLLATE "C" NOT NULL,
    order_id       text COLLATE "C" NOT NULL,
    seq            bigint NOT NULL,
    status         text COLLATE "C" NOT NULL,
    ended          bigint NOT NULL,
    created        bigint NOT NULL,
    step           text COLLATE "C" NOT NULL DEFAULT '',
    step_name      text COLLATE "C" NOT NULL DEFAULT '',
    revision       bigint NOT NULL DEFAULT 0,
    status_version bigint NOT NULL DEFAULT 0,
    scoped         bigint NOT NULL DEFAULT 0,
    entered_status text COLLATE "C" NOT NULL DEFAULT '',
    since          bigint NOT NULL DEFAULT 0,
    overtaken      bigint NOT NULL DEFAULT 0,
    doc            text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX runs_created ON runs (tenant, created, id);
CREATE UNIQUE INDEX runs_order ON runs (tenant, order_id, seq);
CREATE INDEX runs_unfinished ON runs (tenant, order_id, seq) WHERE ended = 0;
CREATE INDEX runs_stopped ON runs (tenant, status, created, id) WHERE ended = 1 AND status <> 'succeeded';
CREATE INDEX runs_open ON runs (tenant, status, created, id) WHERE ended = 0;
CREATE INDEX runs_since ON runs (tenant, since) WHERE ended = 0;

-- Attempts and events are in partitions by their numbers, which are times. The program makes
-- and drops them (partition.go); their names say from when until when they are. An index
-- across partitions is unique only if it has the number, too.
CREATE TABLE attempts (
    seq             bigint NOT NULL,
    tenant          text COLLATE "C" NOT NULL,
    id              text COLLATE "C",
    kind            text COLLATE "C" NOT NULL,
    call_id         text COLLATE "C" NOT NULL DEFAULT '',
    event           bigint NOT NULL,
    endpoint        bigint NOT NULL,
    event_type      text COLLATE "C" NOT NULL DEFAULT '',
    format          text COLLATE "C" NOT NULL,
    number          bigint NOT NULL,
    max_number      bigint NOT NULL,
    duration_ms     double precision NOT NULL,
    url             text COLLATE "C" NOT NULL,
    host            text COLLATE "C" NOT NULL,
    status          bigint NOT NULL,
    outcome         text COLLATE "C" NOT NULL,
    delivered       bigint NOT NULL DEFAULT 0,
    error           text COLLATE "C" NOT NULL DEFAULT '',
    connector_id    text COLLATE "C" NOT NULL DEFAULT '',
    order_id        text COLLATE "C" NOT NULL DEFAULT '',
    shipment_id     text COLLATE "C" NOT NULL DEFAULT '',
    return_id       text COLLATE "C" NOT NULL DEFAULT '',
    cart_id         text COLLATE "C" NOT NULL DEFAULT '',
    subscription_id text COLLATE "C" NOT NULL DEFAULT '',
    stock_item_id   text COLLATE "C" NOT NULL DEFAULT '',
    run_id          text COLLATE "C" NOT NULL DEFAULT '',
    warnings        text COLLATE "C" NOT NULL DEFAULT '',
    detail          text COLLATE "C",
    response_body   bytea,
    PRIMARY KEY (tenant, seq)
) PARTITION BY RANGE (seq);
CREATE INDEX attempts_other ON attempts (tenant, id) WHERE id IS NOT NULL;
CREATE INDEX attempts_delivery ON attempts (tenant, event, endpoint, delivered, seq) WHERE event > 0;
CREATE INDEX attempts_call ON attempts (tenant, call_id, seq) WHERE call_id <> '';
CREATE INDEX attempts_run ON attempts (tenant, run_id, seq) WHERE run_id <> '';
CREATE INDEX attempts_order ON attempts (tenant, order_id, seq) WHERE order_id <> '';
CREATE INDEX attempts_shipment ON attempts (tenant, shipment_id, seq) WHERE shipment_id <> '';
CREATE INDEX attempts_return ON attempts (tenant, return_id, seq) WHERE return_id <> '';
CREATE INDEX attempts_cart ON attempts (tenant, cart_id, seq) WHERE cart_id <> '';
CREATE INDEX attempts_subscription ON attempts (tenant, left(subscription_id, 500), seq) WHERE subscription_id <> '';
CREATE INDEX attempts_stock_item ON attempts (tenant, stock_item_id, seq) WHERE stock_item_id <> '';
CREATE INDEX attempts_connector ON attempts (tenant, left(connector_id, 500), seq) WHERE connector_id <> '';
CREATE INDEX attempts_endpoint ON attempts (tenant, endpoint, seq) WHERE endpoint > 0;
CREATE INDEX attempts_failed ON attempts (tenant, seq) WHERE outcome = 'failed';

CREATE TABLE bodies (
    tenant  text COLLATE "C" NOT NULL,
    call_id text COLLATE "C" NOT NULL,
    body    bytea NOT NULL,
    PRIMARY KEY (tenant, call_id)
);

CREATE TABLE carts (
    tenant   text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    version  bigint NOT NULL,
    created  bigint NOT NULL,
    modified bigint NOT NULL,
    doc      text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX carts_created ON carts (tenant, created, id);

-- The last transaction of each connection that writes: who got no answer to a commit finds
-- here whether it was done.
CREATE TABLE commits (
    writer bigint NOT NULL,
    number bigint NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (writer, number)
);

-- The numbers of events are given out in blocks: those of one call are in a row. When the time
-- of another partition has come, the sequence jumps to its beginning.
CREATE SEQUENCE event_numbers MINVALUE 0 START 0;

CREATE TABLE events (
    seq             bigint NOT NULL,
    tenant          text COLLATE "C" NOT NULL,
    id              text COLLATE "C" NOT NULL,
    type            text COLLATE "C" NOT NULL,
    at              bigint NOT NULL,
    subject_kind    text COLLATE "C" NOT NULL,
    subject_id      text COLLATE "C" NOT NULL,
    order_id        text COLLATE "C" NOT NULL,
    shipment_id     text COLLATE "C" NOT NULL DEFAULT '',
    return_id       text COLLATE "C" NOT NULL DEFAULT '',
    cart_id         text COLLATE "C" NOT NULL DEFAULT '',
    subscription_id text COLLATE "C" NOT NULL DEFAULT '',
    stock_item_id   text COLLATE "C" NOT NULL DEFAULT '',
    webhook_id      text COLLATE "C" NOT NULL DEFAULT '',
    trace           text COLLATE "C" NOT NULL DEFAULT '',
    data            bytea,
    PRIMARY KEY (tenant, seq) INCLUDE (type, at)
) PARTITION BY RANGE (seq);
CREATE INDEX events_id ON events (tenant, id);
CREATE INDEX events_order ON events (tenant, order_id, seq) WHERE order_id <> '';
CREATE INDEX events_shipment ON events (tenant, shipment_id, seq) WHERE shipment_id <> '';
CREATE INDEX events_return ON events (tenant, return_id, seq) WHERE return_id <> '';
CREATE INDEX events_cart ON events (tenant, cart_id, seq) WHERE cart_id <> '';
CREATE INDEX events_subscription ON events (tenant, left(subscription_id, 500), seq) WHERE subscription_id <> '';
CREATE INDEX events_stock_item ON events (tenant, stock_item_id, seq) WHERE stock_item_id <> '';

-- The ids of events that were not made by orderhook. Only here can one be found to be taken
-- that is in another partition. Whoever adds events adds these; a row goes with its event.
CREATE TABLE event_ids (
    tenant text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX event_ids_seq ON event_ids (tenant, seq);

-- +goose StatementBegin
CREATE FUNCTION forget_event_id() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM event_ids WHERE tenant = OLD.tenant AND id = OLD.id AND seq = OLD.seq;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER events_forget_id AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION forget_event_id();

CREATE TABLE endpoints (
    tenant  text COLLATE "C" NOT NULL,
    no      bigint NOT NULL,
    id      text COLLATE "C" NOT NULL,
    origin  text COLLATE "C" NOT NULL,
    deleted bigint NOT NULL DEFAULT 0,
    doc     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, no)
);
CREATE UNIQUE INDEX endpoints_id ON endpoints (tenant, id);
CREATE INDEX endpoints_deleted ON endpoints (tenant, no) WHERE deleted = 1;
CREATE INDEX endpoints_there ON endpoints (tenant, no) WHERE deleted = 0;

CREATE TABLE endpoint_sets (
    tenant  text COLLATE "C" NOT NULL PRIMARY KEY,
    version bigint NOT NULL
);

CREATE TABLE endpoint_health (
    tenant            text COLLATE "C" NOT NULL,
    endpoint          bigint NOT NULL,
    succeeded         bigint NOT NULL,
    last_success      bigint NOT NULL,
    last_failure      bigint NOT NULL,
    last_error        text COLLATE "C" NOT NULL,
    consecutive       bigint NOT NULL,
    failing_since     bigint NOT NULL,
    filter_errors     bigint NOT NULL DEFAULT 0,
    last_filter_error bigint NOT NULL DEFAULT 0,
    last_filter_event text COLLATE "C" NOT NULL DEFAULT '',
    last_filter_why   text COLLATE "C" NOT NULL DEFAULT '',
    streak_since      bigint NOT NULL DEFAULT 0,
    streak_deliveries bigint NOT NULL DEFAULT 0,
    streak_beginning  bigint NOT NULL DEFAULT 0,
    revision          bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, endpoint)
);
CREATE INDEX endpoint_health_failing ON endpoint_health (tenant, failing_since, endpoint) WHERE consecutive >= 3;

CREATE TABLE deliveries (
    tenant       text COLLATE "C" NOT NULL,
    event        bigint NOT NULL,
    endpoint     bigint NOT NULL,
    status       text COLLATE "C" NOT NULL DEFAULT 'p',
    attempts     bigint NOT NULL DEFAULT 0,
    max_attempts bigint NOT NULL,
    due          bigint NOT NULL,
    grp          text COLLATE "C" NOT NULL DEFAULT '',
    updated      bigint NOT NULL,
    last_status  bigint NOT NULL DEFAULT 0,
    last_error   text COLLATE "C" NOT NULL DEFAULT '',
    PRIMARY KEY (tenant, event, endpoint)
);
CREATE INDEX deliveries_due ON deliveries (tenant, endpoint, due, event) WHERE due > 0;
CREATE INDEX deliveries_group ON deliveries (tenant, endpoint, grp, due, event) WHERE status = 'p' AND grp <> '';
CREATE INDEX deliveries_failed ON deliveries (tenant, endpoint, event) WHERE status = 'f';
CREATE INDEX deliveries_failures ON deliveries (tenant, event, endpoint) WHERE status = 'f';

CREATE TABLE stock_items (
    tenant    text COLLATE "C" NOT NULL,
    id        text COLLATE "C" NOT NULL,
    sku       text COLLATE "C" NOT NULL,
    warehouse text COLLATE "C" NOT NULL,
    available text COLLATE "C" NOT NULL,
    version   bigint NOT NULL,
    created   bigint NOT NULL,
    updated   bigint NOT NULL,
    PRIMARY KEY (tenant, id)
);

CREATE TABLE jobs (
    tenant   text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    ended    bigint NOT NULL,
    doc      text COLLATE "C" NOT NULL,
    revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX jobs_running ON jobs (tenant, id) WHERE ended = 0;

CREATE TABLE body_segments (
    id     bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    tenant text COLLATE "C" NOT NULL,
    state  text COLLATE "C" NOT NULL,
    young  bigint NOT NULL,
    first  bigint NOT NULL,
    last   bigint NOT NULL,
    oldest bigint NOT NULL,
    newest bigint NOT NULL,
    header bytea,
    starts bytea
);
CREATE INDEX body_segments_first ON body_segments (tenant, first);
CREATE INDEX body_segments_newest ON body_segments (tenant, newest);
CREATE INDEX body_segments_last ON body_segments (tenant, last);
CREATE INDEX body_segments_open ON body_segments (tenant, first) WHERE state <> 'ready' OR young = 1;

CREATE TABLE body_chunks (
    key   bigint NOT NULL PRIMARY KEY,
    chunk bytea NOT NULL
);

CREATE TABLE event_marks (
    at  bigint NOT NULL PRIMARY KEY,
    seq bigint NOT NULL
);

CREATE TABLE secrets (
    tenant  text COLLATE "C" NOT NULL,
    id      text COLLATE "C" NOT NULL,
    place   text COLLATE "C" NOT NULL,
    origins text COLLATE "C" NOT NULL,
    sealed  text COLLATE "C" NOT NULL,
    retired bigint NOT NULL DEFAULT 0,
    created bigint NOT NULL,
    given   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX secrets_in_use ON secrets (tenant, place) WHERE retired = 0;
CREATE INDEX secrets_place ON secrets (tenant, place, id);

CREATE TABLE secret_removals (
    tenant  text COLLATE "C" NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (tenant, version)
);

CREATE TABLE erasures (
    tenant   text COLLATE "C" NOT NULL,
    order_id text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, order_id)
);

CREATE TABLE sessions (
    hash    bytea NOT NULL PRIMARY KEY,
    tenant  text COLLATE "C" NOT NULL,
    key_id  text COLLATE "C" NOT NULL,
    created bigint NOT NULL,
    expires bigint NOT NULL
);
CREATE INDEX sessions_key ON sessions (tenant, key_id, created);
CREATE INDEX sessions_expires ON sessions (tenant, expires);

CREATE TABLE audit (
    tenant  text COLLATE "C" NOT NULL,
    at      bigint NOT NULL,
    id      text COLLATE "C" NOT NULL,
    key_id  text COLLATE "C" NOT NULL,
    action  text COLLATE "C" NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    target  text COLLATE "C" NOT NULL,
    request text COLLATE "C" NOT NULL,
    entry   text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, at, id)
);
CREATE INDEX audit_key ON audit (tenant, key_id, at, id) WHERE key_id <> '';
CREATE INDEX audit_target ON audit (tenant, target, at, id) WHERE target <> '';
CREATE INDEX audit_request ON audit (tenant, request, at, id) WHERE request <> '';

-- Each connection that writes has rows of its own, which are added up where they are read:
-- it would wait for the commits of the others else.
CREATE TABLE call_counts (
    tenant  text COLLATE "C" NOT NULL,
    span    bigint NOT NULL,
    start   bigint NOT NULL,
    kind    text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    calls   bigint NOT NULL,
    d0 bigint NOT NULL, d1 bigint NOT NULL, d2 bigint NOT NULL, d3 bigint NOT NULL, d4 bigint NOT NULL,
    d5 bigint NOT NULL, d6 bigint NOT NULL, d7 bigint NOT NULL, d8 bigint NOT NULL, d9 bigint NOT NULL,
    d10 bigint NOT NULL, d11 bigint NOT NULL, d12 bigint NOT NULL, d13 bigint NOT NULL, d14 bigint NOT NULL,
    d15 bigint NOT NULL, d16 bigint NOT NULL, d17 bigint NOT NULL, d18 bigint NOT NULL, d19 bigint NOT NULL,
    d20 bigint NOT NULL, d21 bigint NOT NULL, d22 bigint NOT NULL, d23 bigint NOT NULL, d24 bigint NOT NULL,
    d25 bigint NOT NULL, d26 bigint NOT NULL, d27 bigint NOT NULL, d28 bigint NOT NULL,
    writer bigint NOT NULL DEFAULT pg_backend_pid() % 16,
    PRIMARY KEY (tenant, span, start, kind, outcome, writer)
);

-- The planner is not to know which tenants there are: to it each has a two-hundredth of a
-- table. One that its statistics have not met yet would seem to have next to nothing, and
-- all of that would be read where an index finds the one row.
ALTER TABLE orders ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE order_versions ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE order_history ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE runs ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE attempts ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE bodies ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE carts ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE events ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE event_ids ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE deliveries ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE audit ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE idempotency ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE secrets ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE sessions ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE stock_items ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE call_counts ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE body_segments ALTER COLUMN tenant SET STATISTICS 0;
ALTER TABLE order_external_ids ALTER COLUMN of_tenant SET STATISTICS 0;

-- The processes that are at work on this database. A node that says nothing until a time, by
-- this server's clock, is dead; so is one whose connection has ended. pid is 0 where a pooler
-- is between the node and this server, and the connection says nothing. schema is the newest
-- that the node's version knows.
CREATE TABLE nodes (
    id        text COLLATE "C" NOT NULL PRIMARY KEY,
    name      text COLLATE "C" NOT NULL,
    address   text COLLATE "C" NOT NULL,
    version   text COLLATE "C" NOT NULL,
    started   timestamptz NOT NULL,
    seen      timestamptz NOT NULL,
    until     timestamptz NOT NULL,
    pid       bigint NOT NULL,
    connected timestamptz,
    schema    bigint NOT NULL DEFAULT 0
);

-- Which node does which work. A lease whose node is not in the table of nodes is free.
CREATE TABLE leases (
    name  text COLLATE "C" NOT NULL PRIMARY KEY,
    epoch bigint NOT NULL,
    node  text COLLATE "C" NOT NULL
);

-- What nodes tell each other. It is removed after a minute or two.
CREATE TABLE news (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node   text COLLATE "C" NOT NULL,
    at     timestamptz NOT NULL DEFAULT now(),
    body   text COLLATE "C" NOT NULL
);
CREATE INDEX news_at ON news (at);
