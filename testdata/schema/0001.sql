-- token days 7kfxcVjEp0HMpXF5rST4AQEHZfpQStJJ c08c9ed4
-- token deleted 4ZncVFnYl05weLDB6xVAs9StSqgY8N0P c9a8b84a
-- token disabled A5pAGsBukIOXSSxbyK8Ld4ZbW8HgXOjq 20650f7c
-- token live 6Aq3AX0oPRdc2BL0LjQRaxQh9ABPMNwI 2d4cb291
-- token narrow 6gdxfBIkunV8296LPRZxZxiZILpUz0C6 293f1a36
-- token rotated Zl7TmBTe0FjOIfHH3qYToZadFWey5GFu b93a906c
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
CREATE TABLE permissions (
    org_id       BIGINT NOT NULL REFERENCES orgs (id),
    principal_id BIGINT NOT NULL,
    action       TEXT   NOT NULL,
    scope        TEXT   NOT NULL,
    PRIMARY KEY (org_id, principal_id, action, scope)
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
INSERT INTO "goose_db_version" VALUES (1,0,1,'2026-11-27 12:42:02');
INSERT INTO "goose_db_version" VALUES (2,1,1,'2026-11-27 12:42:02');
INSERT INTO "state" VALUES (1,'eensmsj37ilrf9',2,X'0A8BD41D1C69BC9723D7584A242C7F6903A812A0125B6044A07210174B6AFE08');
INSERT INTO "changes" VALUES (1,'token',3,X'445A01F9A034678A3E5578094477AA57075E738F1A22151048C96E5F0CBCFDA0',X'196707122027F41216CBDB7406572035BC217345596F5EA729BE64822398FF4C');
INSERT INTO "changes" VALUES (2,'serviceaccount',3,X'0000000000000000000000000000000000000000000000000000000000000000',X'0A8BD41D1C69BC9723D7584A242C7F6903A812A0125B6044A07210174B6AFE08');
INSERT INTO "counters" VALUES ('org',1);
INSERT INTO "counters" VALUES ('principal',4);
INSERT INTO "counters" VALUES ('token',6);
INSERT INTO "counters" VALUES ('session',0);
INSERT INTO "counters" VALUES ('audit',15);
INSERT INTO "orgs" VALUES (1,'Main Org.','main org.','','','','','','',1795783322843153,1795783322843153);
INSERT INTO "users" VALUES (1,'krhdwb95wqurbe','admin','admin','admin@localhost','admin@localhost','admin','admin','$argon2id$v=19$m=19456,t=2,p=1$zSqfcMY4m7y/pKfhIllpCA$ZREdGikyPrtC8I7S7G0yCFardPd2tGw+BalILtU9+jg',1,0,1,1795783322843153,1795783322843153,0);
INSERT INTO "members" VALUES (1,1,'Admin',1795783322843153);
INSERT INTO "service_accounts" VALUES (2,'odsml25ewgyydq',1,'deploy','deploy','sa-1-deploy','sa-1-deploy','Editor',0,1795783322928617,1795783322928617);
INSERT INTO "service_accounts" VALUES (3,'gpb5afsbwfjscq',1,'switched off','switched off','sa-1-switched-off','sa-1-switched-off','Viewer',1,1795783322947417,1795783322989495);
INSERT INTO "service_accounts" VALUES (4,'d33uhn1igomx2k',1,'reader of teams','reader of teams','sa-1-reader-of-teams','sa-1-reader-of-teams','None',0,1795783323008341,1795783323008341);
INSERT INTO "tokens" VALUES (1,1,2,'live','live',X'35FCD60FFD59143E5171ECEFFFA6607200EE57E17A23A7E6069CE079FFD98584','b291',1795783322935000,'admin',0,0,1795783323046513,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "tokens" VALUES (2,1,2,'days','days',X'39F4DDFA8E35A09187636A5C03F97E2025FFBD81CBD4DAF673975C55BA406597','9ed4',1795783322938118,'admin',2659783322938118,0,0,'','');
INSERT INTO "tokens" VALUES (4,1,2,'rotated','rotated',X'07184D4E375EA4CB37DCC54C16059DF3609E325F99F1EAAFD14C634D2C90C35C','906c',1795783322945330,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (5,1,3,'disabled','disabled',X'1904927FF55BF92FAF6D532E13574D2F2562B788304DA86109BB6F68493BF48C','0f7c',1795783322966184,'admin',0,0,0,'','');
INSERT INTO "tokens" VALUES (6,1,4,'narrow','narrow',X'2FC9188CC2CD467E87633D59B429F571856689B486EFA5EE162D9F43DA9C0B6A','1a36',1795783323015661,'admin',0,0,1795783323054422,'127.0.0.1','Go-http-client/1.1');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:read','serviceaccounts:id:2');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:write','serviceaccounts:id:2');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:delete','serviceaccounts:id:2');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts.permissions:read','serviceaccounts:id:2');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts.permissions:write','serviceaccounts:id:2');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:read','serviceaccounts:id:3');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:write','serviceaccounts:id:3');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:delete','serviceaccounts:id:3');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts.permissions:read','serviceaccounts:id:3');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts.permissions:write','serviceaccounts:id:3');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:read','serviceaccounts:id:4');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:write','serviceaccounts:id:4');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts:delete','serviceaccounts:id:4');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts.permissions:read','serviceaccounts:id:4');
INSERT INTO "permissions" VALUES (1,1,'serviceaccounts.permissions:write','serviceaccounts:id:4');
INSERT INTO "audit" VALUES (1,1795783322846266,1,0,0,'',0,'installation.begin','user:1','ok','','','',1);
INSERT INTO "audit" VALUES (2,1795783322927224,1,1,1,'admin',0,'password.verify','user:1','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (3,1795783322932016,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:2','ok','role Editor','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (4,1795783322935506,1,1,1,'admin',0,'token.create','token:1','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (5,1795783322938474,1,1,1,'admin',0,'token.create','token:2','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (6,1795783322940856,1,1,1,'admin',0,'token.create','token:3','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (7,1795783322943021,1,1,1,'admin',0,'token.delete','token:3','ok','name deleted','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (8,1795783322945576,1,1,1,'admin',0,'token.create','token:4','ok','for sa-1-deploy','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (9,1795783322962729,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:3','ok','role Viewer','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (10,1795783322966348,1,1,1,'admin',0,'token.create','token:5','ok','for sa-1-switched-off','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (11,1795783322989852,1,1,1,'admin',0,'serviceaccount.disable','serviceaccount:3','ok','','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (12,1795783323008752,1,1,1,'admin',0,'serviceaccount.create','serviceaccount:4','ok','role None','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (13,1795783323015829,1,1,1,'admin',0,'token.create','token:6','ok','for sa-1-reader-of-teams','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (14,1795783323078305,1,2,4,'sa-1-reader-of-teams',6,'orgs:read','','refused','lacks orgs:read','127.0.0.1','Go-http-client/1.1',1);
INSERT INTO "audit" VALUES (15,1795783323095368,1,2,3,'sa-1-switched-off',5,'token.verify','token:5','refused','identity.disabled','127.0.0.1','Go-http-client/1.1',1);
CREATE INDEX members_user ON members (user_id);
CREATE INDEX service_accounts_page ON service_accounts (org_id, login_key, name_key, disabled);
CREATE UNIQUE INDEX tokens_name ON tokens (org_id, name_key) WHERE name_key <> '';
CREATE INDEX tokens_expiry ON tokens (org_id, expires_us, service_account_id) WHERE expires_us > 0;
CREATE INDEX tokens_account ON tokens (service_account_id, expires_us, revoked_us, used_us);
CREATE INDEX permissions_scope ON permissions (org_id, scope);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX audit_org ON audit (org_id, id);
CREATE INDEX audit_actor ON audit (actor_login, id);
COMMIT;
