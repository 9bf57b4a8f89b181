-- token days rCUwy2OLNS5nHJalhXeSfX7tIVWYSfWF b5164ab4
-- token deleted vxTZnhSzul7p8BKGJULAsYP2qs8jt28G fb240f4f
-- token disabled fjevx8zhNqaIoXOghXpsoNuLwZQPEK6k e795f4df
-- token live PbHjdadbuSXEthclvtyEnACXGxhCnxiv 39ebde96
-- token narrow r3yvsq9u3T3k2NzLxdHd6eYEfi9pQRFj 3414370f
-- token rotated vlHvm7lKQzgTLTq5gfrHoYl1X2XB1hFc 1c27e49f
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:42:40');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:42:40');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:42:40');
INSERT INTO "goose_db_version" VALUES (4,3,1,'2026-11-27 12:42:40');
INSERT INTO "goose_db_version" VALUES (5,4,1,'2026-11-27 12:42:40');
INSERT INTO "goose_db_version" VALUES (6,6,1,'2026-11-27 12:42:40');
INSERT INTO "state" VALUES (1,'i3q0cgejyuzrhy',5,X'71DD0AFB6165573BCF8618C044D498B10F8CB250DD9104BBA1EB372A2346126D');
INSERT INTO "changes" VALUES (1,'token',3,X'96A53380BAC2CA68A263E074D5CDBF217BF81E01E51C9D2AB85A731A25BAC852',X'AB6AFEAF854AFCCAD34B08DED5287D82EED58CD2919D0E7CE88481FFA735533D');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'7191BE3596AA55A755E6832CF05CFAE40B06774EF3FE88D8253F0B41013F26CE');
INSERT INTO "changes" VALUES (3,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'2E01B0AA616C4258C5E66C953FFB221BAFD79B95E687A6158E4630C08111A05C');
INSERT INTO "changes" VALUES (4,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'721FADAFA9E612D65612612C5A203D22A4E11B99E473B9A3BBA4D9802D5B555E');
INSERT INTO "changes" VALUES (5,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'71DD0AFB6165573BCF8618C044D498B10F8CB250DD9104BBA1EB372A2346126D');
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
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783360106315,1795783360106315,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783360907577,1795783360907577,0);
INSERT INTO "users" VALUES (1,'burukongl5ake3','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$lZNfsw8mHqMDQV26Lau/gA$Xf/WjAipSkAltpjGen/nLR0MeiwTmboBCmrMSHxMwZc',1,0,1,1795783360106315,1795783360106315,0);
INSERT INTO "users" VALUES (5,'gxlbol5sm769ej','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$V8yfuyD2dk0xLn86d3L21Q$flAdXprb5NyYpO22YtORjLH5W91RBhfcbsCFedqAcmc',0,0,1,1795783360871271,1795783360871271,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783360106315);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783360871271);
INSERT INTO "members" VALUES (2,1,'Admin',1795783360907577);
INSERT INTO "service_accounts" VALUES (2,'a1hyxpl69og2uv',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783360217075,1795783360217075);
INSERT INTO "service_accounts" VALUES (3,'pxu0fn026xnmvr',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783360414058,1795783360511684);
INSERT INTO "service_accounts" VALUES (4,'h6tkioiqfqu3h3',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783360547750,1795783360547750);
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'BC9831E685AF1A8654C555AB6D5D12C3D310971DB4F270220292655067251C74','de96',1795783360276273,'admin',0,0,1795783360955091,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'033768F0A00989C474577729B569189E58F9331C00DAA35C31A4B74841AD186F','4ab4',1795783360335643,'admin',2659783360335643,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'01868E6C3116D7C0BE2A36AE035650DD87ADC218C01C61BE2C4B6AA051E1BDC7','e49f',1795783360406638,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'39D70A301A0994FD432D1967CD0570D8EE1870448624D94B11EBD01E143053F1','f4df',1795783360456569,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'E0DDEF3DFDBB8DC0F5990ACB4FF2BDDFE4A2018F842E089662EE3FE8E29D08AA','370f',1795783360581960,'admin',0,0,1795783360967212,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "audit" VALUES (1,1795783360108400,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783360219940,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783360216888,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783360277577,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783360336133,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783360379628,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783360390711,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783360407431,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783360415164,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783360457030,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783360519132,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783360549119,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783360582669,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783360591418,1,1,1,'admin',0,'role.create','role:cod4djerq8pc5i','ok','name team reader','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783360644977,1,1,1,'admin',0,'role.assign','role:cod4djerq8pc5i','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (16,1795783360692281,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (17,1795783360873960,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (18,1795783360898112,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (19,1795783360909124,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (20,1795783360921648,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (21,1795783360938337,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (22,1795783360974216,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (23,1795783361019043,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "teams" VALUES (1,'jwmod6k9ykmb1y',1,'Ops','ops','',1795783360691163,1795783360691163);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783360691163);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783360898068);
INSERT INTO "roles" VALUES (1,1,'cod4djerq8pc5i','team reader','team reader','','','',0,1,1795783360590622,1795783360590622);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'cod4djerq8pc5i',1795783360644942);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783360217075);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783360414058);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783360547750);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783360921296);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783360921361);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783360921407);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783360938223);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783360920472,1795783360920472);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783360938048,1795783360938048);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783360938048);
INSERT INTO "known_places" VALUES (1,'@127.0.0.1',1798375360161085);
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
COMMIT;
