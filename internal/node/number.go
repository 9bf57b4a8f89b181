package node

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// numbered are the counters whose last numbers a journal keeps, and what they number:
// one of it, and several.
// What was made since an older copy is lost with it: its number is all that the
// journal can tell of it.
var numbered = []struct{ counter, one, several string }{
	{"principal", "account or user", "accounts and users"}, {"token", "token", "tokens"}, {"org", "org", "orgs"}, {"team", "team", "teams"},
	{"role", "role", "roles"}, {"folder", "folder", "folders"}, {"dashboard", "dashboard", "dashboards"}, {"guard", "guard", "guards"},
}

// missing lists the numbers that were given and that the counters have not come to:
// "token no. 3", "tokens no. 3 to 5".
func missing(counters, given map[string]int64) []string {
	var list []string
	for _, n := range numbered {
		switch from, to := counters[n.counter]+1, given[n.counter]; {
		case from == to:
			list = append(list, fmt.Sprintf("%s no. %d", n.one, to))
		case from < to:
			list = append(list, fmt.Sprintf("%s no. %d to %d", n.several, from, to))
		}
	}
	return list
}

// inWords names the numbers of missing.
func inWords(missing []string) string {
	if len(missing) == 0 {
		return "nothing that has a number"
	}
	return strings.Join(missing, ", ")
}

// missing lists the numbers that the journal knows to be given and the database in
// tx does not.
func (j *Journal) missing(tx *store.Tx) ([]string, error) {
	counters, err := tx.Counters()
	return missing(counters, j.numbers()), err
}

// Count has the journal keep the last numbers that were given. A database that has
// not come to those that the journal knows came back older, and is told them.
func (n *Node) Count(ctx context.Context) error {
	var counters map[string]int64
	err := n.db.Read(ctx, func(tx *store.Tx) (err error) {
		counters, err = tx.Counters()
		return err
	})
	if err != nil {
		return err
	}
	if len(missing(counters, n.journal.numbers())) > 0 {
		_, err := n.raise(ctx)
		return err
	}
	return n.journal.count(counters)
}

// raise has the database give no number again that the journal knows to be given. A
// database that came back older and differs in nothing else lacks what was made
// since: raise returns the numbers of that.
func (n *Node) raise(ctx context.Context) (lost []string, err error) {
	err = n.db.Read(ctx, func(tx *store.Tx) (err error) {
		lost, err = n.journal.missing(tx)
		return err
	})
	if err != nil || len(lost) == 0 {
		return nil, err
	}
	n.report.raised(lost)
	return lost, n.db.Write(ctx, n.raiseCounters)
}

// raiseCounters is raise in tx. The audit tells which numbers are missing.
func (n *Node) raiseCounters(tx *store.Tx) error {
	lost, err := n.journal.missing(tx)
	if err != nil || len(lost) == 0 {
		return err
	}
	if err := tx.RaiseCounters(n.journal.numbers()); err != nil {
		return err
	}
	_, err = tx.Audit(hallpass.AuditEntry{
		At: n.Now(), Action: "history.reapply", Outcome: hallpass.Done, Reason: "the database came back older; made since and lost: " + inWords(lost),
	})
	return err
}

// counted reports whether a journal keeps the last number of the counter.
func counted(counter string) bool {
	return slices.ContainsFunc(numbered, func(n struct{ counter, one, several string }) bool { return n.counter == counter })
}
