package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// errURL says that there is no telling what an URL means.
var errURL = errors.New("not a URL like postgres://user:password@host:5432/hallpass?sslmode=verify-full")

// sslModes are the values of sslmode that libpq knows.
var sslModes = []string{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}

// ValidateURL reports what is wrong with the URL of a PostgreSQL database, and
// repeats nothing of it: any part may hold the password, if a character in that
// was not escaped. It reads the files that the URL names and connects to nothing.
func ValidateURL(text secret.Text) error {
	if strings.Contains(text.Reveal(), "://") {
		if err := validateParts(text.Reveal()); err != nil {
			return err
		}
	}
	_, err := pgx.ParseConfig(text.Reveal())
	var parse *pgconn.ParseConfigError
	var file *fs.PathError
	switch {
	case errors.As(err, &file):
		return fmt.Errorf("a file that the URL names cannot be read: %w", file)
	case errors.As(err, &parse) && strings.Contains(err.Error(), "TLS"):
		return errors.New("the files of sslrootcert, sslcert and sslkey are not certificates and a key that belong together")
	case err != nil:
		return errURL
	}
	return nil
}

func validateParts(text string) error {
	u, err := url.Parse(text)
	if err != nil && strings.Contains(err.Error(), "invalid port") {
		return errors.New("the port is not a number from 1 to 65535, or the password holds a character that must be escaped, as %2F for /")
	}
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return errURL
	}
	for host := range strings.SplitSeq(u.Host, ",") {
		_, port, found := strings.Cut(host[strings.LastIndexByte(host, ']')+1:], ":")
		if n, err := strconv.Atoi(port); found && port != "" && (err != nil || n < 1 || n > 65535) {
			return errors.New("a port is not a number from 1 to 65535")
		}
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errURL
	}
	if mode := query.Get("sslmode"); mode != "" && !slices.Contains(sslModes, mode) {
		return fmt.Errorf("sslmode must be one of %s", strings.Join(sslModes, ", "))
	}
	if s := query.Get("connect_timeout"); s != "" {
		if n, err := strconv.Atoi(s); err != nil || n < 0 {
			return errors.New("connect_timeout is not a number of seconds")
		}
	}
	return nil
}

// errPooler says that sessions do not reach PostgreSQL as they are.
var errPooler = errors.New("something between here and PostgreSQL keeps sessions apart from it, as a transaction pooler does: " +
	"Hallpass needs sessions of its own, for LISTEN and settings. Let database.url lead to PostgreSQL itself")

// ownSession returns errPooler unless a connection has the settings that were
// asked for: a pooler refuses those, or drops them and gives each transaction
// another session.
func (db *DB) ownSession(ctx context.Context) error {
	if !db.postgres {
		return nil
	}
	var applied string
	err := db.write.QueryRowContext(ctx, `SELECT current_setting('idle_in_transaction_session_timeout')`).Scan(&applied)
	var refused *pgconn.PgError
	if errors.As(err, &refused) && refused.Code == "08P01" && strings.Contains(refused.Message, "startup parameter") {
		return fmt.Errorf("%w (it says: %s)", errPooler, refused.Message)
	}
	if err != nil {
		return fmt.Errorf("store: open database: %w", classify(err))
	}
	if applied == "0" && db.config.RuntimeParams["idle_in_transaction_session_timeout"] != "0" {
		return errPooler
	}
	return nil
}

// located says which file an error is about, and what it is if it is no database.
func located(path string, err error) error {
	if code := sqliteCode(err) & 0xff; code == sqlite3.SQLITE_NOTADB || code == sqlite3.SQLITE_CORRUPT {
		return fmt.Errorf("%s is not a SQLite database, or is damaged: restore a backup of it: %w", path, err)
	}
	return fmt.Errorf("%s: %w", path, err)
}
