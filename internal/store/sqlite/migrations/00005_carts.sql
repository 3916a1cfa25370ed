-- +goose Up

-- A cart as it is now; earlier versions are not kept.
CREATE TABLE carts (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    version  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    doc      TEXT NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT;

CREATE INDEX carts_created ON carts (tenant, created, id);
