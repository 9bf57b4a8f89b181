-- +goose Up

-- What an org does about tokens that nobody uses; no row: nothing.
CREATE TABLE token_policies (
    org_id      BIGINT  PRIMARY KEY REFERENCES orgs (id),
    stale_days  BIGINT  NOT NULL, -- 0: nothing
    warn_days   TEXT    NOT NULL, -- a JSON array, the longest first
    pauses      BOOLEAN NOT NULL,
    revoke_days BIGINT  NOT NULL, -- after the pause; 0: never
    exempt      TEXT    NOT NULL, -- a JSON array
    updated_us  BIGINT  NOT NULL,
    updated_by  TEXT    NOT NULL
);

-- How far the policy has come with a token that nobody uses. What is left of a token
-- goes with it.
CREATE TABLE stale_tokens (
    token_id  BIGINT PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
    phase     TEXT   NOT NULL CHECK (phase IN ('idle', 'paused', 'held')),
    since_us  BIGINT NOT NULL, -- since when nobody uses it, or it is paused
    floor_us  BIGINT NOT NULL, -- when it was last seen to be resumed
    warned_us BIGINT NOT NULL, -- when the first warning was given; 0: none was
    warning   BIGINT NOT NULL  -- the days of the last warning; 0: none was given
);

-- What somebody has put off on the page of what needs doing.
CREATE TABLE snoozes (
    org_id     BIGINT NOT NULL REFERENCES orgs (id),
    section    TEXT   NOT NULL,
    kind       TEXT   NOT NULL, -- of the subject, as "token"
    subject_id BIGINT NOT NULL,
    part       BIGINT NOT NULL, -- the rule of a guard; else 0
    until_us   BIGINT NOT NULL,
    reason     TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    created_by TEXT   NOT NULL,
    PRIMARY KEY (org_id, section, kind, subject_id, part)
);

-- The accounts for which nobody answers.
CREATE INDEX service_accounts_ownerless ON service_accounts (org_id, id) WHERE owner = '';

-- SHA-256 of what goes from the audit, in hex.
ALTER TABLE audit_pruning ADD COLUMN digest TEXT NOT NULL DEFAULT '';
