package hallpasstest

import (
	"bufio"
	"database/sql"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A Fixture is the database that an earlier version of the program left, as text: the
// statements that make it. Each schema that a database can have stopped at has one in
// testdata/schema, named after its version.
type Fixture struct {
	Schema int
	Tokens map[string]string // the secrets of its tokens by what they are: "live", "deleted", ...
	text   string
}

// FixtureFolder returns where the fixtures are.
func FixtureFolder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "testdata", "schema")
}

// Fixtures returns all fixtures, the oldest schema first.
func Fixtures(t testing.TB) (list []Fixture) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(FixtureFolder(), "*.sql"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := strconv.Atoi(strings.TrimSuffix(filepath.Base(file), ".sql"))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, Fixture{Schema: schema, Tokens: tokensOf(string(text)), text: string(text)})
	}
	return list
}

const tokenLine = "-- token "

// tokensOf reads the lines "-- token live RANDOM CHECKSUM". A secret stands in two
// parts, so that nobody's scanner reports what opens nothing.
func tokensOf(text string) map[string]string {
	tokens := map[string]string{}
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, tokenLine) {
			return tokens
		}
		if f := strings.Fields(line); len(f) == 5 {
			tokens[f[2]] = "glsa_" + f[3] + "_" + f[4]
		}
	}
	return tokens
}

// Write makes a SQLite file of the fixture at path.
func (f Fixture) Write(t testing.TB, path string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(f.text)
	if closing := db.Close(); err != nil || closing != nil {
		t.Fatal(err, closing)
	}
}

// SaveFixture writes the SQLite file at path, which no server has open, as the fixture
// of its schema. It returns the file it wrote.
func SaveFixture(t testing.TB, path string, tokens map[string]string) (file string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }() // it was only read
	var schema int
	if err := db.QueryRow(`SELECT MAX(version_id) FROM goose_db_version`).Scan(&schema); err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(FixtureFolder(), fmt.Sprintf("%04d.sql", schema))
	out, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(out)
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		parts := strings.Split(tokens[name], "_")
		fmt.Fprintf(w, "%s%s %s %s\n", tokenLine, name, parts[1], parts[2])
	}
	dump(t, db, w)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	return file
}

// dump writes the statements that make the database: tables, rows, then what depends on
// them.
func dump(t testing.TB, db *sql.DB, w *bufio.Writer) {
	t.Helper()
	_, _ = w.WriteString("PRAGMA foreign_keys = OFF;\nBEGIN;\n") // Flush tells an error
	for _, text := range column(t, db, `SELECT sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`) {
		fmt.Fprintf(w, "%s;\n", text)
	}
	for _, name := range column(t, db, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY rowid`) {
		values := column(t, db, fmt.Sprintf(`SELECT group_concat('quote("' || name || '")', ' || '','' || ') FROM pragma_table_info('%s')`, name))
		for _, row := range column(t, db, fmt.Sprintf(`SELECT %s FROM "%s"`, values[0], name)) {
			fmt.Fprintf(w, "INSERT INTO \"%s\" VALUES (%s);\n", name, row)
		}
	}
	for _, text := range column(t, db, `SELECT sql FROM sqlite_master WHERE type <> 'table' AND sql IS NOT NULL ORDER BY rowid`) {
		fmt.Fprintf(w, "%s;\n", text)
	}
	_, _ = w.WriteString("COMMIT;\n")
}

// column returns the texts of a query's one column.
func column(t testing.TB, db *sql.DB, query string) (list []string) {
	t.Helper()
	rows, err := db.Query(query)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer func() { _ = rows.Close() }() // Err tells what went wrong
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			t.Fatal(err)
		}
		list = append(list, s)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}
