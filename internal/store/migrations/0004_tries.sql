-- +goose Up

-- Wrong passwords that were tried lately, counted for an account, an address or
-- a place of an account. A row counts until its time is over.
CREATE TABLE wrong_passwords (
    bucket   TEXT   PRIMARY KEY,
    n        BIGINT NOT NULL,
    until_us BIGINT NOT NULL
);
CREATE INDEX wrong_passwords_until ON wrong_passwords (until_us);

-- From where a user signed in lately: an address, or a browser that keeps a
-- cookie, of which this is the SHA-256.
CREATE TABLE known_places (
    user_id  BIGINT NOT NULL,
    place    TEXT   NOT NULL,
    until_us BIGINT NOT NULL,
    PRIMARY KEY (user_id, place)
);
CREATE INDEX known_places_until ON known_places (until_us);
