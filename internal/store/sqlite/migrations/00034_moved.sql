-- +goose Up

-- Its rows were moved by 00033.
DROP TABLE attempts_before;
