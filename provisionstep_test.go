package hallpass_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// stepText tells a step in one line.
func stepText(s hallpass.ProvisionStep) string {
	text := string(s.Do)
	for _, c := range s.Changes {
		text += fmt.Sprintf(" %s %q to %q", c.Name, c.Was, c.Now)
	}
	if s.Note != "" {
		text += " (" + s.Note + ")"
	}
	return strings.TrimSpace(text)
}

// TestProvisionStep compares accounts and tokens as files declare them with what is there.
func TestProvisionStep(t *testing.T) {
	noon := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	account := func(role hallpass.Role, disabled bool, roles ...string) hallpass.Declaration {
		return hallpass.Declaration{Section: "service_account.ci", Noun: hallpass.DeclaredAccount, File: "a.toml", Roles: roles, Account: hallpass.ServiceAccount{Name: "ci", Role: role, Disabled: disabled}}
	}
	token := func(hash byte, end time.Time) hallpass.Declaration {
		return hallpass.Declaration{Section: "service_account.ci.token.t", Noun: hallpass.DeclaredToken, File: "a.toml", Token: hallpass.Token{Name: "t", Hash: [32]byte{hash}, ExpiresAt: end}}
	}
	there := func(d hallpass.Declaration, stopped bool) hallpass.Present {
		return hallpass.Present{Declaration: d, Target: "x:1", Applied: hallpass.Provisioned{Section: d.Section, File: "a.toml", Stopped: stopped, Hash: d.Token.Hash}}
	}
	with := func(p hallpass.Present, set func(*hallpass.Present)) hallpass.Present {
		set(&p)
		return p
	}
	byHand := func(p *hallpass.Present) { p.Applied = hallpass.Provisioned{} }
	gone := func(p *hallpass.Present) { p.Target = "" }
	revoked := func(p *hallpass.Present) { p.Revoked = true }
	expired := func(p *hallpass.Present) { p.Expired = true }
	const ended = "this secret was ended, and it stays ended: declare another one"
	for _, tt := range []struct {
		name string
		want hallpass.Declaration
		have hallpass.Present
		step string
	}{
		{"not there", account(hallpass.RoleViewer, false), hallpass.Present{}, "create"},
		{"as it should be", account(hallpass.RoleViewer, false, "a", "b"), there(account(hallpass.RoleViewer, false, "b", "a"), false), ""},
		{"made by hand", account(hallpass.RoleViewer, false), with(there(account(hallpass.RoleAdmin, false), false), byHand), `adopt role "Admin" to "Viewer"`},
		{"changed", account(hallpass.RoleNone, false, "a"), there(account(hallpass.RoleNone, false, "b"), false), `update roles "b" to "a"`},
		{"in another file", account(hallpass.RoleNone, false), with(there(account(hallpass.RoleNone, false), false), func(p *hallpass.Present) { p.Applied.File = "b.toml" }), `update file "b.toml" to "a.toml"`},
		{"disabled by the file", account(hallpass.RoleNone, true), there(account(hallpass.RoleNone, false), false), `update disabled "false" to "true"`},
		{"enabled by the file", account(hallpass.RoleNone, false), there(account(hallpass.RoleNone, true), true), `update disabled "true" to "false"`},
		{"disabled by hand", account(hallpass.RoleViewer, false), there(account(hallpass.RoleNone, true), false), `update role "None" to "Viewer" (somebody disabled it: it stays so until somebody enables it)`},
		{"disabled by hand and as it should be", account(hallpass.RoleNone, false), there(account(hallpass.RoleNone, true), false), `(somebody disabled it: it stays so until somebody enables it)`},
		{"a token", token(1, noon), there(token(1, noon), false), ""},
		{"paused by the files", token(1, noon), there(token(1, noon), true), "update"},
		{"another secret", token(2, noon), there(token(1, noon), false), `rotate secret "01000000…" to "02000000…"`},
		{"another secret and end", token(2, noon.Add(time.Hour)), there(token(1, noon), false), `rotate secret "01000000…" to "02000000…" expires "2026-11-27T12:00:00Z" to "2026-11-27T13:00:00Z"`},
		{"an earlier end", token(1, noon.Add(-time.Hour)), there(token(1, noon), false), `update expires "2026-11-27T12:00:00Z" to "2026-11-27T11:00:00Z"`},
		{"an end where was none", token(1, noon), there(token(1, time.Time{}), false), `update expires "never" to "2026-11-27T12:00:00Z"`},
		{"revoked", token(1, noon), with(there(token(1, noon), false), revoked), "(" + ended + ")"},
		{"revoked, and another secret", token(2, noon), with(there(token(1, noon), false), revoked), "create"},
		{"deleted", token(1, noon), with(there(token(1, noon), false), gone), "(" + ended + ")"},
		{"deleted, and another secret", token(2, noon), with(there(token(1, noon), false), gone), "create"},
		{"revoked, and no file declared it", token(1, noon), with(with(there(token(1, noon), false), revoked), byHand), "(" + ended + ")"},
		{"expired", token(1, noon), with(there(token(1, noon), false), expired), "(the time of this secret is over: declare another one)"},
		{"expired, and another secret", token(2, noon), with(there(token(1, noon), false), expired), `rotate secret "01000000…" to "02000000…"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := tt.want.Step(tt.have)
			if got := stepText(s); err != nil || got != tt.step || s.Nothing() != (tt.step == "") {
				t.Errorf("%s, %v; want %s", got, err, tt.step)
			}
		})
	}
	for _, end := range []time.Time{noon.Add(time.Second), {}} {
		if s, err := token(1, end).Step(there(token(1, noon), false)); err == nil || !strings.Contains(err.Error(), "service_account.ci.token.t.expires: the token ends at 2026-11-27T12:00:00Z") {
			t.Errorf("a longer life: %s, %v", stepText(s), err)
		}
	}
}

// TestProvisionLeave says what becomes of what no file declares any more.
func TestProvisionLeave(t *testing.T) {
	present := func(noun hallpass.DeclaredNoun, file string, stopped, there bool) hallpass.Present {
		target := map[bool]string{true: "x:1"}[there]
		return hallpass.Present{Declaration: hallpass.Declaration{Noun: noun}, Target: target, Applied: hallpass.Provisioned{Section: "x", File: file, Stopped: stopped}}
	}
	for _, tt := range []struct {
		name        string
		p           hallpass.Present
		keep, prune hallpass.ProvisionVerb
	}{
		{"an account", present(hallpass.DeclaredAccount, "a.toml", false, true), hallpass.ProvisionDisable, hallpass.ProvisionDelete},
		{"one that was disabled before", present(hallpass.DeclaredAccount, "", true, true), "", hallpass.ProvisionDelete},
		{"one that somebody changed since", present(hallpass.DeclaredAccount, "", false, true), "", ""},
		{"one that is gone", present(hallpass.DeclaredAccount, "a.toml", false, false), hallpass.ProvisionRelease, hallpass.ProvisionRelease},
		{"an org", present(hallpass.DeclaredOrg, "a.toml", false, true), hallpass.ProvisionRelease, hallpass.ProvisionRelease},
		{"an org before", present(hallpass.DeclaredOrg, "", false, true), "", ""},
	} {
		for prune, want := range map[bool]hallpass.ProvisionVerb{false: tt.keep, true: tt.prune} {
			if s := tt.p.Leave(prune); s.Do != want || s.File() != tt.p.Applied.File || s.Section() != "x" {
				t.Errorf("%s, prune %t: %+v, want %q", tt.name, prune, s, want)
			}
		}
	}
}
