package verify_test

import (
	"errors"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// TestPeek asks about tokens: it is told what Bearer says of them, and neither a use
// nor a refusal is kept.
func TestPeek(t *testing.T) {
	w := newWorld(t, verify.Options{})
	account, off, other := w.account("ci"), w.account("off"), w.account("other")
	good, goodText := w.token(account, "good", 0)
	deleted, deletedText := w.token(other, "deleted", 0)
	_, shortText := w.token(other, "short", 60)
	_, offText := w.token(off, "off", 0)
	if err := w.admin.DeleteToken(t.Context(), w.caller, other, deleted); err != nil {
		t.Fatal(err)
	}
	w.disable(off, true)
	w.wind(2 * time.Minute)
	for _, tt := range []struct{ name, text, reason string }{
		{"good", goodText, ""},
		{"deleted", deletedText, "api-key.invalid"},
		{"expired", shortText, "api-key.expired"},
		{"of a disabled account", offText, "identity.disabled"},
		{"unknown", secret.NewToken().Reveal(), "api-key.invalid"},
		{"malformed", "glsa_x", "api-key.invalid"},
		{"empty", "", "api-key.invalid"},
	} {
		for range 2 { // the second time from memory, were it kept there
			caller, token, err := w.verify.Peek(t.Context(), tt.text)
			var e *hallpass.Error
			_ = errors.As(err, &e) // stays nil for a token that is good
			switch {
			case tt.reason == "" && (err != nil || caller.ServiceAccount() != account || caller.Token != good || token.ID != good || token.CreatedAt.IsZero()):
				t.Errorf("%s: %+v, token %d, %v", tt.name, caller.Principal, token.ID, err)
			case tt.reason != "" && (e == nil || e.ID != tt.reason || caller.Permissions != nil || token.ID != 0):
				t.Errorf("%s: %+v, token %d, %v; want %s", tt.name, caller.Principal, token.ID, err, tt.reason)
			}
		}
	}
	w.flush(w.verify)
	if u := w.lastUse(account); !u.At.IsZero() {
		t.Errorf("the token was used at %v", u.At)
	}
	page, err := w.admin.Audit(t.Context(), w.caller, hallpass.AuditFilter{Action: "token.verify", Limit: 10})
	if err != nil || len(page.Entries) != 0 {
		t.Errorf("the audit holds %v, %v", page.Entries, err)
	}
	if _, err := w.verify.Bearer(t.Context(), goodText, 0, home); err != nil { // that would leave a trace
		t.Fatal(err)
	}
	w.flush(w.verify)
	if u := w.lastUse(account); u.At.IsZero() {
		t.Error("a use leaves no trace: the test above proves nothing")
	}
}
