-- +goose Up

-- A secret, to which settings and endpoints refer by its id: sealed for its tenant,
-- its place (`settings/…`, `endpoints/…`) and the origins that it may go to, a JSON
-- list. retired is the version of the settings that refers to it no more, 0 while
-- it is in use.
CREATE TABLE secrets (
    tenant  TEXT NOT NULL,
    id      TEXT NOT NULL,
    place   TEXT NOT NULL,
    origins TEXT NOT NULL,
    sealed  TEXT NOT NULL,
    retired INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;

-- Those that a change of the settings may retire.
CREATE INDEX secrets_in_use ON secrets (tenant, place) WHERE retired = 0;
