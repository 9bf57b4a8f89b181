// Package store keeps everything in a SQL database: one text of queries and
// migrations for SQLite and PostgreSQL, and the feed of changes that tells
// other floors what happened. It holds no policy and reads no clock: times come
// as arguments. What must differ between databases stands in dialect.go.
package store
