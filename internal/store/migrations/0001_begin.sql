-- +goose Up

-- One row: which installation this is, how many changes of authority it has
-- seen, and the digest of their chain.
CREATE TABLE state (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    installation TEXT   NOT NULL,
    v            BIGINT NOT NULL,
    digest       BYTEA  NOT NULL
);

-- The changes themselves, one row for each version, in the transaction of the
-- change.
CREATE TABLE changes (
    v          BIGINT PRIMARY KEY,
    kind       TEXT   NOT NULL,
    subject_id BIGINT NOT NULL,
    hash       BYTEA  NOT NULL,
    digest     BYTEA  NOT NULL
);

CREATE TABLE counters (
    name  TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);

CREATE TABLE orgs (
    id         BIGINT PRIMARY KEY,
    name       TEXT   NOT NULL,
    name_key   TEXT   NOT NULL UNIQUE,
    address1   TEXT   NOT NULL,
    address2   TEXT   NOT NULL,
    city       TEXT   NOT NULL,
    zip_code   TEXT   NOT NULL,
    state      TEXT   NOT NULL,
    country    TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL
);

CREATE TABLE users (
    id            BIGINT  PRIMARY KEY,
    uid           TEXT    NOT NULL UNIQUE,
    login         TEXT    NOT NULL,
    login_key     TEXT    NOT NULL UNIQUE,
    email         TEXT    NOT NULL,
    email_key     TEXT    NOT NULL UNIQUE,
    name          TEXT    NOT NULL,
    name_key      TEXT    NOT NULL,
    password_hash TEXT    NOT NULL,
    server_admin  BOOLEAN NOT NULL,
    disabled      BOOLEAN NOT NULL,
    org_id        BIGINT  NOT NULL,
    created_us    BIGINT  NOT NULL,
    updated_us    BIGINT  NOT NULL,
    seen_us       BIGINT  NOT NULL
);

CREATE TABLE members (
    org_id    BIGINT NOT NULL REFERENCES orgs (id),
    user_id   BIGINT NOT NULL REFERENCES users (id),
    role      TEXT   NOT NULL CHECK (role IN ('None', 'Viewer', 'Editor', 'Admin')),
    joined_us BIGINT NOT NULL,
    PRIMARY KEY (org_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

CREATE TABLE service_accounts (
    id         BIGINT  PRIMARY KEY,
    uid        TEXT    NOT NULL UNIQUE,
    org_id     BIGINT  NOT NULL REFERENCES orgs (id),
    name       TEXT    NOT NULL,
    name_key   TEXT    NOT NULL,
    login      TEXT    NOT NULL,
    login_key  TEXT    NOT NULL UNIQUE,
    role       TEXT    NOT NULL CHECK (role IN ('None', 'Viewer', 'Editor', 'Admin')),
    disabled   BOOLEAN NOT NULL,
    created_us BIGINT  NOT NULL,
    updated_us BIGINT  NOT NULL
);
CREATE INDEX service_accounts_page ON service_accounts (org_id, login_key, name_key, disabled);

CREATE TABLE tokens (
    id                 BIGINT PRIMARY KEY,
    org_id             BIGINT NOT NULL REFERENCES orgs (id),
    service_account_id BIGINT NOT NULL REFERENCES service_accounts (id),
    name               TEXT   NOT NULL,
    name_key           TEXT   NOT NULL, -- empty once the token is dead and its name given to another
    hash               BYTEA  NOT NULL UNIQUE,
    last_four          TEXT   NOT NULL,
    created_us         BIGINT NOT NULL,
    created_by         TEXT   NOT NULL,
    expires_us         BIGINT NOT NULL,
    revoked_us         BIGINT NOT NULL,
    used_us            BIGINT NOT NULL,
    used_address       TEXT   NOT NULL,
    used_agent         TEXT   NOT NULL
);
CREATE UNIQUE INDEX tokens_name ON tokens (org_id, name_key) WHERE name_key <> '';
CREATE INDEX tokens_expiry ON tokens (org_id, expires_us, service_account_id) WHERE expires_us > 0;
CREATE INDEX tokens_account ON tokens (service_account_id, expires_us, revoked_us, used_us);

-- What a principal holds beside the role: the managed permissions.
CREATE TABLE permissions (
    org_id       BIGINT NOT NULL REFERENCES orgs (id),
    principal_id BIGINT NOT NULL,
    action       TEXT   NOT NULL,
    scope        TEXT   NOT NULL,
    PRIMARY KEY (org_id, principal_id, action, scope)
);
CREATE INDEX permissions_scope ON permissions (org_id, scope);

CREATE TABLE sessions (
    id         BIGINT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    hash       BYTEA  NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    user_agent TEXT   NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE audit (
    id          BIGINT PRIMARY KEY,
    at_us       BIGINT NOT NULL,
    org_id      BIGINT NOT NULL,
    actor_kind  BIGINT NOT NULL,
    actor_id    BIGINT NOT NULL,
    actor_login TEXT   NOT NULL,
    token_id    BIGINT NOT NULL,
    action      TEXT   NOT NULL,
    target      TEXT   NOT NULL,
    outcome     TEXT   NOT NULL,
    reason      TEXT   NOT NULL,
    address     TEXT   NOT NULL,
    user_agent  TEXT   NOT NULL,
    count       BIGINT NOT NULL
);
CREATE INDEX audit_org ON audit (org_id, id);
CREATE INDEX audit_actor ON audit (actor_login, id);

INSERT INTO counters (name, value) VALUES
    ('org', 0), ('principal', 0), ('token', 0), ('session', 0), ('audit', 0);
