-- +goose Up

-- The processes that verify from this database, one row for each while it
-- lives. A row that is gone was taken away from a process that others had not
-- heard of for longer than it may answer from memory.
CREATE TABLE nodes (
    id         TEXT   PRIMARY KEY,
    name       TEXT   NOT NULL,
    address    TEXT   NOT NULL,
    version    TEXT   NOT NULL,
    started_us BIGINT NOT NULL,
    beats      BIGINT NOT NULL,
    beat_us    BIGINT NOT NULL,
    applied    BIGINT NOT NULL,
    bound_us   BIGINT NOT NULL,
    ack_us     BIGINT NOT NULL
);

-- When a token was last used is written far more often than read: an index
-- that holds it costs each of these writes more than the row itself does.
DROP INDEX tokens_account;
CREATE INDEX tokens_account ON tokens (service_account_id, expires_us, revoked_us);

-- The tokens of all orgs that expire soonest.
CREATE INDEX tokens_soonest ON tokens (expires_us) WHERE expires_us > 0;
