package store

import (
	"context"
	"database/sql"
	"slices"
	"sync"
)

// maxPrepared is how many statements a pool of SQLite keeps prepared. Each takes a few
// kilobytes on each connection that ran it. There are more where the text depends on how
// much is asked for; those that find no room run as they are.
const maxPrepared = 256

// maxPreparedText is how long the text of such a statement is at most, in bytes: a longer one
// has a place for each of many values, and is not asked again.
const maxPreparedText = 16 << 10

// prepared keeps statements of a pool of SQLite connections that were parsed and planned,
// which takes longer than most of them run. (On PostgreSQL the driver does that.) The zero
// value, without a pool, keeps none. It is safe for concurrent use.
type prepared struct {
	pool *sql.DB

	mu   sync.RWMutex
	kept map[string]*sql.Stmt // guarded by mu; nil for a text that was met once
}

// of returns the prepared statement of the text, nil if there is none.
func (p *prepared) of(query string) *sql.Stmt {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.kept[query]
}

// learn prepares those of the texts that were met before, and remembers the others. It
// waits for a connection, so whoever calls it holds none. A statement that cannot be
// prepared is run as it was: learn says nothing of it.
func (p *prepared) learn(ctx context.Context, queries []string) {
	for _, query := range queries {
		if !p.meet(query) {
			continue
		}
		stmt, err := p.pool.PrepareContext(ctx, query)
		if err != nil {
			continue
		}
		if !p.keep(query, stmt) {
			_ = stmt.Close() // another goroutine was faster; nothing is lost with it
		}
	}
}

// meet reports whether the text was met before and is to be prepared.
func (p *prepared) meet(query string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	stmt, met := p.kept[query]
	switch {
	case met:
		return stmt == nil
	case len(p.kept) >= maxPrepared:
		for text, stmt := range p.kept { // texts that were met once make room
			if stmt == nil {
				delete(p.kept, text)
			}
		}
	}
	if p.kept == nil {
		p.kept = make(map[string]*sql.Stmt)
	}
	if len(p.kept) < maxPrepared {
		p.kept[query] = nil
	}
	return false
}

func (p *prepared) keep(query string, stmt *sql.Stmt) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if kept, met := p.kept[query]; kept != nil || !met {
		return false
	}
	p.kept[query] = stmt
	return true
}

// statements runs the statements of one transaction within its time, so that a
// database that no longer answers does not hold a caller who set no limit. The
// context lives as long as the transaction.
type statements struct {
	ctx      context.Context
	tx       *sql.Tx
	prepared *prepared
	running  []string // texts whose rows are being read: a prepared statement runs once at a time
	missed   []string // texts that were not prepared, for learn
}

// stmt returns the prepared statement of the text within the transaction, nil if there is
// none that is free.
func (s *statements) stmt(query string) *sql.Stmt {
	if s.prepared.pool == nil || len(query) > maxPreparedText {
		return nil
	}
	stmt := s.prepared.of(query)
	if stmt == nil {
		if !slices.Contains(s.missed, query) {
			s.missed = append(s.missed, query)
		}
		return nil
	}
	if slices.Contains(s.running, query) {
		return nil
	}
	return s.tx.StmtContext(s.ctx, stmt)
}

// QueryRow runs a statement with one row at most, which is to be scanned at once.
func (s *statements) QueryRow(query string, args ...any) *sql.Row {
	if stmt := s.stmt(query); stmt != nil {
		return stmt.QueryRowContext(s.ctx, args...)
	}
	return s.tx.QueryRowContext(s.ctx, query, args...)
}

// Query runs a statement and hands its rows to read, which need not close them.
func (s *statements) Query(read func(*sql.Rows) error, query string, args ...any) error {
	var rows *sql.Rows
	var err error
	if stmt := s.stmt(query); stmt != nil {
		s.running = append(s.running, query)
		defer func() { s.running = s.running[:len(s.running)-1] }()
		rows, err = stmt.QueryContext(s.ctx, args...)
	} else {
		rows, err = s.tx.QueryContext(s.ctx, query, args...)
	}
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }() // rows.Err below has what matters
	if err := read(rows); err != nil {
		return err
	}
	return rows.Err()
}

// Exec runs a statement without rows.
func (s *statements) Exec(query string, args ...any) (sql.Result, error) {
	if stmt := s.stmt(query); stmt != nil {
		return stmt.ExecContext(s.ctx, args...)
	}
	return s.tx.ExecContext(s.ctx, query, args...)
}
