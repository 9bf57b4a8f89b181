package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// A Table is what one table of a database holds.
type Table struct {
	Name   string
	Rows   int64
	Digest [32]byte // SHA-256 of the rows in the order of their key, the same on both databases
}

// Copy copies all that from holds, its history too, into to, which must be
// empty and have the same schema. Then it reads to and compares: it returns
// what was copied, or an error, and then nothing of it stays. What others write
// to from meanwhile is not seen.
//
// Nodes, their keys and jobs are not copied: they are the processes that share a
// database, and what these do now.
func Copy(ctx context.Context, from, to *DB) (copied []Table, err error) {
	err = from.snapshot(ctx, func(src *Tx) error {
		return to.exclusively(ctx, func(dst *Tx) error {
			copied, err = copyTables(src, dst)
			return err
		})
	})
	if err != nil {
		return nil, fmt.Errorf("store: copy: %w", err)
	}
	return copied, nil
}

// Stored returns what the database holds, table by table.
func (db *DB) Stored(ctx context.Context) (list []Table, err error) {
	err = db.snapshot(ctx, func(tx *Tx) error {
		list, err = tx.stored()
		return err
	})
	return list, err
}

// snapshot runs fn on one view of the database, however long it takes.
func (db *DB) snapshot(ctx context.Context, fn func(*Tx) error) error {
	return db.view(ctx, func(tx *Tx) error {
		if err := tx.unhurried(); err != nil {
			return fmt.Errorf("store: begin: %w", err)
		}
		return fn(tx)
	})
}

// exclusively runs fn in a transaction and commits it, however long it takes.
// Nobody else writes meanwhile.
func (db *DB) exclusively(ctx context.Context, fn func(*Tx) error) error {
	conn, done, err := db.writer(ctx)
	if err != nil {
		return err
	}
	defer done()
	return db.inTx(ctx, conn, func(tx *Tx) error {
		if err := errors.Join(tx.takeTurn(), tx.unhurried()); err != nil {
			return fmt.Errorf("store: wait to write: %w", err)
		}
		return fn(tx)
	})
}

func copyTables(src, dst *Tx) ([]Table, error) {
	tables, err := dst.tables()
	if err != nil {
		return nil, err
	}
	others, err := src.tables()
	if err != nil {
		return nil, err
	}
	if err := sameTables(others, tables); err != nil {
		return nil, err
	}
	if err := dst.refuseRows(tables); err != nil {
		return nil, err
	}
	ordered, err := dst.parentsFirst(tables)
	if err != nil {
		return nil, err
	}
	var copied []Table
	for _, t := range ordered {
		c, err := t.copy(src, dst)
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		copied = append(copied, c)
	}
	slices.SortFunc(copied, func(a, b Table) int { return strings.Compare(a.Name, b.Name) })
	arrived, err := dst.stored()
	if err != nil {
		return nil, err
	}
	for i, c := range copied {
		if arrived[i] != c {
			return nil, fmt.Errorf("table %s did not arrive as it was: %d rows with the digest %x… became %d with %x…",
				c.Name, c.Rows, c.Digest[:4], arrived[i].Rows, arrived[i].Digest[:4])
		}
	}
	return copied, nil
}

// A table is the shape of a table.
type table struct {
	name    string
	columns []column // by name
}

type column struct {
	name, kind string // kind is "bigint", "boolean", "bytea" or "text"
	key        int    // its place in the primary key, 0 for none
}

// running are the tables of the processes that share a database.
var running = []string{"nodes", "node_keys", "jobs"}

// tables reads the schema: every table that holds an installation's data, by
// name.
func (tx *Tx) tables() (list []table, err error) {
	type named struct {
		table string
		column
	}
	columns, err := all(tx, func(r row) (c named, err error) {
		return c, r.Scan(&c.table, &c.name, &c.kind, &c.key)
	}, tx.db.columnsQuery())
	for _, c := range columns {
		name := c.table
		if name == goose.DefaultTablename || slices.Contains(running, name) {
			continue
		}
		if len(list) == 0 || list[len(list)-1].name != name {
			list = append(list, table{name: name})
		}
		t := &list[len(list)-1]
		t.columns = append(t.columns, c.column)
	}
	return list, err
}

// sameTables refuses schemas that differ.
func sameTables(a, b []table) error {
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a) || i < len(b) && a[i].name > b[i].name:
			return fmt.Errorf("only the target has a table %s", b[i].name)
		case i >= len(b) || a[i].name < b[i].name:
			return fmt.Errorf("the target has no table %s", a[i].name)
		case !slices.Equal(a[i].columns, b[i].columns):
			return fmt.Errorf("the table %s has other columns in the target", a[i].name)
		}
	}
	return nil
}

// refuseRows refuses a database that holds more than its first opening put there:
// counters which have not counted yet, and a chain without links. Those it takes away,
// for they come with the copy.
func (tx *Tx) refuseRows(tables []table) error {
	var found []string
	for _, t := range append(slices.Clone(tables), table{name: "nodes"}) {
		query := `SELECT COUNT(*) FROM ` + quote(t.name)
		switch t.name {
		case "counters":
			query += ` WHERE value <> 0`
		case "audit_chain":
			query += ` WHERE last <> 0`
		}
		var n int64
		if err := tx.sql.QueryRow(query).Scan(&n); err != nil {
			return fmt.Errorf("table %s: %w", t.name, err)
		}
		if n > 0 {
			found = append(found, fmt.Sprintf("%s (%d)", t.name, n))
		}
	}
	if len(found) > 0 {
		return fmt.Errorf("the target is not empty, rows are in %s: name a new database", strings.Join(found, ", "))
	}
	return tx.steps("make room", do(`DELETE FROM counters`), do(`DELETE FROM audit_chain`))
}

// parentsFirst orders the tables so that each comes after those it refers to.
func (tx *Tx) parentsFirst(tables []table) ([]table, error) {
	type reference struct{ child, parent string }
	references, err := all(tx, func(r row) (f reference, err error) {
		err = r.Scan(&f.child, &f.parent)
		return f, err
	}, tx.db.referencesQuery())
	if err != nil {
		return nil, err
	}
	left, ordered := slices.Clone(tables), make([]table, 0, len(tables))
	for len(left) > 0 {
		waits := func(t table) bool {
			return slices.ContainsFunc(references, func(f reference) bool {
				return f.child == t.name && f.parent != t.name && slices.ContainsFunc(left, func(p table) bool { return p.name == f.parent })
			})
		}
		i := slices.IndexFunc(left, func(t table) bool { return !waits(t) })
		if i < 0 {
			return nil, fmt.Errorf("the tables from %s on refer to one another in a circle", left[0].name)
		}
		ordered, left = append(ordered, left[i]), slices.Delete(left, i, i+1)
	}
	return ordered, nil
}

// Bounds on one INSERT: its parameters, which SQLite looks up one by one in a
// list, and the bytes that it holds in memory.
const (
	batchPostgres = 8000
	batchSQLite   = 300
	batchBytes    = 4 << 20
)

// copy copies the rows of t and returns what they were.
func (t table) copy(src, dst *Tx) (Table, error) {
	d := t.digest()
	var batch []any
	size, most := 0, batchSQLite
	if dst.db.postgres {
		most = batchPostgres
	}
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		_, err := dst.exec(t.insert(len(batch)/len(t.columns)), batch...)
		batch, size = batch[:0], 0
		return err
	}
	err := t.each(src, func(values []any) error {
		size += d.add(values)
		batch = append(batch, values...)
		if len(batch)+len(values) <= most && size < batchBytes {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return d.sum(), err
}

// insert returns the statement that inserts n rows.
func (t table) insert(n int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "INSERT INTO %s (%s) VALUES ", quote(t.name), t.columnList())
	for i := range n * len(t.columns) {
		switch {
		case i == 0:
			b.WriteByte('(')
		case i%len(t.columns) == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	b.WriteByte(')')
	return b.String()
}

func (t table) columnList() string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = quote(c.name)
	}
	return strings.Join(names, ", ")
}

// key returns the columns of the primary key in its order.
func (t table) key() string {
	names := make([]string, len(t.columns))
	for _, c := range t.columns {
		if c.key > 0 {
			names[c.key-1] = quote(c.name)
		}
	}
	return strings.Join(slices.DeleteFunc(names, func(s string) bool { return s == "" }), ", ")
}

func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// each calls fn with the values of every row, in the order of the primary key.
func (t table) each(tx *Tx, fn func(values []any) error) error {
	if t.key() == "" {
		return errors.New("it has no primary key")
	}
	targets, values := make([]any, len(t.columns)), make([]any, len(t.columns))
	read := make([]func() any, len(t.columns))
	for i, c := range t.columns {
		if targets[i], read[i] = c.target(); targets[i] == nil {
			return fmt.Errorf("the column %s has the type %s, which is not one of ours", c.name, c.kind)
		}
	}
	return each(tx, func(r row) ([]any, error) {
		if err := r.Scan(targets...); err != nil {
			return nil, err
		}
		for i := range values {
			values[i] = read[i]()
		}
		return values, nil
	}, fn, `SELECT `+t.columnList()+` FROM `+quote(t.name)+` ORDER BY `+t.key())
}

// target returns where a value of the column is scanned to, and what reads it
// from there.
func (c column) target() (any, func() any) {
	switch c.kind {
	case "bigint":
		return target[int64]()
	case "boolean":
		return target[bool]()
	case "bytea":
		return target[[]byte]()
	case "text":
		return target[string]()
	}
	return nil, nil
}

func target[T any]() (any, func() any) {
	v := new(sql.Null[T])
	return v, func() any {
		if !v.Valid {
			return nil
		}
		if b, ok := any(v.V).([]byte); ok && b == nil { // no bytes are not NULL
			return []byte{}
		}
		return v.V
	}
}

// stored returns what every table holds, by name.
func (tx *Tx) stored() ([]Table, error) {
	tables, err := tx.tables()
	if err != nil {
		return nil, err
	}
	list := make([]Table, len(tables))
	for i, t := range tables {
		d := t.digest()
		err := t.each(tx, func(values []any) error {
			d.add(values)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, err)
		}
		list[i] = d.sum()
	}
	return list, nil
}

// A digest is a Table in the making.
type digest struct {
	table  Table
	hash   hash.Hash
	buffer []byte
}

func (t table) digest() *digest {
	d := &digest{table: Table{Name: t.name}, hash: sha256.New()}
	for _, c := range t.columns {
		_, _ = fmt.Fprintf(d.hash, "%s %s,", c.name, c.kind) // a hash takes everything
	}
	return d
}

// add counts a row in and returns its size. Each value is its kind, its length
// and its bytes, so that no two rows look alike.
func (d *digest) add(values []any) int {
	b := d.buffer[:0]
	sized := func(kind byte, n int) { b = binary.BigEndian.AppendUint64(append(b, kind), uint64(n)) }
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			sized('n', 0)
		case int64:
			sized('i', 8)
			b = binary.BigEndian.AppendUint64(b, uint64(v))
		case bool:
			sized('b', 1)
			if v {
				b = append(b, 1)
			} else {
				b = append(b, 0)
			}
		case []byte:
			sized('x', len(v))
			b = append(b, v...)
		case string:
			sized('t', len(v))
			b = append(b, v...)
		}
	}
	_, _ = d.hash.Write(b) // a hash takes everything
	d.buffer = b
	d.table.Rows++
	return len(b)
}

func (d *digest) sum() Table {
	d.hash.Sum(d.table.Digest[:0])
	return d.table
}
