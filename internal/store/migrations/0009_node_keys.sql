-- +goose Up

-- The public halves of the keys with which nodes sign who calls. A node keeps the
-- private half in memory alone, so a key ends with its process.
CREATE TABLE node_keys (
    public  BYTEA  PRIMARY KEY, -- Ed25519
    node    TEXT   NOT NULL,
    gone_us BIGINT NOT NULL     -- when the node was taken off the list; 0: it is on it
);
