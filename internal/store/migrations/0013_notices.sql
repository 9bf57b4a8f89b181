-- +goose Up

-- The ways in which an org is told notices.
CREATE TABLE channels (
    id         BIGINT  PRIMARY KEY,
    org_id     BIGINT  NOT NULL REFERENCES orgs (id),
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('webhook', 'mail', 'slack')),
    url        TEXT    NOT NULL,
    signature  TEXT    NOT NULL,
    addresses  TEXT    NOT NULL, -- a JSON array
    kinds      TEXT    NOT NULL, -- of the notices that it takes, a JSON array
    disabled   BOOLEAN NOT NULL,
    off_reason TEXT    NOT NULL, -- why the server disabled it; empty: it did not
    created_us BIGINT  NOT NULL,
    updated_us BIGINT  NOT NULL,
    sent_us    BIGINT  NOT NULL DEFAULT 0,
    failing_us BIGINT  NOT NULL DEFAULT 0,  -- since when attempts fail; 0: the last succeeded
    last_error TEXT    NOT NULL DEFAULT '',
    rest_us    BIGINT  NOT NULL DEFAULT 0   -- nothing is sent before
);
CREATE UNIQUE INDEX channels_name ON channels (org_id, name_key);

-- Notices on their way, one row for each channel and recipient. A row is written in the
-- transaction of what it tells. It holds no secret.
CREATE TABLE outbox (
    id         BIGINT PRIMARY KEY,
    org_id     BIGINT NOT NULL REFERENCES orgs (id),
    channel_id BIGINT NOT NULL,
    recipient  TEXT   NOT NULL, -- of mail
    kind       TEXT   NOT NULL,
    token_id   BIGINT NOT NULL,
    mark       TEXT   NOT NULL,
    body       TEXT   NOT NULL, -- the notice, JSON
    state      TEXT   NOT NULL CHECK (state IN ('due', 'sent', 'dead')),
    attempts   BIGINT NOT NULL,
    next_us    BIGINT NOT NULL,
    last_error TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    queued_us  BIGINT NOT NULL, -- when it was last put on its way
    sent_us    BIGINT NOT NULL
);
-- What was told once is not told again.
CREATE UNIQUE INDEX outbox_once ON outbox (channel_id, kind, token_id, mark, recipient);
CREATE INDEX outbox_due ON outbox (channel_id, next_us) WHERE state = 'due';
CREATE INDEX outbox_channel ON outbox (channel_id, state, id);

INSERT INTO counters (name, value) VALUES ('channel', 0), ('notice', 0);
