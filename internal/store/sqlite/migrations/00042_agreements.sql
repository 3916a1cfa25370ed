-- +goose Up

-- How often the answers of a shadow had the same effect as those of its live step.
CREATE TABLE agreements (
    tenant   TEXT NOT NULL,
    id       TEXT NOT NULL,
    doc      TEXT NOT NULL,
    revision INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
