-- token days sifGWL7YTAfYuk8lPNv0sKyLKUjolmlj 00afad0d
-- token deleted A3yiieUWiCNdbBFZlBdLmNQz4bdk3ctB 9b8e71dd
-- token disabled 3OE2Ny5pVISl6gQilNWMhgGQ2KQxsM3T 8a71389e
-- token live 6QHBIBpMlmgSmFUsI2A6y8QEU2GFtXLF eece1cd5
-- token narrow OKXSP9z5xFaP5BNOCtyVumw1Hin7sje0 3b968c24
-- token rotated cOsDnq4AYlcix2zo3Kmvy9sOB2eATAr2 765fd551
PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE goose_db_version (
		id INTEGER PRIMARY KEY AUTOINCREMENT,
		version_id INTEGER NOT NULL,
		is_applied INTEGER NOT NULL,
		tstamp TIMESTAMP DEFAULT (datetime('now'))
	);
CREATE TABLE state (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    installation TEXT   NOT NULL,
    v            BIGINT NOT NULL,
    digest       BYTEA  NOT NULL
);
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
, accounts BIGINT NOT NULL DEFAULT 0);
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
, owner TEXT NOT NULL DEFAULT '', purpose TEXT NOT NULL DEFAULT '', created_by TEXT NOT NULL DEFAULT '');
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
, ended TEXT NOT NULL DEFAULT '' CHECK (ended IN ('', 'revoked', 'rotated', 'stale')), chain_id BIGINT NOT NULL DEFAULT 0, generation BIGINT NOT NULL DEFAULT 1, predecessor_id BIGINT NOT NULL DEFAULT 0, successor_id BIGINT NOT NULL DEFAULT 0, rotated_us BIGINT NOT NULL DEFAULT 0, close_us BIGINT NOT NULL DEFAULT 0, quiet_us BIGINT NOT NULL DEFAULT 0, rotation_key TEXT NOT NULL DEFAULT '', paused_us BIGINT NOT NULL DEFAULT 0, paused_until_us BIGINT NOT NULL DEFAULT 0, pause_reason TEXT NOT NULL DEFAULT '', read_only BOOLEAN NOT NULL DEFAULT FALSE, max_role TEXT NOT NULL DEFAULT '', ceiling TEXT NOT NULL DEFAULT '', networks TEXT NOT NULL DEFAULT '', rate_n BIGINT NOT NULL DEFAULT 0, rate_s BIGINT NOT NULL DEFAULT 0, rate_burst BIGINT NOT NULL DEFAULT 0, self_rotate BOOLEAN NOT NULL DEFAULT FALSE, renew_until_us BIGINT NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', purpose TEXT NOT NULL DEFAULT '', reissued_us BIGINT NOT NULL DEFAULT 0);
CREATE TABLE sessions (
    id         BIGINT PRIMARY KEY,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    hash       BYTEA  NOT NULL UNIQUE,
    created_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    address    TEXT   NOT NULL,
    user_agent TEXT   NOT NULL
, issuer TEXT NOT NULL DEFAULT '');
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
, digest BYTEA, counted BOOLEAN NOT NULL DEFAULT FALSE);
CREATE TABLE teams (
    id         BIGINT PRIMARY KEY,
    uid        TEXT   NOT NULL,
    org_id     BIGINT NOT NULL REFERENCES orgs (id),
    name       TEXT   NOT NULL,
    name_key   TEXT   NOT NULL,
    email      TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    UNIQUE (org_id, name_key),
    UNIQUE (org_id, uid)
);
CREATE TABLE team_members (
    team_id      BIGINT  NOT NULL REFERENCES teams (id),
    principal_id BIGINT  NOT NULL,
    org_id       BIGINT  NOT NULL,
    admin        BOOLEAN NOT NULL,
    joined_us    BIGINT  NOT NULL, synced BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (team_id, principal_id)
);
CREATE TABLE team_groups (
    team_id  BIGINT NOT NULL REFERENCES teams (id),
    group_id TEXT   NOT NULL,
    PRIMARY KEY (team_id, group_id)
);
CREATE TABLE roles (
    id           BIGINT  PRIMARY KEY,
    org_id       BIGINT  NOT NULL,
    uid          TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    name_key     TEXT    NOT NULL,
    display_name TEXT    NOT NULL,
    description  TEXT    NOT NULL,
    group_name   TEXT    NOT NULL,
    hidden       BOOLEAN NOT NULL,
    version      BIGINT  NOT NULL,
    created_us   BIGINT  NOT NULL,
    updated_us   BIGINT  NOT NULL,
    UNIQUE (org_id, uid),
    UNIQUE (org_id, name_key)
);
CREATE TABLE role_permissions (
    role_id BIGINT NOT NULL REFERENCES roles (id),
    action  TEXT   NOT NULL,
    scope   TEXT   NOT NULL,
    PRIMARY KEY (role_id, action, scope)
);
CREATE TABLE role_assignments (
    org_id     BIGINT NOT NULL,
    kind       TEXT   NOT NULL CHECK (kind IN ('principal', 'team', 'basic')),
    grantee_id BIGINT NOT NULL,
    role_org   BIGINT NOT NULL,
    role_uid   TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (kind, grantee_id, org_id, role_org, role_uid)
);
CREATE TABLE grants (
    id          BIGINT PRIMARY KEY,
    org_id      BIGINT NOT NULL REFERENCES orgs (id),
    resource    TEXT   NOT NULL,
    resource_id TEXT   NOT NULL,
    kind        TEXT   NOT NULL CHECK (kind IN ('principal', 'team', 'basic')),
    grantee_id  BIGINT NOT NULL,
    level       TEXT   NOT NULL,
    created_us  BIGINT NOT NULL,
    UNIQUE (org_id, resource, resource_id, kind, grantee_id)
);
CREATE TABLE folders (
    id          BIGINT PRIMARY KEY,
    uid         TEXT   NOT NULL,
    org_id      BIGINT NOT NULL REFERENCES orgs (id),
    parent_uid  TEXT   NOT NULL,
    title       TEXT   NOT NULL,
    title_key   TEXT   NOT NULL,
    description TEXT   NOT NULL,
    version     BIGINT NOT NULL,
    created_by  TEXT   NOT NULL,
    updated_by  TEXT   NOT NULL,
    created_us  BIGINT NOT NULL,
    updated_us  BIGINT NOT NULL,
    UNIQUE (org_id, uid)
);
CREATE TABLE dashboards (
    id         BIGINT PRIMARY KEY,
    uid        TEXT   NOT NULL,
    org_id     BIGINT NOT NULL REFERENCES orgs (id),
    folder_uid TEXT   NOT NULL,
    title      TEXT   NOT NULL,
    title_key  TEXT   NOT NULL,
    tags       TEXT   NOT NULL, -- a JSON array
    version    BIGINT NOT NULL,
    data       BYTEA  NOT NULL,
    created_by TEXT   NOT NULL,
    updated_by TEXT   NOT NULL,
    created_us BIGINT NOT NULL,
    updated_us BIGINT NOT NULL,
    UNIQUE (org_id, uid)
);
CREATE TABLE dashboard_versions (
    dashboard_id  BIGINT NOT NULL REFERENCES dashboards (id),
    version       BIGINT NOT NULL,
    parent        BIGINT NOT NULL,
    restored_from BIGINT NOT NULL,
    message       TEXT   NOT NULL,
    data          BYTEA  NOT NULL,
    created_by    TEXT   NOT NULL,
    created_us    BIGINT NOT NULL,
    PRIMARY KEY (dashboard_id, version)
);
CREATE TABLE preferences (
    org_id       BIGINT NOT NULL,
    kind         TEXT   NOT NULL CHECK (kind IN ('org', 'team', 'user')),
    subject_id   BIGINT NOT NULL,
    theme        TEXT   NOT NULL,
    home_uid     TEXT   NOT NULL,
    timezone     TEXT   NOT NULL,
    week_start   TEXT   NOT NULL,
    language     TEXT   NOT NULL,
    PRIMARY KEY (org_id, kind, subject_id)
);
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
CREATE TABLE wrong_passwords (
    bucket   TEXT   PRIMARY KEY,
    n        BIGINT NOT NULL,
    until_us BIGINT NOT NULL
);
CREATE TABLE known_places (
    user_id  BIGINT NOT NULL,
    place    TEXT   NOT NULL,
    until_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, place)
);
CREATE TABLE audit_pruning (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    holder   TEXT   NOT NULL,
    until_us BIGINT NOT NULL,
    first_us BIGINT NOT NULL, -- of the oldest entry that is gone; 0: none is
    last_us  BIGINT NOT NULL,
    deleted  BIGINT NOT NULL
, digest TEXT NOT NULL DEFAULT '');
CREATE TABLE jobs (
    name     TEXT   PRIMARY KEY,
    holder   TEXT   NOT NULL,
    until_us BIGINT NOT NULL, -- 0: no node is doing it
    ran_us   BIGINT NOT NULL, -- when the last run that succeeded began; 0: none did
    note     TEXT   NOT NULL  -- why the last run failed; empty: it succeeded
);
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
, listen TEXT NOT NULL DEFAULT '', timeout_us BIGINT NOT NULL DEFAULT 0);
CREATE TABLE guard_usage (
    guard_id BIGINT NOT NULL,
    day_us   BIGINT NOT NULL, -- when the day began
    rule     BIGINT NOT NULL,
    outcome  TEXT   NOT NULL,
    token_id BIGINT NOT NULL,
    n        BIGINT NOT NULL,
    PRIMARY KEY (guard_id, day_us, rule, outcome, token_id)
);
CREATE TABLE node_keys (
    public  BYTEA  PRIMARY KEY, -- Ed25519
    node    TEXT   NOT NULL,
    gone_us BIGINT NOT NULL     -- when the node was taken off the list; 0: it is on it
);
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
CREATE TABLE account_actions (
    account_id BIGINT NOT NULL REFERENCES service_accounts (id) ON DELETE CASCADE,
    action     TEXT   NOT NULL,
    scope      TEXT   NOT NULL,
    last_us    BIGINT NOT NULL,
    n          BIGINT NOT NULL,
    PRIMARY KEY (account_id, action, scope)
);
CREATE TABLE usage_begin (
    id    BIGINT PRIMARY KEY CHECK (id = 1),
    at_us BIGINT NOT NULL
);
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
CREATE TABLE stale_tokens (
    token_id  BIGINT PRIMARY KEY REFERENCES tokens (id) ON DELETE CASCADE,
    phase     TEXT   NOT NULL CHECK (phase IN ('idle', 'paused', 'held')),
    since_us  BIGINT NOT NULL, -- since when nobody uses it, or it is paused
    floor_us  BIGINT NOT NULL, -- when it was last seen to be resumed
    warned_us BIGINT NOT NULL, -- when the first warning was given; 0: none was
    warning   BIGINT NOT NULL  -- the days of the last warning; 0: none was given
);
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
CREATE TABLE spare_roles (
    account_id BIGINT PRIMARY KEY REFERENCES service_accounts (id) ON DELETE CASCADE,
    role       TEXT   NOT NULL, -- that of the account: if it has another by now, the row says nothing
    enough     TEXT   NOT NULL  -- the role that is enough
);
CREATE TABLE guard_answers (
    guard_id  BIGINT NOT NULL,
    minute_us BIGINT NOT NULL, -- when the minute began
    n         BIGINT NOT NULL,
    failed    BIGINT NOT NULL, -- of n
    PRIMARY KEY (guard_id, minute_us)
);
CREATE TABLE provisioned (
    section TEXT    PRIMARY KEY, -- as files write it: "service_account.ci"
    org_id  BIGINT  NOT NULL,
    target  TEXT    NOT NULL,    -- the thing, as the audit names it: "serviceaccount:7"
    file    TEXT    NOT NULL,    -- which declares it; empty: none does any more
    stopped BOOLEAN NOT NULL,    -- it is disabled because files said so, or declare it no more
    hash    BYTEA   NOT NULL,    -- of the secret of a token that was declared last; else empty
    UNIQUE (org_id, target)
);
CREATE TABLE identities (
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    created_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE TABLE audit_repeats (
    id       BIGINT PRIMARY KEY,
    entry_id BIGINT NOT NULL,
    count    BIGINT NOT NULL,
    digest   BYTEA  NOT NULL
);
CREATE TABLE audit_gone (
    id      BIGINT PRIMARY KEY,
    content BYTEA NOT NULL,
    digest  BYTEA
);
CREATE TABLE audit_chain (
    place  TEXT   PRIMARY KEY CHECK (place IN ('begin', 'end')),
    last   BIGINT NOT NULL,
    digest BYTEA  NOT NULL
);
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (4,3,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (5,4,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (6,6,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (7,7,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (8,8,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (9,9,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (10,10,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (11,11,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (12,12,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (13,13,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (14,14,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (15,15,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (16,16,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (17,17,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (18,18,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (19,19,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (20,20,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (21,21,1,'2026-11-27 12:45:30');
INSERT INTO "goose_db_version" VALUES (22,22,1,'2026-11-27 12:45:30');
INSERT INTO "state" VALUES (1,'hk6xxlbgc1w0i4',7,X'8BAF267C4F5125A419C72BD6F0FA04550C3F73247024E59C4198B095B6C0D84C');
INSERT INTO "changes" VALUES (1,'token',3,X'A04C53B953D58424EE2A58054FD34EB56668F55530123F1ECC49CF21AF0EE92A',X'5CEA79B44E22A027FA06324B0B24C916A151793BB20BEE45E4968D6BE82467A8');
INSERT INTO "changes" VALUES (2,'token',4,X'6D83FF54AD3E42B04B7FDCD6248EB6159E4AA7AC43D5C705F73D20D22FBC02C1',X'C63D5121E8288A654B5695C546486785CA314B1AA7C4EBEE1DEDE13A203C9710');
INSERT INTO "changes" VALUES (3,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'65D2BDA0FF21578C1ACB72296F4A7AFD096E67F9DB83D50D895495ADB442B3DC');
INSERT INTO "changes" VALUES (4,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'455BD24BAA7E5B9A0F86E4042CD29CCDE661DEAC346E5C2D79E3ABD4B6B78BFB');
INSERT INTO "changes" VALUES (5,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'4ACB0C8734AF1B7CC05FD430E8AEAB7B1CC012D68649A38D6B6E6E9360A01CF6');
INSERT INTO "changes" VALUES (6,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'3018DA9E3DDDC8BBE3050B29FD0855C0A0DD8052487D85C7F6D3F3BB38873A1B');
INSERT INTO "changes" VALUES (7,'guard',1,X'0000000000000000000000000000000000000000000000000000000000000000',X'8BAF267C4F5125A419C72BD6F0FA04550C3F73247024E59C4198B095B6C0D84C');
INSERT INTO "counters" VALUES ('org',2);
INSERT INTO "counters" VALUES ('principal',5);
INSERT INTO "counters" VALUES ('token',7);
INSERT INTO "counters" VALUES ('session',0);
INSERT INTO "counters" VALUES ('audit',27);
INSERT INTO "counters" VALUES ('team',1);
INSERT INTO "counters" VALUES ('role',1);
INSERT INTO "counters" VALUES ('folder',1);
INSERT INTO "counters" VALUES ('dashboard',1);
INSERT INTO "counters" VALUES ('grant',7);
INSERT INTO "counters" VALUES ('guard',1);
INSERT INTO "counters" VALUES ('channel',1);
INSERT INTO "counters" VALUES ('notice',0);
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783530935189,1795783530935189,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783531323723,1795783531323723,0);
INSERT INTO "users" VALUES (1,'a879stedec5e8c','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$pw0tucCFYUph3wppVcv2jg$FSDHNfjhcnfza5u/Gx2QeDlszq3TpTjLPRtc/l1Dg/4',1,0,1,1795783530935189,1795783530935189,0);
INSERT INTO "users" VALUES (5,'g2s0c5rpcue59y','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$phupCH+QGjGYW+hfS+0ztg$C5DUbNBCwggEpPd7kzQrnhN3tGf+IC90ZMr2xVMdn9Q',0,0,1,1795783531274848,1795783531274848,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783530935189);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783531274848);
INSERT INTO "members" VALUES (2,1,'Admin',1795783531323723);
INSERT INTO "service_accounts" VALUES (2,'ggetioh0hi9pdu',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783531033449,1795783531033449,'','','admin');
INSERT INTO "service_accounts" VALUES (3,'ka5cv3shgvhfcs',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783531114311,1795783531126076,'','','admin');
INSERT INTO "service_accounts" VALUES (4,'ndv1ni73126yic',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783531134289,1795783531134289,'','','admin');
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'09A162A252BAC205A83DD6B65F014D4CE6884EC83B7E8050B8C330CD59E0F59E','1cd5',1795783531047502,'admin',0,0,1795783531378810,'127.0.0.1','Go-http-client/1.1','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','',0);
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'4173D566FDC2E324ED12BC7045876E57FE29588A423A97618458A0F9BAB3858A','ad0d',1795783531074608,'admin',2659783531074608,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','',0);
INSERT INTO "tokens" VALUES (4,1,2,'rotated','',X'6D83FF54AD3E42B04B7FDCD6248EB6159E4AA7AC43D5C705F73D20D22FBC02C1','d551',1795783531102532,'admin',0,0,0,'','','',0,1,0,5,1795783531109692,1795869931109692,600000000,'',0,0,'',0,'','','',0,0,0,0,0,'','',0);
INSERT INTO "tokens" VALUES (5,1,2,'rotated','rotated',X'61082500180DC234F720FD3CFE571F9BB00D207015E6E0071A1D93C163B95404','8b9a',1795783531108888,'admin',0,0,0,'','','',4,2,4,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','',0);
INSERT INTO "tokens" VALUES (6,1,3,'disabled','disabled',X'79DBDD0C9D27304C61B4F8B5AD19D58B52E3B451284C169725A10CBC9193FF54','389e',1795783531120443,'admin',0,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','',0);
INSERT INTO "tokens" VALUES (7,1,4,'narrow','narrow',X'8FE4E71E501635A30D7E08CC6CFB2B4101AF200C72432BBA2908D15604D442BA','8c24',1795783531150655,'admin',0,0,1795783531385766,'127.0.0.1','Go-http-client/1.1','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','',0);
INSERT INTO "audit" VALUES (1,1795783530936172,1,0,0,'',0,'installation.begin','user:1','ok','','','',1,X'FBF2B44C291CD0C8D9CF4B1A558573BBF81EFB59D5F26F030E2D1196076903A1',1);
INSERT INTO "audit" VALUES (2,1795783531035377,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1,X'9639D567F9F91CE1C26DC32D757B9BDA1D8286FB045AAF0D6FA59BC65FDE883E',1);
INSERT INTO "audit" VALUES (3,1795783531032979,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1,X'40A668935E2DB2F527BABB198C22922A2DD6BC8CBA69A6C4F4BC43331C830D6B',1);
INSERT INTO "audit" VALUES (4,1795783531048430,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1,X'54E06A918F719A7EA9691EEB0DA57B18B74A735EBA8E074BF0167DD0C857459C',1);
INSERT INTO "audit" VALUES (5,1795783531075554,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1,X'4E47D8FBF56699BA2A445AB4375478972C5EFC6B1CC9A897D8C1CE8D47953C78',1);
INSERT INTO "audit" VALUES (6,1795783531085708,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1,X'FDFB0B385C459F570F9170DCD6FFEBCE32AD3961BA8D1DAC051EE5E7EEDA7D33',1);
INSERT INTO "audit" VALUES (7,1795783531097207,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1,X'673367459144F2932835701E01537BBD5FF96C49A78B02A9BECFDB4C25D86BB7',1);
INSERT INTO "audit" VALUES (8,1795783531103889,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1,X'158CA3A541BC778A5FAA4BDCD98FBACF617CD78D026CCC84F970DD9FC1311756',1);
INSERT INTO "audit" VALUES (9,1795783531110699,1,1,1,'admin',0,'token.rotate','token:4','ok','by token 5, ends by 2026-11-28T12:45:31Z','127.0.0.1','Go-http-client/1.1',1,X'76F38B69917BA14AFF6C03B01C9CCB08718A596D2AD4CB1449AB2495CB219075',1);
INSERT INTO "audit" VALUES (10,1795783531110931,1,1,1,'admin',0,'token.create','token:5','ok','replaces token 4','127.0.0.1','Go-http-client/1.1',1,X'8F165452951C1B868F6FF523C48A247E3A493994AEE8AC1DE4F053D165A2B808',1);
INSERT INTO "audit" VALUES (11,1795783531116479,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1,X'C482C4E7DBC501416CA119FF207B52D5212740F9C91E2A78E410CEBF7BCC9A67',1);
INSERT INTO "audit" VALUES (12,1795783531121703,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1,X'355D6225A19A189A1E88E7C1DD39E48F0BB34F20FAB67A745067D447DC1CE79F',1);
INSERT INTO "audit" VALUES (13,1795783531127648,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1,X'19345615182C5027060DB928BA4A9FEC63928F514797A138661E898EF7A2EC33',1);
INSERT INTO "audit" VALUES (14,1795783531135335,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1,X'8A075D419363D6D4818E5CA9DC6189FA719D4A49DC2F5A2776D9F0DE516E5674',1);
INSERT INTO "audit" VALUES (15,1795783531151419,1,1,1,'admin',0,'token.create','token:7','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1,X'B9F1A891DB69F70803781D93B51F6B629A6947ACEBC4701C745201BA8A56B2A9',1);
INSERT INTO "audit" VALUES (16,1795783531166112,1,1,1,'admin',0,'role.create','role:leas0cpfuo7e8t','ok','name team reader','127.0.0.1','Go-http-client/1.1',1,X'CE3251EFACC94FAF35697C234AE370ECE84A16C4F11B28AA7DD6E0EC7D2F67F0',1);
INSERT INTO "audit" VALUES (17,1795783531178083,1,1,1,'admin',0,'role.assign','role:leas0cpfuo7e8t','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1,X'8E4C1A221E6446EFB51B063D2BD1B1C8289B882C9686B07E5EAEA25AFBC47144',1);
INSERT INTO "audit" VALUES (18,1795783531223416,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1,X'DA9186996DB599933D300356CF28330CBC1630C0D9002F22217C4880EE168F92',1);
INSERT INTO "audit" VALUES (19,1795783531278665,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1,X'A717D7B237AA91CD4C32AC4759C65619D05B41C297D31E0DFB108FF33BF2238B',1);
INSERT INTO "audit" VALUES (20,1795783531305539,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1,X'03BB9001F32F41DF7F9FE7656A207119D5B31FF19BCD0DA2C4FD3AF1C4C4C09E',1);
INSERT INTO "audit" VALUES (21,1795783531326249,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1,X'F6544D7D915C67A68F0BEE4BA11B2D29A9389CF052D254EAF73DAE6C62D487C2',1);
INSERT INTO "audit" VALUES (22,1795783531337514,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1,X'2D6498AC12F12BC8C547F4572AFDD6A2B99D898B5532F4A4E3976346A03DC910',1);
INSERT INTO "audit" VALUES (23,1795783531345655,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1,X'205A08C51167CD4616C58CEC4CA414058337F97B5C0DD8019EAD0805DE7EC2C3',1);
INSERT INTO "audit" VALUES (24,1795783531356612,1,1,1,'admin',0,'guard.create','guard:prom','ok','org "1"; upstream "http://127.0.0.1:9090"; preset "prometheus"; managed by "api"','127.0.0.1','Go-http-client/1.1',1,X'8F4DDDA7B95B298CD6C2A649F4CCE9623E8E12693A64DD4B1CF43BFD900C11E8',1);
INSERT INTO "audit" VALUES (25,1795783531365834,1,1,1,'admin',0,'channel.create','channel:1','ok','name pager, webhook to pager.example.com, disabled','127.0.0.1','Go-http-client/1.1',1,X'69920B0BE6500EBE27179291A5D4981B9AD4F6C2A823945BE3DF6A95E35F6A93',1);
INSERT INTO "audit" VALUES (26,1795783531394263,1,2,4,'sa-1-reader-of-teams',7,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1,X'23F4474F04EBC7CE2471EEE29B94018FC2AF298B6FE45B845F0A1683D8A713D5',1);
INSERT INTO "audit" VALUES (27,1795783531407656,1,2,3,'sa-1-switched-off',6,'token.verify','token:6','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1,X'3654907D25D3DFC5D1932F7366D09199FA27E4E05E7F0A126105C103ABF4CE7A',1);
INSERT INTO "teams" VALUES (1,'lx9hxfxtpqhnt0',1,'Ops','ops','',1795783531222497,1795783531222497);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783531222497,0);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783531305467,0);
INSERT INTO "roles" VALUES (1,1,'leas0cpfuo7e8t','team reader','team reader','','','',0,1,1795783531161044,1795783531161045);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'leas0cpfuo7e8t',1795783531177951);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783531033449);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783531114311);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783531134289);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783531337134);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783531337203);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783531337237);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783531345518);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783531336996,1795783531336996);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783531345386,1795783531345386);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783531345386);
INSERT INTO "known_places" VALUES (1,'@127.0.0.1',1798375530981161);
INSERT INTO "jobs" VALUES ('keys of names','',0,0,'1 15.0.0 15.0.0');
INSERT INTO "guards" VALUES (1,1,'prom','http://127.0.0.1:9090','[]','prometheus','[]',0,0,'api','',1,'',1795783531356288,1795783531356288,'',0);
INSERT INTO "token_days" VALUES (1,1795737600000000,1,0,0,0,0);
INSERT INTO "token_days" VALUES (6,1795737600000000,0,0,0,1,0);
INSERT INTO "token_days" VALUES (7,1795737600000000,0,1,0,0,0);
INSERT INTO "token_places" VALUES (1,'127.0.0.1','Go-http-client/1.1','GET','GET /api/org',200,1795783531384792,1795783531384792,1);
INSERT INTO "token_places" VALUES (7,'127.0.0.1','Go-http-client/1.1','GET','GET /api/org',403,1795783531406240,1795783531406240,1);
INSERT INTO "token_actions" VALUES (1,'orgs:read','',1795783531384792,1);
INSERT INTO "usage_begin" VALUES (1,1795783530957662);
INSERT INTO "channels" VALUES (1,1,'pager','pager','webhook','https://pager.example.com/hallpass','v1a','[]','["token.expired"]',1,'',1795783531365689,1795783531365693,0,0,'',0);
INSERT INTO "audit_chain" VALUES ('begin',0,X'0000000000000000000000000000000000000000000000000000000000000000');
INSERT INTO "audit_chain" VALUES ('end',27,X'3654907D25D3DFC5D1932F7366D09199FA27E4E05E7F0A126105C103ABF4CE7A');
CREATE INDEX members_user ON members (user_id);
CREATE INDEX service_accounts_page ON service_accounts (org_id, login_key, name_key, disabled);
CREATE UNIQUE INDEX tokens_name ON tokens (org_id, name_key) WHERE name_key <> '';
CREATE INDEX tokens_expiry ON tokens (org_id, expires_us, service_account_id) WHERE expires_us > 0;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX team_members_principal ON team_members (principal_id, org_id);
CREATE INDEX role_assignments_role ON role_assignments (role_org, role_uid, org_id);
CREATE INDEX grants_grantee ON grants (org_id, kind, grantee_id, resource);
CREATE INDEX folders_parent ON folders (org_id, parent_uid, title_key);
CREATE INDEX dashboards_folder ON dashboards (org_id, folder_uid, title_key);
CREATE INDEX tokens_account ON tokens (service_account_id, expires_us, revoked_us);
CREATE INDEX tokens_soonest ON tokens (expires_us) WHERE expires_us > 0;
CREATE INDEX wrong_passwords_until ON wrong_passwords (until_us);
CREATE INDEX known_places_until ON known_places (until_us);
CREATE INDEX audit_time ON audit (outcome, at_us, id);
CREATE INDEX audit_org ON audit (org_id, outcome, at_us, id);
CREATE INDEX audit_action ON audit (action, outcome, at_us, id);
CREATE INDEX audit_login ON audit (actor_login, outcome, at_us, id);
CREATE INDEX audit_actor ON audit (actor_id, outcome, at_us, id);
CREATE INDEX audit_target ON audit (target, outcome, at_us, id);
CREATE INDEX guards_org ON guards (org_id, name);
CREATE INDEX guard_usage_day ON guard_usage (day_us);
CREATE INDEX tokens_overlap ON tokens (close_us) WHERE successor_id > 0 AND revoked_us = 0;
CREATE INDEX token_days_day ON token_days (day_us);
CREATE INDEX account_days_day ON account_days (day_us);
CREATE INDEX tokens_by_id ON tokens (org_id, id);
CREATE INDEX tokens_by_name ON tokens (org_id, name, id);
CREATE INDEX tokens_by_four ON tokens (org_id, last_four, id);
CREATE INDEX tokens_paused ON tokens (org_id, id) WHERE paused_us > 0;
CREATE UNIQUE INDEX channels_name ON channels (org_id, name_key);
CREATE UNIQUE INDEX outbox_once ON outbox (channel_id, kind, token_id, mark, recipient);
CREATE INDEX outbox_due ON outbox (channel_id, next_us) WHERE state = 'due';
CREATE INDEX outbox_channel ON outbox (channel_id, state, id);
CREATE INDEX service_accounts_ownerless ON service_accounts (org_id, id) WHERE owner = '';
CREATE INDEX tokens_by_end ON tokens (org_id, (CASE WHEN close_us > 0 AND (expires_us = 0 OR close_us < expires_us) THEN close_us WHEN expires_us = 0 THEN 9223372036854775807 ELSE expires_us END), id);
CREATE INDEX tokens_revoked ON tokens (revoked_us) WHERE revoked_us > 0;
CREATE INDEX tokens_networks ON tokens (org_id) WHERE networks <> '';
CREATE INDEX guard_answers_minute ON guard_answers (minute_us);
CREATE INDEX identities_user ON identities (user_id);
CREATE INDEX audit_repeats_entry ON audit_repeats (entry_id);
COMMIT;
