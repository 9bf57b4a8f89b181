package hallpass_test

import (
	"encoding/hex"
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
