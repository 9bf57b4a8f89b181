package admin_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// attentionOf returns the rows of the section, as their account or address and what they say.
func (w *world) attentionOf(section hallpass.AttentionSection) (rows []string) {
	w.t.Helper()
	pages, err := w.Attention(w.t.Context(), w.human("admin"), admin.AttentionFilter{Section: section, Limit: 100})
	if err != nil || len(pages) != 1 {
		w.t.Fatalf("%d sections, %v", len(pages), err)
	}
	for _, r := range pages[0].Rows {
		rows = append(rows, r.Account.Name+r.From.Address+" "+string(r.Action)+" "+r.What())
	}
	return rows
}

// TestMorePower has accounts use their tokens in several ways: those that could go on with
// a lower role are shown, until they have it, or need what they have.
func TestMorePower(t *testing.T) {
	clock := &hallpasstest.Clock{}
	for clock.Now().Year() < 2026 { // one Duration does not reach from the year 1 to ours
		clock.Wind(100 * 365 * day)
	}
	w := newWorld(t, admin.Options{Now: clock.Now})
	tokens := make(map[string]hallpass.TokenID)
	accounts := make(map[string]hallpass.ServiceAccountID)
	add := func(name string, role hallpass.Role) {
		t.Helper()
		accounts[name] = w.machine(name, role).ServiceAccount()
		made, err := w.CreateToken(t.Context(), w.human("admin"), accounts[name], admin.NewToken{Name: "token of " + name})
		if err != nil {
			t.Fatal(err)
		}
		tokens[name] = made.Token.ID
	}
	did := func(name string, action hallpass.Action, ago time.Duration) {
		t.Helper()
		u := hallpass.TokenUsage{Actions: []hallpass.TokenAction{{Action: action, Last: clock.Now().Add(-ago), Count: 1}}}
		if err := w.db.AddTokenUsage(t.Context(), []store.TokenUsed{{Token: tokens[name], TokenUsage: u}}); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() []string {
		t.Helper()
		if err := w.FindSpareRoles(t.Context()); err != nil {
			t.Fatal(err)
		}
		return w.attentionOf(hallpass.AttentionMorePower)
	}
	for name, role := range map[string]hallpass.Role{"reads": hallpass.RoleEditor, "writes": hallpass.RoleEditor, "rests": hallpass.RoleAdmin, "viewer": hallpass.RoleViewer} {
		add(name, role)
	}
	clock.Wind(100 * day)
	add("young", hallpass.RoleAdmin)
	for _, name := range []string{"reads", "viewer", "young"} {
		did(name, "role:Viewer", day)
	}
	did("reads", "folders:create", 95*day)
	did("writes", "folders:create", 80*day)
	did("rests", "folders:create", 95*day)
	if got := rows(); got != nil {
		t.Errorf("while usage is not recorded: %v", got)
	}
	if err := w.db.BeginTokenUsage(t.Context(), clock.Now().Add(-99*day)); err != nil {
		t.Fatal(err)
	}
	want := []string{"reads lower-role It does less than it may: Viewer is enough"}
	for range 2 {
		if d := cmp.Diff(rows(), want); d != "" {
			t.Errorf("got, want:\n%s", d)
		}
	}
	did("reads", "folders:create", time.Hour)
	if got := rows(); got != nil {
		t.Errorf("after it needed its role: %v", got)
	}
	clock.Wind(81 * day)
	did("reads", "folders:create", time.Hour)
	did("writes", "role:Viewer", time.Hour)
	if d := cmp.Diff(rows(), []string{"writes lower-role It does less than it may: Viewer is enough"}); d != "" {
		t.Errorf("81 days later, got, want:\n%s", d)
	}
	lower := hallpass.RoleViewer
	if _, err := w.UpdateServiceAccount(t.Context(), w.human("admin"), accounts["writes"], hallpass.ServiceAccountPatch{Role: &lower}); err != nil {
		t.Fatal(err)
	}
	if got := w.attentionOf(hallpass.AttentionMorePower); got != nil {
		t.Errorf("when it was done: %v", got)
	}
}

// TestUntrustedProxy uses tokens from some addresses: that all seem to come from a proxy is
// shown where networks are compared with its address.
func TestUntrustedProxy(t *testing.T) {
	for name, tt := range map[string]struct {
		o        admin.Options
		networks bool
		from     []string
		row      string
	}{
		"one private address":     {networks: true, from: []string{"10.0.0.2", "10.0.0.2", "10.0.0.2"}, row: "10.0.0.2"},
		"on this machine":         {o: admin.Options{Proxied: func() bool { return false }}, networks: true, from: []string{"127.0.0.1", "127.0.0.1", "127.0.0.1"}},
		"on this machine, as 6":   {o: admin.Options{Proxied: func() bool { return false }}, networks: true, from: []string{"::1", "::1", "::1"}},
		"a proxy on this machine": {o: admin.Options{Proxied: func() bool { return true }}, networks: true, from: []string{"127.0.0.1", "127.0.0.1", "127.0.0.1"}, row: "127.0.0.1"},
		"a proxy that is silent":  {o: admin.Options{Proxied: func() bool { return false }}, networks: true, from: []string{"10.0.0.2", "10.0.0.2", "10.0.0.2"}, row: "10.0.0.2"},
		"the same machine":        {networks: true, from: []string{"::1", "::1", "::1", "::1"}, row: "::1"},
		"no token has networks":   {from: []string{"10.0.0.2", "10.0.0.2", "10.0.0.2"}},
		"a public address":        {networks: true, from: []string{"198.51.100.7", "198.51.100.7", "198.51.100.7"}},
		"several addresses":       {networks: true, from: []string{"10.0.0.2", "10.0.0.2", "10.0.0.2", "10.0.0.3"}},
		"two tokens":              {networks: true, from: []string{"10.0.0.2", "10.0.0.2"}},
		"nobody used one":         {networks: true},
		"the proxy is trusted":    {o: admin.Options{TrustsProxies: true}, networks: true, from: []string{"10.0.0.2", "10.0.0.2", "10.0.0.2"}},
		"no address":              {networks: true, from: []string{"", "", ""}},
		"an address of IPv4 as 6": {networks: true, from: []string{"::ffff:10.0.0.2", "::ffff:10.0.0.2", "::ffff:10.0.0.2"}, row: "::ffff:10.0.0.2"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, tt.o)
			account := w.machine("ci", hallpass.RoleViewer).ServiceAccount()
			token := func(in admin.NewToken) hallpass.TokenID {
				t.Helper()
				made, err := w.CreateToken(t.Context(), w.human("admin"), account, in)
				if err != nil {
					t.Fatal(err)
				}
				return made.Token.ID
			}
			if tt.networks {
				list, err := hallpass.ParseNetworks([]string{"192.0.2.0/24"})
				if err != nil {
					t.Fatal(err)
				}
				token(admin.NewToken{Name: "bound", Limits: hallpass.TokenLimits{Networks: list}})
			}
			uses := []store.TokenUse{{Token: token(admin.NewToken{Name: "long ago"}), Use: hallpass.Use{At: w.Now().Add(-2 * time.Hour), Address: "192.0.2.9"}}}
			for i, address := range tt.from {
				uses = append(uses, store.TokenUse{Token: token(admin.NewToken{Name: "t" + string(rune('a'+i))}), Use: hallpass.Use{At: w.Now(), Address: address}})
			}
			if err := w.db.SaveUses(t.Context(), uses); err != nil {
				t.Fatal(err)
			}
			var want []string
			if tt.row != "" {
				want = []string{tt.row + " trust-proxy All requests seem to come from " + tt.row + ", a proxy that is not trusted"}
			}
			if d := cmp.Diff(w.attentionOf(hallpass.AttentionProxy), want); d != "" {
				t.Errorf("got, want:\n%s", d)
			}
		})
	}
}
