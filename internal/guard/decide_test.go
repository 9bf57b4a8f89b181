package guard_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// decider returns a Decider on a database of its own, and a token that is good
// there.
func decider(t testing.TB) (d *guard.Decider, db *store.DB, token string) {
	t.Helper()
	return deciderWith(t, node.Options{})
}

func deciderWith(t testing.TB, o node.Options) (d *guard.Decider, db *store.DB, token string) {
	t.Helper()
	ctx := t.Context()
	db, err := store.Open(ctx, filepath.Join(t.TempDir(), "hallpass.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() }) // a test may have closed it
	v, a, password := verify.New(db, hallpasstest.NewNode(t, db, o), verify.Options{}), admin.New(db, admin.Options{}), secret.NewText(hallpasstest.AdminPassword)
	if err := a.Begin(ctx, admin.FirstAdmin{Login: "admin", Email: "admin@localhost", Password: password}); err != nil {
		t.Fatal(err)
	}
	boss, err := v.Password(ctx, "admin", password, 0, hallpass.From{}, "")
	if err != nil {
		t.Fatal(err)
	}
	account, err := a.CreateServiceAccount(ctx, boss, admin.NewServiceAccount{Name: "ci"})
	if err != nil {
		t.Fatal(err)
	}
	made, err := a.CreateToken(ctx, boss, account.ID, admin.NewToken{Name: "t"})
	if err != nil {
		t.Fatal(err)
	}
	signer, err := guard.NewSigner("http://hallpass.example", v.Now)
	if err != nil {
		t.Fatal(err)
	}
	return guard.New(v, signer), db, made.Secret.Reveal()
}

// TestVerification asks as a dialect does, without a request of net/http.
func TestVerification(t *testing.T) {
	d, db, token := decider(t)
	good := []string{"Bearer " + token}
	const plain, invalid = `Bearer realm="hallpass"`, `Bearer realm="hallpass", error="invalid_token"`
	for _, tt := range []struct {
		name                       string
		authorization              []string
		login                      string // "": refused
		status                     int
		reason, message, challenge string
	}{
		{"a token", good, "sa-1-ci", 0, "", "", ""},
		{"nothing", nil, "", 401, "auth.unauthorized", "Unauthorized", plain},
		{"an empty header", []string{""}, "", 401, "auth.unauthorized", "Unauthorized", plain},
		{"another scheme", []string{"Digest x"}, "", 401, "auth.unauthorized", "Unauthorized", invalid},
		{"two headers", append(good, good...), "", 401, "request.authorization-repeated", "More than one Authorization header", invalid},
		{"an unknown token", []string{"Bearer " + secret.NewToken().Reveal()}, "", 401, "api-key.invalid", "Invalid API key", invalid},
	} {
		from := hallpass.From{Address: "192.0.2.1", UserAgent: "test"}
		v := d.Verify(t.Context(), guard.Check{Authorization: tt.authorization, From: from})
		if v.Allow != (tt.login != "") || v.Caller.Principal.Login != tt.login || v.Allow && v.Caller.From != from {
			t.Errorf("%s: allowed %v, caller %+v", tt.name, v.Allow, v.Caller)
		}
		if v.Status != tt.status || v.Reason != tt.reason || v.Message != tt.message || v.Challenge != tt.challenge || (v.Err != nil) == v.Allow {
			t.Errorf("%s: %d %s %q %q, %v; want %d %s %q %q", tt.name, v.Status, v.Reason, v.Message, v.Challenge, v.Err, tt.status, tt.reason, tt.message, tt.challenge)
		}
	}

	check := guard.Check{Authorization: good}
	n := testing.AllocsPerRun(200, func() { d.Verify(context.Background(), check) })
	if n > 0 && !raced {
		t.Errorf("a verdict on a token in memory allocates %v times", n)
	}

	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	v := d.Verify(t.Context(), guard.Check{Authorization: []string{"Bearer " + secret.NewToken().Reveal()}})
	if v.Allow || v.Status != 503 || v.Challenge != "" || v.Reason == "" || v.Err == nil {
		t.Errorf("without a database: %+v", v)
	}
}
