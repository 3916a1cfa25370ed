-- +goose Up

-- The events of one write that endpoints were given, at their place in the order of the
-- commits. The event with the number first + i has the position position + i. given says which
-- endpoints were given which of them, and the position that each endpoint had been given before.
CREATE TABLE feed (
    tenant   TEXT NOT NULL,
    position INTEGER NOT NULL,
    first    INTEGER NOT NULL,
    given    BLOB NOT NULL,
    PRIMARY KEY (tenant, position)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX feed_first ON feed (tenant, first);

-- The last position of each endpoint at a position, so that not all rows have to be read to
-- know them; and up to which position rows were removed.
CREATE TABLE feed_heads (
    tenant   TEXT NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL,
    removed  INTEGER NOT NULL DEFAULT 0,
    heads    BLOB NOT NULL
) STRICT, WITHOUT ROWID;
