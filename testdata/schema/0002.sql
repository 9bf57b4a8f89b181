-- token days 7bsRnfPobq6ddymeQlmV5uneYfJUFi1Q 1c405f5c
-- token deleted xjRPU82uAd7X5TQTGt5u10Kw0ZS3M9Ol e58bf0df
-- token disabled tIUTNLcqRp4chf4HHrVgVvNpvcakx9i6 31a6bcb6
-- token live AFUQ8i4SN7CmsbI4G5wUDTI2AR1QfBkl 188caef3
-- token narrow UVt76MlzufxpBmbS02bG2hERGD0fwTN1 651f8f84
-- token rotated v82t47SjA3sB2HTX7fAMYbKCjJ6IcfzO 03c2aa2f
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:42:13');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:42:13');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:42:13');
INSERT INTO "state" VALUES (1,'ka0ut41j07fie3',5,X'123FC2575F7E335D33B55FCE4FCB5593D5C86C2C5FB9A793FAB7C36087C9CF24');
INSERT INTO "changes" VALUES (1,'token',3,X'665C5797AD91B0F2F72DFF0D917886865E1B022E9D65460EEB1BBC39B7D1564D',X'A338390C28283239C35EF560C3FA39945F28274BFEBBC6BE33690EF37C0E038C');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'99F1F81EE450737F17E30C6AE4FD1EF49D4E40982C8FD6DB43A6B36FAD055295');
INSERT INTO "changes" VALUES (3,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'DEC4A9D6E72546F718D27F6E3B1DF3D514D9BA74987EED6D26757A48A70A1A01');
INSERT INTO "changes" VALUES (4,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'8985C4DE81ACADCFF576CB90FE2EB358DECEB7CFA02A50BC47294E76F019691E');
INSERT INTO "changes" VALUES (5,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'123FC2575F7E335D33B55FCE4FCB5593D5C86C2C5FB9A793FAB7C36087C9CF24');
INSERT INTO "counters" VALUES ('org',2);
INSERT INTO "counters" VALUES ('principal',5);
INSERT INTO "counters" VALUES ('token',6);
INSERT INTO "counters" VALUES ('session',0);
INSERT INTO "counters" VALUES ('audit',23);
INSERT INTO "counters" VALUES ('team',1);
INSERT INTO "counters" VALUES ('role',1);
INSERT INTO "counters" VALUES ('folder',1);
INSERT INTO "counters" VALUES ('dashboard',1);
INSERT INTO "counters" VALUES ('grant',7);
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783333932188,1795783333932188,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783334253072,1795783334253072,0);
INSERT INTO "users" VALUES (1,'a0mv0hpq123mw0','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$0rfLY/nFs0HDOvSss23N1g$l5ve4+Mh0WiebDzwTbauxaWOIzhoh54ddvnhaIPQBAs',1,0,1,1795783333932188,1795783333932188,0);
INSERT INTO "users" VALUES (5,'gxgfslqr5vkhjh','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$HkYyeuT6tuzetJNaiyzoBg$eole71VbDAQBKI8k2YO5/N0bcMjU65t1Mo38t3DjpVY',0,0,1,1795783334224615,1795783334224615,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783333932188);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783334224615);
INSERT INTO "members" VALUES (2,1,'Admin',1795783334253072);
INSERT INTO "service_accounts" VALUES (2,'kjgw97vamg9kem',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783334003079,1795783334003079);
INSERT INTO "service_accounts" VALUES (3,'jsswe11tqwbry4',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783334033210,1795783334128970);
INSERT INTO "service_accounts" VALUES (4,'a4vmtehxgocr6j',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783334133614,1795783334133614);
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'983C3E2783BD85CFB8311D746F065FDA441C0EA720820A5856F70F268DDEA409','aef3',1795783334010594,'admin',0,0,1795783334291144,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'79896CB5682E1CA0E63C8963CFFC9601D764956B3CA7C57A76776EDFA18C09F0','5f5c',1795783334015765,'admin',2659783334015765,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'38CE66417305E5D334F4EF33D77FB1EE40F975CD9F13DD8779CCAA1B924096B7','aa2f',1795783334028887,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'2019D3FE7C31A7D3237B0C1189EB1968E9D3198D256B6A09CF7E516DAD105B25','bcb6',1795783334109406,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'953D0F44B663A37D6BC1FB0CB78F070E286C8765005CE375B9948F7672309868','8f84',1795783334139765,'admin',0,0,1795783334296069,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "audit" VALUES (1,1795783333933852,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783334001585,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783334005606,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783334011629,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783334016690,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783334021516,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783334025954,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783334029347,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783334039597,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783334110125,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783334129372,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783334136018,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783334140313,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783334144515,1,1,1,'admin',0,'role.create','role:e4bxqo9sbg1def','ok','name team reader','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783334152040,1,1,1,'admin',0,'role.assign','role:e4bxqo9sbg1def','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (16,1795783334181014,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (17,1795783334228616,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (18,1795783334247239,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (19,1795783334254843,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (20,1795783334265204,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (21,1795783334281388,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (22,1795783334302288,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (23,1795783334308116,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "teams" VALUES (1,'ojnk4tmljetx6m',1,'Ops','ops','',1795783334180198,1795783334180198);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783334180198);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783334247539);
INSERT INTO "roles" VALUES (1,1,'e4bxqo9sbg1def','team reader','team reader','','','',0,1,1795783334143334,1795783334143335);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'e4bxqo9sbg1def',1795783334152004);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783334003079);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783334033210);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783334133614);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783334264841);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783334264910);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783334264958);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783334281236);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783334263709,1795783334263709);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783334280717,1795783334280717);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783334280717);
CREATE INDEX members_user ON members (user_id);
CREATE INDEX service_accounts_page ON service_accounts (org_id, login_key, name_key, disabled);
CREATE UNIQUE INDEX tokens_name ON tokens (org_id, name_key) WHERE name_key <> '';
CREATE INDEX tokens_expiry ON tokens (org_id, expires_us, service_account_id) WHERE expires_us > 0;
CREATE INDEX tokens_account ON tokens (service_account_id, expires_us, revoked_us, used_us);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX audit_org ON audit (org_id, id);
CREATE INDEX audit_actor ON audit (actor_login, id);
CREATE INDEX team_members_principal ON team_members (principal_id, org_id);
CREATE INDEX role_assignments_role ON role_assignments (role_org, role_uid, org_id);
CREATE INDEX grants_grantee ON grants (org_id, kind, grantee_id, resource);
CREATE INDEX folders_parent ON folders (org_id, parent_uid, title_key);
CREATE INDEX dashboards_folder ON dashboards (org_id, folder_uid, title_key);
COMMIT;
