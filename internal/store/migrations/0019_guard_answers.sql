-- +goose Up

-- How the API behind a guard answered the built-in proxy, by the minute.
CREATE TABLE guard_answers (
    guard_id  BIGINT NOT NULL,
    minute_us BIGINT NOT NULL, -- when the minute began
    n         BIGINT NOT NULL,
    failed    BIGINT NOT NULL, -- of n
    PRIMARY KEY (guard_id, minute_us)
);
CREATE INDEX guard_answers_minute ON guard_answers (minute_us);
