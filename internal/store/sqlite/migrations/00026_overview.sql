-- +goose Up

-- How many calls of a kind began within a span of time and came to an outcome, counted
-- in the write that records them: nobody has to count attempts to draw them. span is
-- how many minutes it has, start when it begins, in Unix minutes; d0 to d28 say how
-- many calls took how long, by the bounds of attempt.DurationBounds.
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

-- What has not ended is little, and looked at all the time: how much there is, and
-- since when the oldest waits.
CREATE INDEX runs_open ON runs (tenant, status, created, id) WHERE ended = 0;

-- What failed for good, of all endpoints, in the order of the events; and the
-- endpoints that fail now.
CREATE INDEX deliveries_failures ON deliveries (tenant, event, endpoint) WHERE status = 'f';
CREATE INDEX endpoint_health_failing ON endpoint_health (tenant, failing_since, endpoint) WHERE consecutive >= 3;

-- The attempts at an endpoint, and those of a connector, as they were made.
CREATE INDEX attempts_connector ON attempts (tenant, connector_id, id) WHERE connector_id <> '';
CREATE INDEX attempts_endpoint ON attempts (tenant, endpoint, id) WHERE endpoint > 0;
