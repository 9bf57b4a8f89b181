-- token days At7Lq8Nz6syDRDkSiwQX0JO6qDh8zFmK f6945da9
-- token deleted xY7zC1XQKs65B5HxPC5FHzaAjvPs7ymt a927eeae
-- token disabled SS8bvMkWOwT7Wa3N87tdojNIGWHThIE1 b2d69f46
-- token live MRJyLiN1upHHewWuBJgdwzUNGwgCaFtD a701acfa
-- token narrow BwKuW0lpLSHSuj7p2ObrtudwzHXoBfSp 5120b2af
-- token rotated TcTzVddXlh0DLH2pBOSlrtp0mjtA128b fc9148cf
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
, ended TEXT NOT NULL DEFAULT '' CHECK (ended IN ('', 'revoked', 'rotated', 'stale')), chain_id BIGINT NOT NULL DEFAULT 0, generation BIGINT NOT NULL DEFAULT 1, predecessor_id BIGINT NOT NULL DEFAULT 0, successor_id BIGINT NOT NULL DEFAULT 0, rotated_us BIGINT NOT NULL DEFAULT 0, close_us BIGINT NOT NULL DEFAULT 0, quiet_us BIGINT NOT NULL DEFAULT 0, rotation_key TEXT NOT NULL DEFAULT '', paused_us BIGINT NOT NULL DEFAULT 0, paused_until_us BIGINT NOT NULL DEFAULT 0, pause_reason TEXT NOT NULL DEFAULT '', read_only BOOLEAN NOT NULL DEFAULT FALSE, max_role TEXT NOT NULL DEFAULT '', ceiling TEXT NOT NULL DEFAULT '', networks TEXT NOT NULL DEFAULT '', rate_n BIGINT NOT NULL DEFAULT 0, rate_s BIGINT NOT NULL DEFAULT 0, rate_burst BIGINT NOT NULL DEFAULT 0, self_rotate BOOLEAN NOT NULL DEFAULT FALSE, renew_until_us BIGINT NOT NULL DEFAULT 0, owner TEXT NOT NULL DEFAULT '', purpose TEXT NOT NULL DEFAULT '');
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
    joined_us    BIGINT  NOT NULL,
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
);
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (4,3,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (5,4,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (6,6,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (7,7,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (8,8,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (9,9,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (10,10,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (11,11,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (12,12,1,'2026-11-27 12:44:14');
INSERT INTO "goose_db_version" VALUES (13,13,1,'2026-11-27 12:44:14');
INSERT INTO "state" VALUES (1,'drv160apwcezx2',6,X'0F95F3DA6E1FF9965EC489665B4EA058F6201018030DCBC171EE1A07A56CD884');
INSERT INTO "changes" VALUES (1,'token',3,X'39661CFF7BEE3CAF6DEBBEE8BDAC671A24FBA0F66289286BC1DF10013F37E95B',X'834834EAEF4A88D3B6648657462E8C069FBC2D56D2695C43DBE886EC84AFD45F');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'01325346B570BD3A6EBC2CC0E7E29EEE3690B8032134A32CE1A58566148779B0');
INSERT INTO "changes" VALUES (3,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'A360CEA1C12BC42702945A5FEE5583A636509C463B31BEE6AF38DC339A9A1FB8');
INSERT INTO "changes" VALUES (4,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'D911BDA1A086A5080796E7799095405E82A4B4C14ADEFDDF3E99A0929EAB8762');
INSERT INTO "changes" VALUES (5,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'3C00497714A2BCB3FCE302DEFE5576229721675B7B3B365D084ED7B9C688F4B2');
INSERT INTO "changes" VALUES (6,'guard',1,X'0000000000000000000000000000000000000000000000000000000000000000',X'0F95F3DA6E1FF9965EC489665B4EA058F6201018030DCBC171EE1A07A56CD884');
INSERT INTO "counters" VALUES ('org',2);
INSERT INTO "counters" VALUES ('principal',5);
INSERT INTO "counters" VALUES ('token',6);
INSERT INTO "counters" VALUES ('session',0);
INSERT INTO "counters" VALUES ('audit',25);
INSERT INTO "counters" VALUES ('team',1);
INSERT INTO "counters" VALUES ('role',1);
INSERT INTO "counters" VALUES ('folder',1);
INSERT INTO "counters" VALUES ('dashboard',1);
INSERT INTO "counters" VALUES ('grant',7);
INSERT INTO "counters" VALUES ('guard',1);
INSERT INTO "counters" VALUES ('channel',1);
INSERT INTO "counters" VALUES ('notice',0);
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783454672544,1795783454672544,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783455024305,1795783455024305,0);
INSERT INTO "users" VALUES (1,'hviy3gbenpg0ss','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$+D1cQMgbl8fxMyrn/ltJ2Q$lPTmgqwfUdpiQ7WqLyqBKabATLqpn5WLvlp9/5qZY1w',1,0,1,1795783454672544,1795783454672544,0);
INSERT INTO "users" VALUES (5,'h4noxarckoqrs8','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$vGi0fIHSGYk+adx/18xMgQ$gPRRtzp1xAvKDg8iE3acKYo8PqWEHJ827bpyydKQzW8',0,0,1,1795783454993906,1795783454993906,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783454672544);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783454993906);
INSERT INTO "members" VALUES (2,1,'Admin',1795783455024305);
INSERT INTO "service_accounts" VALUES (2,'j8f6jh1r4s6hw5',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783454773560,1795783454773560,'','','');
INSERT INTO "service_accounts" VALUES (3,'b8z2aob89k4sme',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783454885191,1795783454905778,'','','');
INSERT INTO "service_accounts" VALUES (4,'o9y6lif5e2bw9u',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783454910773,1795783454910773,'','','');
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'445D90B55C58E6EAEB1DCD14516CC436DA1F80DDDBA316615B74B47D77E2B9CA','acfa',1795783454854832,'admin',0,0,1795783455046199,'127.0.0.1','Go-http-client/1.1','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'E7A08D0945E673FB546BC55C7323780F523E1C33EBC1A14D735A0D1A674ECEDB','5da9',1795783454861247,'admin',2659783454861247,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'3A76C32677023AAF15B1A5AA9A10C82396393D94E7489784F1043F8AF885FF08','48cf',1795783454871272,'admin',0,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'67F721F077D62348DD5A4D653F9A0429BBB2CE0B1A9053431494D8D4C8119F22','9f46',1795783454901517,'admin',0,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'3F497693DA084BD750473E93E4F08D85966DC34F937737A5DBCD94992E4B63A7','b2af',1795783454915465,'admin',0,0,1795783455048332,'127.0.0.1','Go-http-client/1.1','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "audit" VALUES (1,1795783454673820,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783454773066,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783454779959,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783454855834,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783454861764,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783454865119,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783454867672,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783454872575,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783454887289,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783454902590,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783454906861,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783454912674,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783454915935,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783454919190,1,1,1,'admin',0,'role.create','role:eos660vwot1ygq','ok','name team reader','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783454924054,1,1,1,'admin',0,'role.assign','role:eos660vwot1ygq','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (16,1795783454928977,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (17,1795783454997911,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (18,1795783455010157,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (19,1795783455025471,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (20,1795783455031319,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (21,1795783455036261,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (22,1795783455040856,1,1,1,'admin',0,'guard.create','guard:prom','ok','org "1"; upstream "http://127.0.0.1:9090"; preset "prometheus"; managed by "api"','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (23,1795783455044901,1,1,1,'admin',0,'channel.create','channel:1','ok','name pager, webhook to pager.example.com, disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (24,1795783455049350,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (25,1795783455050918,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "teams" VALUES (1,'f7gjgony7e3qx9',1,'Ops','ops','',1795783454927505,1795783454927505);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783454927505);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783455010082);
INSERT INTO "roles" VALUES (1,1,'eos660vwot1ygq','team reader','team reader','','','',0,1,1795783454917872,1795783454917872);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'eos660vwot1ygq',1795783454923914);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783454773560);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783454885191);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783454910773);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783455030510);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783455030651);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783455030730);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783455036030);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783455030267,1795783455030267);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783455035797,1795783455035797);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783455035797);
INSERT INTO "known_places" VALUES (1,'@127.0.0.1',1798375454714480);
INSERT INTO "jobs" VALUES ('keys of names','',0,0,'1 15.0.0 15.0.0');
INSERT INTO "guards" VALUES (1,1,'prom','http://127.0.0.1:9090','[]','prometheus','[]',0,0,'api','',1,'',1795783455040608,1795783455040608,'',0);
INSERT INTO "channels" VALUES (1,1,'pager','pager','webhook','https://pager.example.com/hallpass','v1a','[]','["token.expired"]',1,'',1795783455044796,1795783455044797,0,0,'',0);
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
CREATE INDEX tokens_by_end ON tokens (org_id, (CASE expires_us WHEN 0 THEN 9223372036854775807 ELSE expires_us END), id);
CREATE INDEX tokens_by_four ON tokens (org_id, last_four, id);
CREATE INDEX tokens_paused ON tokens (org_id, id) WHERE paused_us > 0;
CREATE UNIQUE INDEX channels_name ON channels (org_id, name_key);
CREATE UNIQUE INDEX outbox_once ON outbox (channel_id, kind, token_id, mark, recipient);
CREATE INDEX outbox_due ON outbox (channel_id, next_us) WHERE state = 'due';
CREATE INDEX outbox_channel ON outbox (channel_id, state, id);
COMMIT;
