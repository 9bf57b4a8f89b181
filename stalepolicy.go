package hallpass

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A StalePolicy says what an org does about tokens that nobody uses: it warns, pauses
// them, and in the end revokes them. The zero StalePolicy does nothing.
type StalePolicy struct {
	Org        OrgID
	AfterDays  int      // nobody has used a token for so long; 0: the policy is off
	WarnDays   []int    // a warning is given so long before a token is paused or revoked; the longest first
	Pause      bool     // a token that nobody uses is paused; false: there are warnings alone
	RevokeDays int      // a token is revoked when the policy paused it so long ago; 0: never
	Exempt     []string // "owner:…", and "account:…" with an ID: tokens that nothing happens to
	UpdatedAt  time.Time
	UpdatedBy  string // login
}

// Bounds of a policy.
const (
	oneDay       = 24 * time.Hour
	MaxStaleDays = 3650
	maxWarnings  = 10
	maxExempt    = 100
)

// On reports whether the policy does anything.
func (p StalePolicy) On() bool { return p.AfterDays > 0 }

// Same reports whether both say the same, whenever and by whom they were set.
func (p StalePolicy) Same(q StalePolicy) bool {
	return p.AfterDays == q.AfterDays && slices.Equal(p.WarnDays, q.WarnDays) && p.Pause == q.Pause && p.RevokeDays == q.RevokeDays && slices.Equal(p.Exempt, q.Exempt)
}

// longest is how long before anything happens the first warning is given.
func (p StalePolicy) longest() time.Duration {
	if len(p.WarnDays) == 0 {
		return 0
	}
	return time.Duration(p.WarnDays[0]) * oneDay
}

// WarnsFrom returns when a token must have been used last for a first warning about it
// to be given at now or earlier.
func (p StalePolicy) WarnsFrom(now time.Time) time.Time {
	return now.Add(p.longest() - time.Duration(p.AfterDays)*oneDay)
}

// Tidy puts the warnings in order, and returns an Invalid error that names the first
// field whose value is not valid. A policy that does anything warns at least a day
// before: nothing happens to a token without notice.
func (p *StalePolicy) Tidy() error {
	slices.SortFunc(p.WarnDays, func(a, b int) int { return b - a })
	p.WarnDays = slices.Compact(p.WarnDays)
	switch {
	case p.AfterDays < 0 || p.AfterDays > MaxStaleDays:
		return Invalidf("staleAfterDays", "staleAfterDays is not between 0 and %d", MaxStaleDays)
	case p.On() && len(p.WarnDays) == 0:
		return Invalidf("warnDays", "warnDays is missing: nothing happens to a token without a warning, as 14 and 3 days before")
	case len(p.WarnDays) > maxWarnings:
		return Invalidf("warnDays", "warnDays has more than %d warnings", maxWarnings)
	case p.RevokeDays < 0 || p.RevokeDays > MaxStaleDays:
		return Invalidf("deleteAfterPausedDays", "deleteAfterPausedDays is not between 0 and %d", MaxStaleDays)
	case p.RevokeDays > 0 && !p.Pause:
		return Invalidf("deleteAfterPausedDays", "deleteAfterPausedDays needs pause: a token is paused before it is revoked")
	case len(p.Exempt) > maxExempt:
		return Invalidf("exempt", "exempt has more than %d entries", maxExempt)
	}
	for i, d := range p.WarnDays {
		if d < 1 || p.On() && d >= p.AfterDays || p.RevokeDays > 0 && d > p.RevokeDays {
			return Invalidf("warnDays", "warnDays has %d: a warning is at least one day before, later than a token was used last, and not before it is paused", p.WarnDays[i])
		}
	}
	return p.tidyExempt()
}

func (p *StalePolicy) tidyExempt() error {
	for i, e := range p.Exempt {
		kind, name, _ := strings.Cut(strings.TrimSpace(e), ":")
		kind, name = kind+":", strings.TrimSpace(name)
		if kind != exemptOwner && kind != exemptAccount || name == "" {
			return Invalidf("exempt", "exempt[%d] is neither owner:NAME nor account:LOGIN", i)
		}
		if strings.HasSuffix(name, "*") { // whoever writes this means many, and would have exempted none
			return Invalidf("exempt", "exempt[%d] ends with a *: an entry names one owner, or one account by its login, name or ID. To leave all tokens alone, set staleAfterDays to 0", i)
		}
		if err := ValidateText("exempt", name, MaxName); err != nil {
			return err
		}
		p.Exempt[i] = kind + name
	}
	return nil
}

// Exempts reports whether nothing happens to the token of the account: its owner is
// exempt, or the account, by its ID.
func (p StalePolicy) Exempts(t Token, a ServiceAccount) bool {
	owner := t.Owner
	if owner == "" {
		owner = a.Owner
	}
	return p.ExemptsOwner(owner) || slices.Contains(p.Exempt, ExemptAccount(strconv.FormatInt(int64(a.ID), 10)))
}

// exemptAccount begins an exemption of an account, exemptOwner one of an owner.
const (
	exemptAccount = "account:"
	exemptOwner   = "owner:"
)

// ExemptAccount returns the exemption of the account that text names: by its ID, or as
// people write it by its login or name.
func ExemptAccount(text string) string { return exemptAccount + text }

// ExemptedAccount returns what names the account of an exemption, and whether it is one of
// an account.
func ExemptedAccount(exemption string) (text string, ok bool) {
	return strings.CutPrefix(exemption, exemptAccount)
}

// ExemptsOwner reports whether nothing happens to tokens of the owner. Two that have the
// same mail address are one.
func (p StalePolicy) ExemptsOwner(owner string) bool {
	return slices.ContainsFunc(p.Exempt, func(e string) bool {
		name, ok := strings.CutPrefix(e, exemptOwner)
		return ok && ownerKey(name) == ownerKey(owner)
	})
}

func ownerKey(owner string) string {
	if address, ok := MailAddress(owner); ok {
		owner = address
	}
	return NameKey(owner)
}

// A StalePhase says how far a policy has come with a token.
type StalePhase string

// The phases. A token of which nothing is noted is StaleIdle.
const (
	StaleIdle   StalePhase = "idle"   // it works
	StalePaused StalePhase = "paused" // the policy paused it
	StaleHeld   StalePhase = "held"   // somebody else paused it
)

// A Staleness is what a policy has noted about a token. The zero Staleness is nothing.
type Staleness struct {
	Phase   StalePhase
	Since   time.Time // of StaleIdle: since when nobody uses it; else: since when it is paused
	Floor   time.Time // of StaleIdle: when somebody resumed it; of StalePaused: since when nobody used it
	Warned  time.Time // when the first warning of this phase was given, later if another was late: the phase does not end before the longest is over since; zero: none was
	Warning int       // the days of the last warning
}

// Resumed is what is noted of a token when somebody resumes it: nobody has used it since
// then.
func Resumed(at time.Time) Staleness { return Staleness{Phase: StaleIdle, Since: at, Floor: at} }

// IsZero reports whether there is nothing to note.
func (s Staleness) IsZero() bool { return s == Staleness{} }

// A StaleAct is what a policy does to a token.
type StaleAct string

// The acts.
const (
	StaleNothing StaleAct = ""
	StaleWarn    StaleAct = "warn"
	StalePause   StaleAct = "pause"
	StaleRevoke  StaleAct = "revoke"
	StaleResume  StaleAct = "resume" // it was used before it was paused, which was not known then
)

// A StaleStep is the next thing that a policy does to a token, if nobody uses it, and
// what is noted then.
type StaleStep struct {
	Act  StaleAct
	At   time.Time // not before the time that was asked for
	Days int       // of StaleWarn: which warning it is
	End  time.Time // of StaleWarn: when the token is paused or revoked; zero: never
	Next Staleness
	// What is to be noted now, while At has not come.
	Noted Staleness
}

// Due returns the step as it is at now: nothing, while its time has not come.
func (s StaleStep) Due(now time.Time) StaleStep {
	if s.Act == StaleNothing || s.At.After(now) {
		return StaleStep{Next: s.Noted, Noted: s.Noted}
	}
	return s
}

// Step returns what the policy does next to the token of the account, of which s is
// noted. It depends on nothing else, so that a preview and the job that acts agree.
//
// Nothing happens to a token that was used within AfterDays, and nothing before the
// longest warning is over that was given since the policy was set: so nothing happens
// either while the policy is younger than that.
func (p StalePolicy) Step(t Token, a ServiceAccount, s Staleness, now time.Time) StaleStep {
	step := p.step(t, a, s, now)
	if step.Act == StaleNothing {
		step.Noted = step.Next
	}
	step.Next, step.Noted = step.Next.short(), step.Noted.short()
	return step
}

// short returns the staleness; nothing, if it says nothing more than the token.
func (s Staleness) short() Staleness {
	if s.Phase == StaleIdle && s.Floor.IsZero() && s.Warned.IsZero() {
		return Staleness{}
	}
	return s
}

func (p StalePolicy) step(t Token, a ServiceAccount, s Staleness, now time.Time) StaleStep {
	switch state := t.State(now, a.Disabled); {
	case state == TokenBlocked || state == TokenOverlapping:
		s.Warned, s.Warning = time.Time{}, 0 // it cannot be used, or is about to end: when that is over there are warnings again
		return StaleStep{Next: s}
	case state == TokenPaused:
		return p.stepPaused(t, a, s, now)
	case state != TokenLive:
		return StaleStep{}
	}
	if s.Phase == StalePaused || s.Phase == StaleHeld {
		s = Staleness{Floor: now}
		if !t.Pause.Until.IsZero() && t.Pause.Until.Before(now) {
			s.Floor = t.Pause.Until
		}
	}
	since := latest(t.CreatedAt, t.LastUse.At, s.Floor, t.Pause.Until)
	if since.After(s.Floor) {
		s.Floor = time.Time{}
	}
	if s.Phase != StaleIdle || !s.Since.Equal(since) {
		s = Staleness{Phase: StaleIdle, Since: since, Floor: s.Floor}
	}
	step := StaleStep{Next: s}
	if p.On() && !p.Exempts(t, a) {
		act := StaleNothing
		if p.Pause {
			act = StalePause
		}
		step = p.countDown(s, since.Add(time.Duration(p.AfterDays)*oneDay), now, act)
	}
	if step.Act == StalePause {
		step.Next = Staleness{Phase: StalePaused, Since: step.At, Floor: since}
	}
	return step
}

// stepPaused is Step for a token that is paused.
func (p StalePolicy) stepPaused(t Token, a ServiceAccount, s Staleness, now time.Time) StaleStep {
	if s.Phase != StalePaused || !s.Since.Equal(t.Pause.Since) {
		return StaleStep{Next: Staleness{Phase: StaleHeld, Since: t.Pause.Since}}
	}
	if t.LastUse.At.After(s.Floor) {
		return StaleStep{Act: StaleResume, At: now, Next: Resumed(now), Noted: s}
	}
	if !p.On() || p.RevokeDays == 0 || p.Exempts(t, a) {
		return StaleStep{Next: s}
	}
	step := p.countDown(s, s.Since.Add(time.Duration(p.RevokeDays)*oneDay), now, StaleRevoke)
	if step.Act == StaleRevoke {
		step.Next = Staleness{}
	}
	return step
}

// countDown returns the next warning before the token's phase ends at due, or, when all
// were given, the act. The phase ends later if a warning was late.
func (p StalePolicy) countDown(s Staleness, due, now time.Time, act StaleAct) StaleStep {
	noted := s
	if s.Warned.IsZero() || s.Warned.Before(p.UpdatedAt) {
		at := latest(due.Add(-p.longest()), p.UpdatedAt, now)
		s.Warned, s.Warning = at, p.WarnDays[0]
		return StaleStep{Act: StaleWarn, At: at, Days: s.Warning, End: endOf(act, at.Add(p.longest())), Next: s, Noted: noted}
	}
	due = latest(due, s.Warned.Add(p.longest()))
	next := 0
	for _, w := range p.WarnDays { // of those that are due already only the last one is given
		if w < s.Warning && (next == 0 || !now.Before(due.Add(-time.Duration(w)*oneDay))) {
			next = w
		}
	}
	if next > 0 {
		at := latest(due.Add(-time.Duration(next)*oneDay), now)
		if end := at.Add(time.Duration(next) * oneDay); end.After(due) { // it is late: the phase goes on for as long as it says
			due, s.Warned = end, end.Add(-p.longest())
		}
		s.Warning = next
		return StaleStep{Act: StaleWarn, At: at, Days: next, End: endOf(act, due), Next: s, Noted: noted}
	}
	if act == StaleNothing {
		return StaleStep{Next: s}
	}
	return StaleStep{Act: act, At: latest(due, now), Next: s, Noted: noted}
}

// endOf is when the act comes about, zero if it does not.
func endOf(act StaleAct, at time.Time) time.Time {
	if act == StaleNothing {
		return time.Time{}
	}
	return at
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// Future returns what the policy does to the token from now on until the time, if nobody
// uses or resumes it.
func (p StalePolicy) Future(t Token, a ServiceAccount, s Staleness, now, until time.Time) (steps []StaleStep) {
	for len(steps) < 2*maxWarnings+3 { // each step is another: this only stops a fault
		step := p.Step(t, a, s, now)
		if step.Act == StaleNothing || step.At.After(until) {
			break
		}
		steps = append(steps, step)
		switch step.Act {
		case StalePause:
			t.Pause = Pause{Since: step.At}
		case StaleResume:
			t.Pause = Pause{}
		case StaleRevoke:
			return steps
		}
		s, now = step.Next, step.At
	}
	return steps
}

// Words returns what the step is, and why, for people.
func (s StaleStep) Words(idle time.Time) string {
	unused := "nobody has used it since " + idle.UTC().Format(time.DateOnly)
	switch s.Act {
	case StaleWarn:
		if s.End.IsZero() {
			return unused
		}
		what := "paused"
		if s.Next.Phase == StalePaused {
			what = "revoked"
		}
		return fmt.Sprintf("%s: it will be %s on %s", unused, what, s.End.UTC().Format(time.DateOnly))
	case StaleResume:
		return "it was used just before it was paused"
	}
	return unused
}
