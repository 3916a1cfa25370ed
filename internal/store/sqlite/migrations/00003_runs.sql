-- +goose Up

-- doc is the whole run; the columns repeat what it is found by. seq counts the
-- runs of one order, in the order of their commits.
CREATE TABLE runs (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    order_id TEXT NOT NULL,
    seq      INTEGER NOT NULL,
    status   TEXT NOT NULL,
    ended    INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    doc      TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX runs_created ON runs (tenant, created, id);
CREATE UNIQUE INDEX runs_order ON runs (tenant, order_id, seq);
CREATE INDEX runs_unfinished ON runs (tenant, order_id, seq) WHERE ended = 0;
