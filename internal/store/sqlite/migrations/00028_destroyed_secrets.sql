-- +goose Up

-- What a run may use of the secrets that were removed: those of the settings that
-- were in force when it began, or was resumed last.
ALTER TABLE runs ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
UPDATE runs SET since = coalesce(json_extract(doc, '$.since'), json_extract(doc, '$.settingsVersion'), 0) WHERE ended = 0;
CREATE INDEX runs_since ON runs (tenant, since) WHERE ended = 0;

-- given is the version of the settings that had the secret first, 0 where that is not known.
ALTER TABLE secrets ADD COLUMN given INTEGER NOT NULL DEFAULT 0;
CREATE INDEX secrets_place ON secrets (tenant, place, id);

-- A version of the settings that removed places of secrets, as long as a secret of
-- one of them is not destroyed. An earlier orderhook destroyed none.
CREATE TABLE secret_removals (
    tenant  TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (tenant, version)
) STRICT, WITHOUT ROWID;

INSERT INTO secret_removals (tenant, version) SELECT DISTINCT tenant, retired FROM secrets WHERE retired > 0;
