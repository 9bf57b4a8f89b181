package console_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestUnavailable takes the database away: whoever has a session is told to
// come again, and not that they are signed out.
func TestUnavailable(t *testing.T) {
	db, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "hallpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	pages, err := console.New(console.Options{Admin: admin.New(db, admin.Options{}), Verify: verify.New(db, hallpasstest.NewNode(t, db, node.Options{}), verify.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ method, path, form string }{
		{http.MethodGet, "/profile", ""},
		{http.MethodPost, "/login", "user=admin&password=secret"},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.AddCookie(&http.Cookie{Name: httpd.DefaultCookie, Value: strings.Repeat("0a", 32)})
		w := httptest.NewRecorder()
		pages.ServeHTTP(w, r)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Not available right now") {
			t.Errorf("%s %s: %d, Retry-After %q\n%s", tt.method, tt.path, w.Code, w.Header().Get("Retry-After"), w.Body)
		}
		if len(w.Header().Values("Set-Cookie")) != 0 {
			t.Errorf("%s %s takes the session away", tt.method, tt.path)
		}
	}
}
