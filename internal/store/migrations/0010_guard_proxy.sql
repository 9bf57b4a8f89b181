-- +goose Up

-- How the built-in proxy serves a guard.
ALTER TABLE guards ADD COLUMN listen TEXT NOT NULL DEFAULT '';         -- the address of a listener of its own; empty: it has none
ALTER TABLE guards ADD COLUMN timeout_us BIGINT NOT NULL DEFAULT 0;    -- that the API may take to begin its answer; 0: the default
