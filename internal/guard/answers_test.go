package guard_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestFailingAPI has APIs behind the built-in proxy fail: GET /api/guards/{guard} and what needs
// attention say so until one answers well, or the guard is changed. A single error is none.
func TestFailingAPI(t *testing.T) {
	b := newBehind(t)
	gone := newEcho(t)
	gone.Close()
	newGuard(t, b.Store(), hallpass.Guard{Name: "gone", Org: 1, Upstream: gone.URL, Rules: viewers})
	failing := func() (text string) {
		if err := b.FlushGuards(t.Context()); err != nil {
			t.Fatal(err)
		}
		var a wire.Attention
		readJSON(t, b.Server, "/api/attention?section=apis", &a)
		for _, r := range a.Sections[0].Rows {
			var g wire.Guard
			readJSON(t, b.Server, "/api/guards/"+r.Guard, &g)
			if g.Failing == nil || g.Failing.What != r.What || !g.Failing.Since.Equal(*r.Since) || r.Action != "show-guard" || r.Subject != fmt.Sprint("guard:", g.ID, ":0") {
				t.Errorf("%+v, of the guard %+v", r, g.Failing)
			}
			text += fmt.Sprint(r.Guard, " ", r.Failed, "/", r.Answers, ". ")
		}
		return text
	}
	for range 4 {
		raw(t, b.Server, "GET /guard/proxy/gone/api/x", "Authorization: Bearer "+b.key)
		b.get("/api/broken")
	}
	raw(t, b.Server, "GET /guard/proxy/gone/admin/x", "Authorization: Bearer "+b.key) // refused: the API was not asked
	if text := failing(); text != "app 4/4. gone 4/4. " {
		t.Errorf("both fail: %s", text)
	}
	b.Clock.Wind(time.Minute)
	b.get("/api/x")
	if text := failing(); text != "gone 4/4. " {
		t.Errorf("one fails: %s", text)
	}
	err := b.Store().Read(t.Context(), func(tx *store.Tx) error {
		list, err := tx.FailingAPIs(1, 0, 50, 5, time.Time{})
		if len(list) != 0 {
			t.Errorf("with few errors: %+v", list)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Wind(2 * time.Hour)
	if text := failing(); text != "" {
		t.Errorf("long after the last error: %s", text)
	}
}
