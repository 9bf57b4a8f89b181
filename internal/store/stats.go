package store

import "database/sql"

// A Pool is the state of one of the pools of connections.
type Pool struct {
	Name              string // "read" or "write"
	Open, InUse, Idle int
	Max               int // 0: no bound
	Waits             uint64
	WaitSeconds       float64
}

// Pools returns the state of the pools.
func (db *DB) Pools() []Pool {
	return []Pool{poolOf("read", db.read.Stats()), poolOf("write", db.write.Stats())}
}

func poolOf(name string, s sql.DBStats) Pool {
	return Pool{
		Name: name, Open: s.OpenConnections, InUse: s.InUse, Idle: s.Idle, Max: s.MaxOpenConnections,
		Waits: uint64(s.WaitCount), WaitSeconds: s.WaitDuration.Seconds(),
	}
}
