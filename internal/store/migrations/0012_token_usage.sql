-- +goose Up

-- How tokens are used. What a token leaves behind goes with it.
CREATE TABLE token_days (
    token_id BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    day_us   BIGINT NOT NULL, -- when the day began
    ok       BIGINT NOT NULL,
    denied   BIGINT NOT NULL,
    failed   BIGINT NOT NULL,
    refused  BIGINT NOT NULL,
    limited  BIGINT NOT NULL,
    PRIMARY KEY (token_id, day_us)
);
CREATE INDEX token_days_day ON token_days (day_us);

CREATE TABLE token_places (
    token_id BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    address  TEXT   NOT NULL,
    agent    TEXT   NOT NULL,
    method   TEXT   NOT NULL, -- of the latest request, as route and status
    route    TEXT   NOT NULL, -- a pattern or a rule of a guard, never a path
    status   BIGINT NOT NULL,
    first_us BIGINT NOT NULL,
    last_us  BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    PRIMARY KEY (token_id, address, agent)
);

CREATE TABLE token_actions (
    token_id BIGINT NOT NULL REFERENCES tokens (id) ON DELETE CASCADE,
    action   TEXT   NOT NULL,
    scope    TEXT   NOT NULL,
    last_us  BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    PRIMARY KEY (token_id, action, scope)
);

-- What is left of the usage of tokens that are deleted, summed by account.
CREATE TABLE account_days (
    account_id BIGINT NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    day_us     BIGINT NOT NULL,
    ok         BIGINT NOT NULL,
    denied     BIGINT NOT NULL,
    failed     BIGINT NOT NULL,
    refused    BIGINT NOT NULL,
    limited    BIGINT NOT NULL,
    PRIMARY KEY (account_id, day_us)
);
CREATE INDEX account_days_day ON account_days (day_us);

CREATE TABLE account_actions (
    account_id BIGINT NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    action     TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    last_us    BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (account_id, action, scope)
);

-- Since when usage is recorded; no row: not yet.
CREATE TABLE usage_begin (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    at_us BIGINT NOT NULL
);

-- The inventory of an org's tokens, in the orders that it has: a token that never
-- expires is the last to end.
CREATE INDEX tokens_by_id ON tokens (org_id, id);
CREATE INDEX tokens_by_name ON tokens (org_id, name, id);
CREATE INDEX tokens_by_end ON tokens (org_id, (CASE expires_us WHEN 0 THEN 9223372036854775807 ELSE expires_us END), id);
CREATE INDEX tokens_by_four ON tokens (org_id, last_four, id);
CREATE INDEX tokens_paused ON tokens (org_id, id) WHERE paused_us > 0;
