package hallpasstest

import (
	"context"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/hallpass-dev/hallpass/internal/secret"
)

// wide are the statements that checkWide has looked at in this process.
var wide sync.Map

// A statements keeps the statements with parameters that were sent to PostgreSQL and that
// checkWide has not seen.
type statements struct {
	mu   sync.Mutex
	sent []string
}

// TraceQueryStart implements [pgx.QueryTracer].
func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, data pgx.TraceQueryStartData) context.Context {
	if len(data.Args) == 0 {
		return ctx
	}
	if _, seen := wide.LoadOrStore(data.SQL, true); !seen {
		s.mu.Lock()
		s.sent = append(s.sent, data.SQL)
		s.mu.Unlock()
	}
	return ctx
}

// TraceQueryEnd implements [pgx.QueryTracer].
func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// checkWide fails the test if PostgreSQL takes a parameter of a statement for a number of
// 32 bits, as it does with one that stands beside a literal before it stands beside a
// column: a number from a stranger that is larger, which SQLite answers with "not found",
// is then an error of ours.
func (s *statements) checkWide(t testing.TB, url secret.Text) {
	t.Helper()
	ctx := context.Background() // that of the test has ended
	conn, err := pgx.Connect(ctx, url.Reveal())
	if err != nil {
		t.Error(err)
		return
	}
	for _, text := range s.sent {
		described, err := conn.Prepare(ctx, "", text)
		if err != nil { // the test broke a table; another test will send it
			wide.Delete(text)
			continue
		}
		for i, oid := range described.ParamOIDs {
			if oid == pgtype.Int4OID || oid == pgtype.Int2OID {
				t.Errorf("$%d holds 32 bits at most; name it beside a column first, or cast it to BIGINT, in %s", i+1, text)
			}
		}
	}
	if err := conn.Close(ctx); err != nil {
		t.Error(err)
	}
}
