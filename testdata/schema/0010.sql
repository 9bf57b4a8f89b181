-- token days NLEbQxT7thZeV1vo7UWAOVQfZF1d7NdO a86fde65
-- token deleted PdcTmrJE3zmvNLoU8gPZTEnp8Qwm8YLe 54e9baa2
-- token disabled OSGxPpsBViR6KXmmIrKnSc6zLndrZlhb 8b4dfefc
-- token live qFow4Lsw1gz7ubqFFShTjAo2ZWwuPWEp 2d558e4d
-- token narrow u9cTgI8r1m3NTzcnYTS975IgPHPwJoMA eec439c0
-- token rotated W3zVHhn7srNtORrOgHoZJUFkw3NXFSFS 20f41e55
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
);
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:43:45');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:43:45');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:43:45');
INSERT INTO "goose_db_version" VALUES (4,3,1,'2026-11-27 12:43:45');
INSERT INTO "goose_db_version" VALUES (5,4,1,'2026-11-27 12:43:45');
INSERT INTO "goose_db_version" VALUES (6,6,1,'2026-11-27 12:43:45');
INSERT INTO "goose_db_version" VALUES (7,7,1,'2026-11-27 12:43:46');
INSERT INTO "goose_db_version" VALUES (8,8,1,'2026-11-27 12:43:46');
INSERT INTO "goose_db_version" VALUES (9,9,1,'2026-11-27 12:43:46');
INSERT INTO "goose_db_version" VALUES (10,10,1,'2026-11-27 12:43:46');
INSERT INTO "state" VALUES (1,'nb6px2pi5xapzp',6,X'62B9B19308B73881D1BFEF36D32C38C80558B73D0B596D264DA64DFEB0BAC235');
INSERT INTO "changes" VALUES (1,'token',3,X'D93C89517B40177D38635A090410A8CE54777537EFBD44B0A503B503B6DDA342',X'BACC0D6D1A257C8B4A0015490481F28616B18C3755979D8FBE56C9970D9A07DD');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'C90FF567889C79111327C0A703C6EA5C7BB821B1E2D8BA4229E51DF14129BE4C');
INSERT INTO "changes" VALUES (3,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'32CD24D44AE851A9A6A55370E363F8099C15074176DFE12572867A281CBEE53C');
INSERT INTO "changes" VALUES (4,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'1BF20068ED1837A09CEE0D867AC1AEDB3AD56D56E1450640790627F2F0710EA8');
INSERT INTO "changes" VALUES (5,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'F8858F23AC16056E42F6D747A9CE5A296F9190725D37D3CA168785D8D8025BA8');
INSERT INTO "changes" VALUES (6,'guard',1,X'0000000000000000000000000000000000000000000000000000000000000000',X'62B9B19308B73881D1BFEF36D32C38C80558B73D0B596D264DA64DFEB0BAC235');
INSERT INTO "counters" VALUES ('org',2);
INSERT INTO "counters" VALUES ('principal',5);
INSERT INTO "counters" VALUES ('token',6);
INSERT INTO "counters" VALUES ('session',0);
INSERT INTO "counters" VALUES ('audit',24);
INSERT INTO "counters" VALUES ('team',1);
INSERT INTO "counters" VALUES ('role',1);
INSERT INTO "counters" VALUES ('folder',1);
INSERT INTO "counters" VALUES ('dashboard',1);
INSERT INTO "counters" VALUES ('grant',7);
INSERT INTO "counters" VALUES ('guard',1);
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783426177354,1795783426177354,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783426906316,1795783426906316,0);
INSERT INTO "users" VALUES (1,'tfweaak9woh1r7','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$NQo2E+/bMFm9HATDK2t8NA$CEsi/2gGcVz7vA7nIS0S7Mfzr/mOrX3K/lE5FlRcn5s',1,0,1,1795783426177354,1795783426177354,0);
INSERT INTO "users" VALUES (5,'rizkiezb9anas3','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$MiMesHUKTw6pTTxQKNXZTA$NNCGLEWigKtcWYAEToHzhDjF0RXF7A2Y5UubKjnfI7M',0,0,1,1795783426829894,1795783426829894,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783426177354);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783426829894);
INSERT INTO "members" VALUES (2,1,'Admin',1795783426906316);
INSERT INTO "service_accounts" VALUES (2,'mj85ffpwun43b2',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783426349439,1795783426349439);
INSERT INTO "service_accounts" VALUES (3,'w6jos7atua7atg',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783426443296,1795783426491234);
INSERT INTO "service_accounts" VALUES (4,'q4pgla60izr0ep',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783426517904,1795783426517904);
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'ADBDC89A9557C03628AA973337852F2BB298A2460B61E117D97F054A3B3EAEB7','8e4d',1795783426371088,'admin',0,0,1795783426985633,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'B0F33069DC81DF592575EFFDADC7C5AE84D36917DBF08DA2AAE54CAC50B1C581','de65',1795783426389440,'admin',2659783426389440,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'3C70FEFDD34D08A096A83A891B8FF98D5B548C8DF1C633682258F8DB9A0CDC81','1e55',1795783426432335,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'3B2D3C30B8EF042A9384A0D35FAC9D11FB3FB0EC817B308AFF9A9AD0175DFC8A','fefc',1795783426470245,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'69D63225AD63C5B053DA8AAE9505282A5FA25D6A92D97EB333C39B568946B978','39c0',1795783426595938,'admin',0,0,1795783426994723,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "audit" VALUES (1,1795783426178798,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783426348015,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783426356052,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783426371556,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783426390174,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783426409363,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783426419432,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783426432777,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783426444562,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783426470744,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783426492318,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783426521527,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783426596730,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783426605374,1,1,1,'admin',0,'role.create','role:dvkwxwm70cm6hz','ok','name team reader','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783426609604,1,1,1,'admin',0,'role.assign','role:dvkwxwm70cm6hz','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (16,1795783426614620,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (17,1795783426845723,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (18,1795783426868725,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (19,1795783426908442,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (20,1795783426928941,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (21,1795783426958566,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (22,1795783426972788,1,1,1,'admin',0,'guard.create','guard:prom','ok','org "1"; upstream "http://127.0.0.1:9090"; preset "prometheus"; managed by "api"','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (23,1795783426995866,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (24,1795783426997597,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "teams" VALUES (1,'xqfhaquxgjd0fg',1,'Ops','ops','',1795783426613111,1795783426613111);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783426613111);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783426868691);
INSERT INTO "roles" VALUES (1,1,'dvkwxwm70cm6hz','team reader','team reader','','','',0,1,1795783426603345,1795783426603346);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'dvkwxwm70cm6hz',1795783426609557);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783426349439);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783426443296);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783426517904);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783426928073);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783426928247);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783426928399);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783426958457);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783426927738,1795783426927738);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783426958246,1795783426958246);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783426958246);
INSERT INTO "known_places" VALUES (1,'@127.0.0.1',1798375426268154);
INSERT INTO "jobs" VALUES ('keys of names','',0,0,'1 15.0.0 15.0.0');
INSERT INTO "guards" VALUES (1,1,'prom','http://127.0.0.1:9090','[]','prometheus','[]',0,0,'api','',1,'',1795783426972670,1795783426972671,'',0);
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
COMMIT;
