-- +goose Up

-- The life of a token: what replaced it, whether it pauses, and how narrow it is.
ALTER TABLE tokens ADD COLUMN ended TEXT NOT NULL DEFAULT '' CHECK (ended IN ('', 'revoked', 'rotated', 'stale'));
ALTER TABLE tokens ADD COLUMN chain_id BIGINT NOT NULL DEFAULT 0;          -- the first token of its chain; 0: it is its own
ALTER TABLE tokens ADD COLUMN generation BIGINT NOT NULL DEFAULT 1;
ALTER TABLE tokens ADD COLUMN predecessor_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN successor_id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN rotated_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN close_us BIGINT NOT NULL DEFAULT 0;          -- when it ends at the latest, since it was replaced
ALTER TABLE tokens ADD COLUMN quiet_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN rotation_key TEXT NOT NULL DEFAULT '';       -- SHA-256 of the Idempotency-Key that made it, in hex
ALTER TABLE tokens ADD COLUMN paused_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN paused_until_us BIGINT NOT NULL DEFAULT 0;   -- 0: until somebody resumes it
ALTER TABLE tokens ADD COLUMN pause_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN read_only BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE tokens ADD COLUMN max_role TEXT NOT NULL DEFAULT '';           -- empty: the account's
ALTER TABLE tokens ADD COLUMN ceiling TEXT NOT NULL DEFAULT '';            -- a JSON array of permissions; empty: none
ALTER TABLE tokens ADD COLUMN networks TEXT NOT NULL DEFAULT '';           -- a JSON array of prefixes; empty: everywhere
ALTER TABLE tokens ADD COLUMN rate_n BIGINT NOT NULL DEFAULT 0;            -- requests in rate_s; 0: no limit
ALTER TABLE tokens ADD COLUMN rate_s BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN rate_burst BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN self_rotate BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE tokens ADD COLUMN renew_until_us BIGINT NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE tokens ADD COLUMN purpose TEXT NOT NULL DEFAULT '';

-- Those that are being replaced, for the job that ends them.
CREATE INDEX tokens_overlap ON tokens (close_us) WHERE successor_id > 0 AND revoked_us = 0;

ALTER TABLE service_accounts ADD COLUMN owner TEXT NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE service_accounts ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
