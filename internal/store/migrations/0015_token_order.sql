-- +goose Up

-- The inventory by the end of tokens: one that is being replaced ends when its overlap
-- closes, and one that never ends is the last.
DROP INDEX tokens_by_end;
CREATE INDEX tokens_by_end ON tokens (org_id, (CASE WHEN close_us > 0 AND (expires_us = 0 OR close_us < expires_us) THEN close_us WHEN expires_us = 0 THEN 9223372036854775807 ELSE expires_us END), id);
