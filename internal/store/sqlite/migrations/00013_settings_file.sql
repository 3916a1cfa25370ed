-- +goose Up

-- from_file is 1 for the versions that held what the settings file of `serve`
-- held when it was applied last. Until now the other command that applies files
-- left the same name; theirs are taken for the same.
ALTER TABLE settings ADD COLUMN from_file INTEGER NOT NULL DEFAULT 0;

UPDATE settings SET from_file = 1 WHERE by = 'settings file';
