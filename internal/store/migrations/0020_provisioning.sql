-- +goose Up

-- The sections of provisioning files that were applied, and what each is about.
CREATE TABLE provisioned (
    section TEXT    PRIMARY KEY, -- as files write it: "service_account.ci"
    org_id  BIGINT  NOT NULL,
    target  TEXT    NOT NULL,    -- the thing, as the audit names it: "serviceaccount:7"
    file    TEXT    NOT NULL,    -- which declares it; empty: none does any more
    stopped BOOLEAN NOT NULL,    -- it is disabled because files said so, or declare it no more
    hash    BYTEA   NOT NULL,    -- of the secret of a token that was declared last; else empty
    UNIQUE (org_id, target)
);
