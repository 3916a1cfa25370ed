-- +goose Up

-- SQLite's migration 00041 says what is in them.
CREATE TABLE feed (
    tenant   text COLLATE "C" NOT NULL,
    position bigint NOT NULL,
    first    bigint NOT NULL,
    given    bytea NOT NULL,
    PRIMARY KEY (tenant, position)
);
CREATE UNIQUE INDEX feed_first ON feed (tenant, first);

CREATE TABLE feed_heads (
    tenant   text COLLATE "C" NOT NULL PRIMARY KEY,
    position bigint NOT NULL,
    removed  bigint NOT NULL DEFAULT 0,
    heads    bytea NOT NULL
);
