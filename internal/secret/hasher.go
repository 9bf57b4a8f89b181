package secret

import (
	"crypto/sha256"
	"hash"
	"sync"
)

// A hasher hashes a token without an allocation, whatever the compiler puts into its
// callers. sha256.Sum256 allocates nothing only where all of it lies in one function:
// compiled by a profile (docs/decisions/0021-compiled-by-a-profile.md) it allocated three
// times. A hasher belongs to one goroutine at a time.
type hasher struct {
	hash  hash.Hash
	token [TokenLen]byte
	sum   [sha256.Size]byte
}

var hashers = sync.Pool{New: func() any { return &hasher{hash: sha256.New()} }}

// sumOf returns the SHA-256 of a text of a token's length.
func (h *hasher) sumOf(s string) [sha256.Size]byte {
	copy(h.token[:], s)
	h.hash.Write(h.token[:])
	h.hash.Sum(h.sum[:0])
	h.hash.Reset()
	return h.sum
}
