-- +goose Up

-- Which user signs in by which name at an outside issuer.
CREATE TABLE identities (
    issuer     TEXT   NOT NULL,
    subject    TEXT   NOT NULL,
    user_id    BIGINT NOT NULL REFERENCES users (id),
    created_us BIGINT NOT NULL,
    seen_us    BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_user ON identities (user_id);

-- The issuer where the session began; empty: it began with a password.
ALTER TABLE sessions ADD COLUMN issuer TEXT NOT NULL DEFAULT '';

-- Whether an outside group put the principal in the team, and takes it out again.
ALTER TABLE team_members ADD COLUMN synced BOOLEAN NOT NULL DEFAULT FALSE;
