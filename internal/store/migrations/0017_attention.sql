-- +goose Up

-- The accounts that could go on with a lower basic role, as a job found.
CREATE TABLE spare_roles (
    account_id BIGINT PRIMARY KEY REFERENCES service_accounts (id) ON DELETE CASCADE,
    role       TEXT   NOT NULL, -- that of the account: if it has another by now, the row says nothing
    enough     TEXT   NOT NULL  -- the role that is enough
);

-- The tokens that may be used from some networks alone.
CREATE INDEX tokens_networks ON tokens (org_id) WHERE networks <> '';
