-- +goose Up

-- An order that is being erased, in steps: its id is not free until it is done.
CREATE TABLE erasures (
    tenant   TEXT NOT NULL,
    order_id TEXT NOT NULL,
    PRIMARY KEY (tenant, order_id)
) STRICT, WITHOUT ROWID;
