-- +goose Up

-- Calls are counted by the minute only; the counts of a quarter of an hour are made of
-- those later. Until now each call was counted in both: the minutes are all there.
DELETE FROM call_counts WHERE span = 15;
