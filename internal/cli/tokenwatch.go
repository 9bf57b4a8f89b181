package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// stillUsed is the exit status of a watch whose old token ended while it was in use.
const stillUsed = 6

func watchToken(r *remote) *cobra.Command {
	var every string
	cmd := r.verb("watch ACCOUNT TOKEN", "Show who still uses the old token of a rotation, until it has ended", func(s *session) error {
		n, err := seconds("every", every)
		if err != nil {
			return err
		}
		if n < 1 {
			return errors.New("--every must be at least 1s")
		}
		p, err := s.pair()
		if err != nil {
			return err
		}
		w := watch{session: s, every: time.Duration(n) * time.Second, seen: make(map[place]string)}
		if p.open() {
			w.closes = endOf(p.old)
		}
		return w.run(p)
	})
	cmd.Long = `Show which clients use the old token of a rotation and which the new one, until the
old token has ended. A client is an address with a user agent: "old" uses the old
token, "new" the new one, and "away" used the old one before the rotation and has not
been back since. Of an old token that has ended, show which clients it was refused to
within a day: they need the new one. TOKEN is the name, or the id of the old or the new
token. Uses are shown some seconds late.

With -o json each change is one JSON object on its own line.

The exit status is 0 when the old token ended and nobody used it any more, 6 when its
time was over while somebody still used it, and 1 when the rotation was undone or an
error ended the watch. Ctrl-C ends the watch and changes nothing.`
	cmd.Example = `  hallpass token watch ci deploy
  hallpass token watch ci deploy -o json | jq -r '.waiting[].address'`
	cmd.Flags().StringVar(&every, "every", "5s", "how often the server is asked")
	return cmd
}

// A place is what uses a token: an address and a user agent.
type place struct{ address, agent string }

// A watch shows a rotation until it is over.
type watch struct {
	*session
	every  time.Duration
	closes *time.Time // when the old token was to end at the latest, as long as it worked; nil: it had ended already

	seen   map[place]string // what was printed of each client
	absent bool             // it was said what "away" means
	last   string           // the last line about what the rotation waits for
	lastAt time.Time
	failed time.Time // when the server could first not be reached; zero: it can
}

// A watchLine is what a watch knows at a time, and one line of its JSON.
type watchLine struct {
	Time    time.Time         `json:"time"`
	State   string            `json:"state"` // "waiting", "ended", "ended-in-use" or "undone"
	Old     wire.Token        `json:"old"`
	New     wire.Token        `json:"new"`
	Waiting []wire.TokenPlace `json:"waiting"` // clients of the old token that have not used the new one since
	Moved   []wire.TokenPlace `json:"moved"`   // clients of the new token
	Refused []try             `json:"refused"` // clients that the old token was refused to, once it has ended
}

// run prints what changes until the old token has ended.
func (w *watch) run(p pair) error {
	if !w.json {
		if err := w.introduce(p); err != nil {
			return err
		}
	}
	for {
		line, err := w.look(p)
		switch {
		case err != nil && !w.patient(err):
			return err
		case err == nil:
			if err := w.show(line); err != nil || line.State != "waiting" {
				return errors.Join(err, w.verdict(line))
			}
		}
		if !sleep(w.ctx, w.every) {
			return w.ctx.Err()
		}
	}
}

// introduce says what is watched.
func (w *watch) introduce(p pair) error {
	if err := w.say("The token %s of %s is replaced by id %d (…%s).", idName(p.old), p.account.Name, p.new.ID, p.new.LastFour); err != nil {
		return err
	}
	if !p.open() || p.old.QuietSeconds == nil {
		return nil
	}
	return w.say("It ends %s, at %s at the latest. Then this watch ends too; Ctrl-C ends it earlier and changes nothing.", quietText(*p.old.QuietSeconds), exactText(w.closes))
}

// patience is how long a server may not answer before the watch gives up: it may be
// restarted meanwhile.
const patience = 2 * time.Minute

// patient reports whether the watch goes on after an error.
func (w *watch) patient(err error) bool {
	if wait, _ := lostAnswer(err); wait == 0 || w.ctx.Err() != nil {
		return false
	}
	if w.failed.IsZero() {
		w.failed = time.Now()
		_ = w.say("%v; trying again", w.told(err)) // the next error is returned
	}
	return time.Since(w.failed) < patience
}

// look asks the server for both tokens and who uses them.
func (w *watch) look(p pair) (watchLine, error) {
	all, err := w.Tokens(w.ctx, p.account.ID)
	if err != nil {
		return watchLine{}, err
	}
	line := watchLine{Time: time.Now().UTC(), State: "waiting", Old: tokenOf(all, &p.old.ID), New: tokenOf(all, &p.new.ID), Waiting: []wire.TokenPlace{}, Moved: []wire.TokenPlace{}, Refused: []try{}}
	if line.Old.ID == 0 || line.New.ID == 0 {
		return line, fmt.Errorf("a token of the rotation was deleted: %q shows those that are there", shellLine("token", "list", w.args[0]))
	}
	old, err := w.TokenUsage(w.ctx, p.account.ID, p.old.ID, usageDays)
	if err != nil {
		return line, err
	}
	fresh, err := w.TokenUsage(w.ctx, p.account.ID, p.new.ID, usageDays)
	if err != nil {
		return line, err
	}
	w.failed = time.Time{}
	line.Moved = append(line.Moved, fresh.Places...)
	line.Waiting = append(line.Waiting, waiting(old.Places, fresh.Places)...)
	if line.State = w.stateOf(line); ended(line.Old) {
		line.Refused, err = w.tries(p.old.ID)
	}
	return line, err
}

// waiting returns the clients of the old token that did not use the new one later.
func waiting(old, fresh []wire.TokenPlace) []wire.TokenPlace {
	return slices.DeleteFunc(slices.Clone(old), func(o wire.TokenPlace) bool {
		return slices.ContainsFunc(fresh, func(n wire.TokenPlace) bool {
			return n.Address == o.Address && n.UserAgent == o.UserAgent && n.LastUsed.After(o.LastUsed)
		})
	})
}

// stateOf returns the state of the rotation.
func (w *watch) stateOf(l watchLine) string {
	switch {
	case l.Old.ReplacedByID == nil:
		return "undone"
	case !ended(l.Old):
		w.closes = endOf(l.Old)
		return "waiting"
	case w.inUse(l.Old):
		return "ended-in-use"
	}
	return "ended"
}

// inUse reports whether the old token ended because its time was over, though somebody
// used it within its quiet time before that.
func (w *watch) inUse(old wire.Token) bool {
	end := endOf(old)
	if end == nil || w.closes == nil || end.Before(*w.closes) || old.LastUsedAt == nil || old.QuietSeconds == nil {
		return false
	}
	quiet := max(time.Duration(*old.QuietSeconds)*time.Second, hallpass.LeastQuiet)
	return old.LastUsedAt.After(old.ClosesAt.Add(-quiet))
}

// show prints what has changed since the last line: of each client which token it uses,
// and what the rotation waits for.
func (w *watch) show(l watchLine) error {
	changed, about := w.changes(l), waitingText(l)
	if l.State == "waiting" && (about != w.last || time.Since(w.lastAt) >= time.Minute) {
		changed, w.last, w.lastAt = append(changed, about), about, time.Now()
	}
	if w.json {
		if len(changed) == 0 && l.State == "waiting" {
			return nil
		}
		return json.NewEncoder(w.out).Encode(l)
	}
	for _, text := range changed {
		if _, err := fmt.Fprintln(w.out, logTime(l.Time), printable(text)); err != nil {
			return err
		}
	}
	return nil
}

// awayMeans says before the first client that is away what that means.
const awayMeans = `"away": used the old token before the rotation, and has sent nothing since. Give it the new one before the old one ends.`

// changes returns a line for each client that was not there before, or that uses the other
// token now.
func (w *watch) changes(l watchLine) (lines []string) {
	for _, side := range []struct {
		name string
		list []wire.TokenPlace
	}{{"new", l.Moved}, {"old", l.Waiting}} {
		for _, c := range side.list {
			key := place{c.Address, c.UserAgent}
			name := side.name
			if name == "new" && stillOld(l.Waiting, key) {
				continue // it uses both
			}
			if name == "old" && c.LastUsed.Before(l.New.Created) {
				name = "away"
			}
			if w.seen[key] != name {
				w.seen[key] = name
				if name == "away" && !w.absent {
					w.absent, lines = true, append(lines, awayMeans)
				}
				lines = append(lines, fmt.Sprintf("%-5s %s  %s  %s  %s", name, c.Address, orDash(c.UserAgent), c.Route, relative(&c.LastUsed, l.Time)))
			}
		}
	}
	return lines
}

func stillOld(waiting []wire.TokenPlace, key place) bool {
	return slices.ContainsFunc(waiting, func(c wire.TokenPlace) bool { return c.Address == key.address && c.UserAgent == key.agent })
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// waitingText counts the clients of the old token, and when it was last used.
func waitingText(l watchLine) string {
	var old, away int
	for _, c := range l.Waiting {
		if c.LastUsed.Before(l.New.Created) {
			away++
		} else {
			old++
		}
	}
	return fmt.Sprintf("clients: %d use the old token, %d are away, %d use the new one", old, away, len(l.Moved))
}

// verdict is how the watch ends: when the old token ended, and who still tries it.
func (w *watch) verdict(l watchLine) error {
	if l.State == "undone" {
		return fmt.Errorf("the rotation was undone: the old token %s works on, the new one has ended", idName(l.Old))
	}
	if !w.json {
		if err := w.say("%s", endText(l)); err != nil {
			return err
		}
		if err := w.printTables("Nobody has tried it since.", triesTable(l.Refused)); err != nil {
			return err
		}
	}
	if l.State == "ended-in-use" {
		return &ExitError{Status: stillUsed}
	}
	return nil
}

// endText says when the old token ended, and when it was last used.
func endText(l watchLine) string {
	text := fmt.Sprintf("The old token %s ended at %s", idName(l.Old), exactText(endOf(l.Old)))
	switch used := l.Old.LastUsedAt; {
	case l.State == "ended-in-use":
		return text + ", when its time was over. It was still used " + spanText(int64(endOf(l.Old).Sub(*used)/time.Second)) + " before."
	case used == nil:
		return text + ". It was never used."
	default:
		return text + ". It was last used at " + exactText(used) + "."
	}
}
