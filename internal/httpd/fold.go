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

// A Fold keeps the log short where strangers could make it as long as they
// like. Of the requests of one kind from one address the first is logged at
// once, and of those after it a count, once a minute. It is safe for concurrent
// use.
//
// What a known caller does is logged request by request. An answer of 503 is
// our own state and nothing that the caller did: it is folded too.
type Fold struct {
	log *slog.Logger

	mu    sync.Mutex
	kinds map[foldedKind]*folded // guarded by mu
}

// A foldedKind is what requests that are told together agree in.
type foldedKind struct {
	address netip.Addr // of IPv6 the network of 64 bits that one client has; zero: of many addresses
	status  int
	id      string // of the error; of a fault of ours what was asked for
}

// folded is what is still to be told of a kind.
type folded struct {
	level slog.Level
	since time.Time // the last line about them
	more  int       // requests after it
}

// maxFolded bounds the kinds with an address of their own; of more addresses
// only the kind is told.
const maxFolded = 256

// foldedFor is how long requests are counted before the count is told.
const foldedFor = time.Minute

// NewFold returns a Fold that tells its counts to log.
func NewFold(log *slog.Logger) *Fold {
	return &Fold{log: log, kinds: make(map[foldedKind]*folded)}
}

// folds reports whether requests that end like this are told together.
func folds(e *Event, status int) bool {
	return e.Caller == "" || status == http.StatusServiceUnavailable
}

// first reports whether the request is to be logged, and counts it if not.
func (f *Fold) first(e *Event, status int, level slog.Level) bool {
	kind := foldedKind{address: foldedAddress(e.From.Address), status: status}
	var why *hallpass.Error
	if errors.As(e.Err, &why) {
		kind.id = why.ID
	}
	if status >= 500 && status != http.StatusServiceUnavailable {
		kind.id = e.Action // two faults of ours are not one
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

// Tell logs the counts that are due at now. The server calls it every few
// seconds; and with the zero time, which makes all of them due, at its end.
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
