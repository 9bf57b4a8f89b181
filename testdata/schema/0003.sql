-- token days nPaJzhzmA8BWzZUda0zHtzM5ZiBti1T7 b609d5ae
-- token deleted BkodSdZiIM8YLw0KeMFCtMPNu9yVyJOi f39e4148
-- token disabled xuY4UhghlbBUTtYNVKSsNQFCbNvQNNYd 15d4e1cb
-- token live vmVv9UkN4KM1fKMEvMwN9zkUjyuddyEt 84ae9102
-- token narrow 2JNGAqg3myehVGoutldPmbRwyV55oP92 77fb47fb
-- token rotated uViJSuujnA4N8QH7szYV9RaAaS9xcsiZ 92a34d78
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:42:24');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:42:24');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:42:24');
INSERT INTO "goose_db_version" VALUES (4,3,1,'2026-11-27 12:42:24');
INSERT INTO "state" VALUES (1,'ccx827dew7hdry',5,X'F46AEE9F06B5F9FDD8E7D90FE35A6865EEDC92E87EB6943B9ADE2989B16A1C42');
INSERT INTO "changes" VALUES (1,'token',3,X'B1E380F8501301F5F904AC771B49652FFEBE3B4626ADFEC42F95552123338EC7',X'FCE62EEB0F3D22AFB4FEA5F981F0C5615B988D14EB076AA96A96B218514C8EB4');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'DC2AFD3FC30078ECAA8B95BDF132A1209B267284264E80E444A43473FEB4DDC1');
INSERT INTO "changes" VALUES (3,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'9B0828C079932B97EAFF6BD7ED17A45754B392EB612BF16C5CF38700407A7886');
INSERT INTO "changes" VALUES (4,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'C3E654B8C2260DCFDC611F77E66FCFA0FEB34B04110D53AC4808701A289BFD6B');
INSERT INTO "changes" VALUES (5,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'F46AEE9F06B5F9FDD8E7D90FE35A6865EEDC92E87EB6943B9ADE2989B16A1C42');
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
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783344851886,1795783344851886,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783345444611,1795783345444611,0);
INSERT INTO "users" VALUES (1,'f1wpke7s4raf9l','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$/Rx6fK41htyJLD1fU8DSRw$b298sxlPswfY8+NQgwjRAuyHz5QvePJ/rjuKuFfdOas',1,0,1,1795783344851886,1795783344851886,0);
INSERT INTO "users" VALUES (5,'wevbofu7ksu238','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$5AWddYhbkEEIp2Pv5qGLzQ$U9aNXuch0lPyKvmpP+l3duzie+64dI1tEDMXtzRqvCM',0,0,1,1795783345408334,1795783345408334,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783344851886);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783345408334);
INSERT INTO "members" VALUES (2,1,'Admin',1795783345444611);
INSERT INTO "service_accounts" VALUES (2,'xtly4x289tx8u8',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783345170261,1795783345170261);
INSERT INTO "service_accounts" VALUES (3,'kjfgv7vmnasv5d',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783345231054,1795783345238188);
INSERT INTO "service_accounts" VALUES (4,'khoztkr8akkm8w',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783345248441,1795783345248441);
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'DF00F6BED8F701E024AA4D368D1277C3E97C51F0EF2241CCE4ACEF0DCE136748','9102',1795783345191194,'admin',0,0,1795783345459173,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'5725DAC9E822BD1D5F45B69A4187E126EEE9597B13C094584584A8219AEF804C','d5ae',1795783345201175,'admin',2659783345201175,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'12825077AF6B152D748869227FFA2F98C2A6E1FEE48D8057CC5A8AA28D5CD121','4d78',1795783345219724,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'57398048F81B14EB9B0AAD192F21C065A1385A4ADB874F2DA2C8BC03483F8E73','e1cb',1795783345234494,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'872DE8DA9B143DA6B453CA4027610C319B58F20EF370BE30C830F7F16CDD105C','47fb',1795783345255100,'admin',0,0,1795783345461245,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "audit" VALUES (1,1795783344853245,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783345147821,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783345171800,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783345191653,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783345201619,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783345208669,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783345216476,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783345220153,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783345231997,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783345234920,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783345238540,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783345249390,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783345255863,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783345258955,1,1,1,'admin',0,'role.create','role:ynb9olvxnw85c4','ok','name team reader','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783345263081,1,1,1,'admin',0,'role.assign','role:ynb9olvxnw85c4','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (16,1795783345265658,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (17,1795783345421495,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (18,1795783345435725,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (19,1795783345446563,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (20,1795783345451747,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (21,1795783345456961,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (22,1795783345462631,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (23,1795783345464333,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "teams" VALUES (1,'g9kr29bq32afz3',1,'Ops','ops','',1795783345265018,1795783345265018);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783345265018);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783345435875);
INSERT INTO "roles" VALUES (1,1,'ynb9olvxnw85c4','team reader','team reader','','','',0,1,1795783345258036,1795783345258036);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'ynb9olvxnw85c4',1795783345263012);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783345170261);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783345231054);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783345248441);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783345451131);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783345451235);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783345451317);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783345456852);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783345449637,1795783345449637);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783345456630,1795783345456630);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783345456630);
CREATE INDEX members_user ON members (user_id);
CREATE INDEX service_accounts_page ON service_accounts (org_id, login_key, name_key, disabled);
CREATE UNIQUE INDEX tokens_name ON tokens (org_id, name_key) WHERE name_key <> '';
CREATE INDEX tokens_expiry ON tokens (org_id, expires_us, service_account_id) WHERE expires_us > 0;
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX audit_org ON audit (org_id, id);
CREATE INDEX audit_actor ON audit (actor_login, id);
CREATE INDEX team_members_principal ON team_members (principal_id, org_id);
CREATE INDEX role_assignments_role ON role_assignments (role_org, role_uid, org_id);
CREATE INDEX grants_grantee ON grants (org_id, kind, grantee_id, resource);
CREATE INDEX folders_parent ON folders (org_id, parent_uid, title_key);
CREATE INDEX dashboards_folder ON dashboards (org_id, folder_uid, title_key);
CREATE INDEX tokens_account ON tokens (service_account_id, expires_us, revoked_us);
CREATE INDEX tokens_soonest ON tokens (expires_us) WHERE expires_us > 0;
COMMIT;
