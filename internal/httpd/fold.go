package httpd

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// A Fold keeps the log short when strangers send many requests. It groups requests
// of one kind from one address: it logs the first at once, and then once a minute
// how many came after it. It is safe for concurrent use.
//
// Each request of a known caller is logged, unless the answer is 503: a 503 tells
// our own state and not what the caller did.
type Fold struct {
	log *slog.Logger

	mu    sync.Mutex
	kinds map[foldedKind]*folded // guarded by mu
}

// A foldedKind is what the requests of one group have in common.
type foldedKind struct {
	address netip.Addr // of IPv6 the network of 64 bits that one client has; zero: many addresses
	status  int
	id      string // of the error; for a fault of ours the action of the request
}

// folded is what is not yet logged about a kind.
type folded struct {
	level slog.Level
	since time.Time // the last line about them
	more  int       // requests after it
}

// maxFolded bounds the kinds with an address of their own. Requests from further
// addresses are counted together, by their kind alone.
const maxFolded = 256

// foldedFor is how long requests are counted before the count is logged.
const foldedFor = time.Minute

// NewFold returns a Fold that writes its counts to log.
func NewFold(log *slog.Logger) *Fold {
	return &Fold{log: log, kinds: make(map[foldedKind]*folded)}
}

// folds reports whether requests that end like this are grouped.
func folds(e *Event, status int) bool {
	return e.Caller == "" || status == http.StatusServiceUnavailable
}

// first reports whether the request must be logged, and counts it if not.
func (f *Fold) first(e *Event, status int, level slog.Level) bool {
	kind := foldedKind{address: foldedAddress(e.From.Address), status: status}
	var why *hallpass.Error
	if errors.As(e.Err, &why) {
		kind.id = why.ID
	}
	if status >= 500 && status != http.StatusServiceUnavailable {
		kind.id = e.Action // faults in different actions are different faults
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	known := f.kinds[kind]
	if known == nil && len(f.kinds) >= maxFolded {
		kind.address = netip.Addr{}
		known = f.kinds[kind]
	}
	if known == nil {
		f.kinds[kind] = &folded{level: level, since: e.Started}
		return true
	}
	known.more++
	return false
}

func foldedAddress(s string) netip.Addr {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}
	}
	a = a.Unmap().WithZone("")
	if a.Is6() {
		net, _ := a.Prefix(64) // never fails: 64 bits are in every such address
		a = net.Addr()
	}
	return a
}

// Tell logs the counts that are due at now. The server calls it every few seconds,
// and when it stops with the zero time, for which all counts are due.
func (f *Fold) Tell(now time.Time) {
	type line struct {
		foldedKind
		folded
	}
	var lines []line
	f.mu.Lock()
	for kind, k := range f.kinds {
		if !now.IsZero() && now.Sub(k.since) < foldedFor {
			continue
		}
		if k.more == 0 {
			delete(f.kinds, kind)
			continue
		}
		lines = append(lines, line{kind, *k})
		k.since, k.more = now, 0
	}
	f.mu.Unlock()
	for _, l := range lines {
		attrs := []slog.Attr{slog.Int("count", l.more), slog.Time("since", l.since.UTC()), slog.Int("status", l.status)}
		if l.address.IsValid() {
			attrs = append(attrs, slog.String("address", l.address.String()))
		}
		if l.id != "" {
			attrs = append(attrs, slog.String("id", l.id))
		}
		f.log.LogAttrs(context.Background(), l.level, "more requests like one before", attrs...)
	}
}
