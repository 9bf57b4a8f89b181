// Package node is what this process knows of the database that it verifies from,
// and of the other nodes that share it: the time, the lease for which it may
// answer from memory, the heartbeats that renew the lease, and the journal that
// tells when the database came back older.
//
// A database that is not shared has no lease and no heartbeats.
package node
