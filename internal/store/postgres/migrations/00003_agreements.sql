-- +goose Up

-- SQLite's migration 00042 says what is in it.
CREATE TABLE agreements (
    tenant   text COLLATE "C" NOT NULL,
    id       text COLLATE "C" NOT NULL,
    doc      text COLLATE "C" NOT NULL,
    revision bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
