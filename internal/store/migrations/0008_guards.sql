-- +goose Up

-- The guards of all orgs. Lists and rules are JSON: they are read and written as
-- a whole.
CREATE TABLE guards (
    id              BIGINT  PRIMARY KEY,
    org_id          BIGINT  NOT NULL REFERENCES orgs (id),
    name            TEXT    NOT NULL UNIQUE,
    upstream        TEXT    NOT NULL,
    rules           TEXT    NOT NULL, -- a JSON array
    preset          TEXT    NOT NULL,
    path_allow      TEXT    NOT NULL, -- a JSON array
    allow_preflight BOOLEAN NOT NULL,
    jwt             BOOLEAN NOT NULL,
    managed_by      TEXT    NOT NULL CHECK (managed_by IN ('api', 'config')),
    source          TEXT    NOT NULL,
    version         BIGINT  NOT NULL,
    suspended       TEXT    NOT NULL, -- why it refuses everything; empty: it does not
    created_us      BIGINT  NOT NULL,
    updated_us      BIGINT  NOT NULL
);
CREATE INDEX guards_org ON guards (org_id, name);

-- How often a guard decided in one way, by the UTC day.
CREATE TABLE guard_usage (
    guard_id BIGINT NOT NULL,
    day_us   BIGINT NOT NULL, -- when the day began
    rule     BIGINT NOT NULL,
    outcome  TEXT   NOT NULL,
    token_id BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    PRIMARY KEY (guard_id, day_us, rule, outcome, token_id)
);
CREATE INDEX guard_usage_day ON guard_usage (day_us);

INSERT INTO counters (name, value) VALUES ('guard', 0);
