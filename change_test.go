package hallpass_test

import (
	"encoding/hex"
	"slices"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// TestChainDigestVectors pins the digest's bytes: databases remember them, and
// nodes of different versions compare them. The vectors were computed apart
// from this code.
func TestChainDigestVectors(t *testing.T) {
	var hash [32]byte
	for i := range hash {
		hash[i] = byte(i)
	}
	var digest [32]byte
	for i, step := range []struct {
		change hallpass.Change
		want   string
	}{
		{hallpass.Change{Kind: hallpass.TokenChanged, ID: 7, Hash: hash}, "d3c828534859eb65069e4205ccf96a9924edfb7fd2b6351e8334e18f461ce5e2"},
		{hallpass.Change{Kind: hallpass.ServiceAccountChanged, ID: 3}, "86f8c4f5d2b13baf02e90f20262600befae1b6e106ff6aa450c38c7c57fa3f72"},
	} {
		digest = hallpass.ChainDigest(digest, hallpass.Version(i+1), step.change)
		if got := hex.EncodeToString(digest[:]); got != step.want {
			t.Fatalf("digest at version %d = %s, want %s", i+1, got, step.want)
		}
	}
}

func TestChainDigestTellsHistoriesApart(t *testing.T) {
	base := hallpass.Change{Kind: hallpass.TokenChanged, ID: 7, Hash: [32]byte{1}}
	seen := map[[32]byte]string{}
	for _, tt := range []struct {
		name    string
		before  [32]byte
		version hallpass.Version
		change  hallpass.Change
	}{
		{"base", [32]byte{}, 1, base},
		{"another past", [32]byte{1}, 1, base},
		{"another version", [32]byte{}, 2, base},
		{"another kind", [32]byte{}, 1, hallpass.Change{Kind: hallpass.SessionChanged, ID: 7, Hash: [32]byte{1}}},
		{"another subject", [32]byte{}, 1, hallpass.Change{Kind: hallpass.TokenChanged, ID: 8, Hash: [32]byte{1}}},
		{"another hash", [32]byte{}, 1, hallpass.Change{Kind: hallpass.TokenChanged, ID: 7, Hash: [32]byte{2}}},
	} {
		digest := hallpass.ChainDigest(tt.before, tt.version, tt.change)
		if other, ok := seen[digest]; ok {
			t.Errorf("%s has the digest of %s", tt.name, other)
		}
		seen[digest] = tt.name
	}
}

// TestReach names, for each kind of change, which of these callers it concerns,
// and that a change of another subject concerns none of them.
func TestReach(t *testing.T) {
	account := hallpass.Principal{Kind: hallpass.ServiceAccountPrincipal, ID: 7}
	user := hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 8}
	callers := map[string]hallpass.Caller{
		"token":    {Principal: account, Org: 7, Token: 7},
		"session":  {Principal: user, Org: 7, Session: 7},
		"password": {Principal: hallpass.Principal{Kind: hallpass.UserPrincipal, ID: 7}, Org: 6},
		"nobody":   {},
	}
	want := map[hallpass.ChangeKind][]string{
		hallpass.TokenChanged:          {"token"},
		hallpass.SessionChanged:        {"session"},
		hallpass.ServiceAccountChanged: {"token"},
		hallpass.UserChanged:           {"password"},
		hallpass.OrgChanged:            {"session", "token"},
		hallpass.GuardChanged:          nil, // what it protects is no caller
		hallpass.PermissionsChanged:    {"session", "token"},
		hallpass.ChangedByHand:         {"nobody", "password", "session", "token"},
		"of a newer version":           {"nobody", "password", "session", "token"},
		"":                             {"nobody", "password", "session", "token"},
	}
	for _, kind := range append(hallpass.ChangeKinds(), "of a newer version", "") {
		names, ok := want[kind]
		if !ok {
			t.Errorf("%q: say in this test whom it concerns", kind)
		}
		if got := concerned(hallpass.Change{Kind: kind, ID: 7}, callers); !slices.Equal(got, names) {
			t.Errorf("%q of 7 concerns %v, want %v", kind, got, names)
		}
		everybody := len(names) == len(callers)
		if got := concerned(hallpass.Change{Kind: kind, ID: 99}, callers); len(got) > 0 && !everybody {
			t.Errorf("%q of 99 concerns %v", kind, got)
		}
		if got := concerned(hallpass.Change{Kind: kind}, callers); len(got) > 0 && !everybody && kind != hallpass.PermissionsChanged {
			t.Errorf("%q without a subject concerns %v", kind, got)
		}
	}
	if got := concerned(hallpass.Change{Kind: hallpass.PermissionsChanged}, callers); len(got) != len(callers) {
		t.Errorf("permissions in every org concern only %v", got)
	}
}

// concerned returns the names of those whom the change concerns.
func concerned(c hallpass.Change, callers map[string]hallpass.Caller) []string {
	reach := c.Reach()
	var names []string
	for name, caller := range callers {
		if reach.Concerns(caller) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
