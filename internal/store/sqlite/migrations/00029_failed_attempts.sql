-- +goose Up

-- The attempts that failed are what one looks for most, and few of very many.
CREATE INDEX attempts_failed ON attempts (tenant, outcome, id) WHERE outcome = 'failed';
