-- +goose Up

-- When a request with the Idempotency-Key that made the token was last repeated, and the
-- token got another secret; 0: it never was.
ALTER TABLE tokens ADD COLUMN reissued_us BIGINT NOT NULL DEFAULT 0;
