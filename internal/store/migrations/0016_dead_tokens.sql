-- +goose Up

-- Tokens that were ended before their time, for the job that deletes them in the end.
CREATE INDEX tokens_revoked ON tokens (revoked_us) WHERE revoked_us > 0;
