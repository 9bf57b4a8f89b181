-- token days tmPsGTOoQRaVF0fEQUVm4rVx9OvbuOdQ 77b3d657
-- token deleted HbJpFyN89YKQxVDgnrncPk4J5NEiXXs3 a8b73ee3
-- token disabled bl6kGXFsEvv0x8RwJ6L6SqSW0jseNyTb b1567d35
-- token live pkBbx95KI1r1MWGk19AoiCatofKyHKWT 454bcde5
-- token narrow HHW9KLktpaUGMUCIn7fLdFFWLzstaIjY 6842fd84
-- token rotated CYGbnLvBChroXtgbj9ryVsdejbdtlkWZ d503e856
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (3,2,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (4,3,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (5,4,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (6,6,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (7,7,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (8,8,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (9,9,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (10,10,1,'2026-11-27 12:44:02');
INSERT INTO "goose_db_version" VALUES (11,11,1,'2026-11-27 12:44:02');
INSERT INTO "state" VALUES (1,'n0i4xnkjwynj54',6,X'4BC714477BBF7E9C321FA8DA273A1F2A0F0F2D1255A8C2BE77D14E7637874B4F');
INSERT INTO "changes" VALUES (1,'token',3,X'94FEA91CB4B71449EC1B6D111F025D37CA2450FD92EE3AA72A578EF33F7A6047',X'06A888FF2DD0AA263ED5730DEB50D60F69A91F9C25BFFE101AB50796C5956D8F');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'ED9483806E608DBE673F805BC18BBB02A68D4276148E1352BCBDED4CE81F78EF');
INSERT INTO "changes" VALUES (3,'serviceaccount',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'A76CEE569ADC69A3A318E0002146FB58AB6944DF29EC61246E34608F314C403D');
INSERT INTO "changes" VALUES (4,'user',4,X'0000000000000000000000000000000000000000000000000000000000000000',X'E950BEDAED521D568038B14D1937E23B953B1C5A81139CFCB17728466C111DAC');
INSERT INTO "changes" VALUES (5,'user',5,X'0000000000000000000000000000000000000000000000000000000000000000',X'B8D220A8A3B0B37D652EB118C281132A5B8F9A51208499375590F16FB95819D5');
INSERT INTO "changes" VALUES (6,'guard',1,X'0000000000000000000000000000000000000000000000000000000000000000',X'4BC714477BBF7E9C321FA8DA273A1F2A0F0F2D1255A8C2BE77D14E7637874B4F');
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
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783443092258,1795783443092258,3);
INSERT INTO "orgs" VALUES (2,'Second','second','','','','','','',1795783443730067,1795783443730067,0);
INSERT INTO "users" VALUES (1,'eggrmrq4e93uui','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$Crk+SZIWKSSUgbQpQp5/ZA$Sm7dX+FdduxHBzzRnYmuYQJ1cf1sSWGmiGtA/VcJluI',1,0,1,1795783443092258,1795783443092258,0);
INSERT INTO "users" VALUES (5,'qcj0vs2lt20244','ada','ada','ada@example.com','ada@example.com','Ada','ada','$argon2id$v=19$m=19456,t=2,p=1$9d+OVj482RmR+5niLjJ9Vg$PbKVrte/bsV3OgSsrXmNOM+Olz2ylVlAX/zRqlxXnTs',0,0,1,1795783443670087,1795783443670087,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783443092258);
INSERT INTO "members" VALUES (1,5,'Viewer',1795783443670087);
INSERT INTO "members" VALUES (2,1,'Admin',1795783443730067);
INSERT INTO "service_accounts" VALUES (2,'lmt45qnwbl0yso',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783443295221,1795783443295221,'','','');
INSERT INTO "service_accounts" VALUES (3,'mzx8jkhio24t7e',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783443378955,1795783443429299,'','','');
INSERT INTO "service_accounts" VALUES (4,'pt1o5fan576m2v',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783443447182,1795783443447182,'','','');
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'A0F5681CD849042E0FB89CCB15907249770FE3682626A22BD66D59AA9D764F7C','cde5',1795783443331030,'admin',0,0,1795783443755771,'127.0.0.1','Go-http-client/1.1','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'CB84A20FDB05D4BEF6A7893C83BFBE21EAD3663A8DDAD355CF6EC307B9657D1D','d657',1795783443353679,'admin',2659783443353679,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'D987D0CF7BF052C805984004165963CD9F5F146CE91F5210FF04EDC670653291','e856',1795783443374812,'admin',0,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'6A7C5F2B4226C4CCBC2354A689CF5FD73E1F6E0ABE6EAF3FB171742E73F13E18','7d35',1795783443416264,'admin',0,0,0,'','','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'6D91160F021E65CC3B73E14811B32B1670239695CEFF2A875D9F68770C17D774','fd84',1795783443472129,'admin',0,0,1795783443761975,'127.0.0.1','Go-http-client/1.1','',0,1,0,0,0,0,0,'',0,0,'',0,'','','',0,0,0,0,0,'','');
INSERT INTO "audit" VALUES (1,1795783443093303,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783443294723,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783443320198,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783443334455,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783443354874,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783443365078,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783443369976,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783443375929,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783443380125,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783443417421,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783443430576,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783443448541,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783443475525,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783443484964,1,1,1,'admin',0,'role.create','role:wgreuv8hvfh1nc','ok','name team reader','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783443494632,1,1,1,'admin',0,'role.assign','role:wgreuv8hvfh1nc','ok','to principal:4','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (16,1795783443505427,1,1,1,'admin',0,'team.create','team:1','ok','name Ops','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (17,1795783443679765,1,1,1,'admin',0,'user.create','user:5','ok','login ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (18,1795783443715400,1,1,1,'admin',0,'team.member.set','team:1','ok','Member ada','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (19,1795783443732293,2,1,1,'admin',0,'org.create','org:2','ok','name Second','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (20,1795783443741815,1,1,1,'admin',0,'folder.create','folder:plants','ok','title Plants','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (21,1795783443748503,1,1,1,'admin',0,'dashboard.create','dashboard:north','ok','title North','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (22,1795783443753513,1,1,1,'admin',0,'guard.create','guard:prom','ok','org "1"; upstream "http://127.0.0.1:9090"; preset "prometheus"; managed by "api"','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (23,1795783443763175,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (24,1795783443766331,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "teams" VALUES (1,'b0fac8yn888pfp',1,'Ops','ops','',1795783443504248,1795783443504248);
INSERT INTO "team_members" VALUES (1,1,1,1,1795783443504248);
INSERT INTO "team_members" VALUES (1,5,1,0,1795783443715356);
INSERT INTO "roles" VALUES (1,1,'wgreuv8hvfh1nc','team reader','team reader','','','',0,1,1795783443484008,1795783443484009);
INSERT INTO "role_permissions" VALUES (1,'teams:read','teams:*');
INSERT INTO "role_assignments" VALUES (1,'principal',4,1,'wgreuv8hvfh1nc',1795783443494558);
INSERT INTO "grants" VALUES (1,1,'serviceaccounts','2','principal',1,'Admin',1795783443295221);
INSERT INTO "grants" VALUES (2,1,'serviceaccounts','3','principal',1,'Admin',1795783443378955);
INSERT INTO "grants" VALUES (3,1,'serviceaccounts','4','principal',1,'Admin',1795783443447182);
INSERT INTO "grants" VALUES (4,1,'folders','plants','principal',1,'Admin',1795783443741057);
INSERT INTO "grants" VALUES (5,1,'folders','plants','basic',2,'Edit',1795783443741170);
INSERT INTO "grants" VALUES (6,1,'folders','plants','basic',1,'View',1795783443741299);
INSERT INTO "grants" VALUES (7,1,'dashboards','north','principal',1,'Admin',1795783443748237);
INSERT INTO "folders" VALUES (1,'plants',1,'','Plants','plants','',1,'admin','admin',1795783443740728,1795783443740728);
INSERT INTO "dashboards" VALUES (1,'north',1,'plants','North','north','[]',1,X'7B227469746C65223A224E6F727468227D','admin','admin',1795783443747957,1795783443747957);
INSERT INTO "dashboard_versions" VALUES (1,1,0,0,'',X'7B227469746C65223A224E6F727468227D','admin',1795783443747957);
INSERT INTO "known_places" VALUES (1,'@127.0.0.1',1798375443130231);
INSERT INTO "jobs" VALUES ('keys of names','',0,0,'1 15.0.0 15.0.0');
INSERT INTO "guards" VALUES (1,1,'prom','http://127.0.0.1:9090','[]','prometheus','[]',0,0,'api','',1,'',1795783443753214,1795783443753215,'',0);
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
COMMIT;
