-- +goose Up

-- The index that finds pieces of bodies (package bodyindex): a row is some
-- attempts of a tenant, from first to last by their seq. state is `ready`;
-- `bare`: its chunks were removed, and it is to be built anew; or `void`: it is
-- being built, or was replaced. A young one is to be made part of a larger one.
-- starts is the seq of the first attempt in each block. oldest and newest bound
-- when the attempts started.
CREATE TABLE body_segments (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant TEXT NOT NULL,
    state  TEXT NOT NULL,
    young  INTEGER NOT NULL,
    first  INTEGER NOT NULL,
    last   INTEGER NOT NULL,
    oldest INTEGER NOT NULL,
    newest INTEGER NOT NULL,
    header BLOB,
    starts BLOB
) STRICT;

CREATE INDEX body_segments_first ON body_segments (tenant, first);
CREATE INDEX body_segments_newest ON body_segments (tenant, newest);
CREATE INDEX body_segments_open ON body_segments (tenant, first) WHERE state <> 'ready' OR young = 1;

-- key is the segment's id * 1024 + the chunk's number, so a chunk is one
-- descent away, and a row fills a page.
CREATE TABLE body_chunks (
    key   INTEGER PRIMARY KEY,
    chunk BLOB NOT NULL
) STRICT;

-- Events up to a seq were there at a time. Their own times will not do: whoever
-- publishes an event says which it has.
CREATE TABLE event_marks (
    at  INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL
) STRICT;
