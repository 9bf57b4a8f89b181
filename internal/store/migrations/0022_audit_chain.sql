-- +goose Up

-- The audit is a chain: each link has a digest over itself and the digest of the link
-- before it (hallpass.AuditLink). Links are numbered by the counter of the audit.
--
-- What was written before the chain has no digest: the first entry with one covers it all.
-- An entry of which FALSE stands in counted was written by a program that knows no chain;
-- its digest does not cover the count.
ALTER TABLE audit ADD COLUMN digest BYTEA;
ALTER TABLE audit ADD COLUMN counted BOOLEAN NOT NULL DEFAULT FALSE;

-- The repeats that were added to the count of an entry after it was written.
CREATE TABLE audit_repeats (
    id       BIGINT PRIMARY KEY,
    entry_id BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    digest   BYTEA  NOT NULL
);
CREATE INDEX audit_repeats_entry ON audit_repeats (entry_id);

-- What retention deleted and stands in the chain after something that is still there.
CREATE TABLE audit_gone (
    id      BIGINT PRIMARY KEY,
    content BYTEA NOT NULL,
    digest  BYTEA
);

-- Where the chain begins: what is up to there is gone. Where it ends: the last link.
CREATE TABLE audit_chain (
    place  TEXT   PRIMARY KEY CHECK (place IN ('begin', 'end')),
    last   BIGINT NOT NULL,
    digest BYTEA  NOT NULL
);
