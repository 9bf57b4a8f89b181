-- +goose Up

-- The audit is listed by time, newest first, and is as long as the
-- installation is old: whatever picks entries has an index in that order. The
-- outcome stands in each of them because it has two values: a list of both is
-- merged of two.
DROP INDEX audit_org;
DROP INDEX audit_actor;
CREATE INDEX audit_time ON audit (outcome, at_us, id);
CREATE INDEX audit_org ON audit (org_id, outcome, at_us, id);
CREATE INDEX audit_action ON audit (action, outcome, at_us, id);
CREATE INDEX audit_login ON audit (actor_login, outcome, at_us, id);
CREATE INDEX audit_actor ON audit (actor_id, outcome, at_us, id);
CREATE INDEX audit_target ON audit (target, outcome, at_us, id);

-- One row while entries are deleted for their age: which process is at it until
-- when, and what is gone so far. An entry tells of it once all is gone.
CREATE TABLE audit_pruning (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    holder   TEXT   NOT NULL,
    until_us BIGINT NOT NULL,
    first_us BIGINT NOT NULL, -- of the oldest entry that is gone; 0: none is
    last_us  BIGINT NOT NULL,
    deleted  BIGINT NOT NULL
);
