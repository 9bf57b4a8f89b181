package hallpass_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// TestLateWarning lets the job run late: a warning that says "one day before" is given one
// day before, so that the end moves.
func TestLateWarning(t *testing.T) {
	made := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(days int) time.Time { return made.AddDate(0, 0, days) }
	p := hallpass.StalePolicy{AfterDays: 10, WarnDays: []int{4, 1}, Pause: true, UpdatedAt: made}
	tok, account := hallpass.Token{CreatedAt: made}, hallpass.ServiceAccount{}
	var s hallpass.Staleness
	for _, run := range []struct {
		day  int
		act  hallpass.StaleAct
		warn int
		end  time.Time
	}{
		{5, hallpass.StaleNothing, 0, time.Time{}},
		{7, hallpass.StaleWarn, 4, at(11)}, // a day late
		{8, hallpass.StaleNothing, 0, time.Time{}},
		{15, hallpass.StaleWarn, 1, at(16)}, // five days late
		{15, hallpass.StaleNothing, 0, time.Time{}},
		{16, hallpass.StalePause, 0, time.Time{}},
	} {
		step := p.Step(tok, account, s, at(run.day)).Due(at(run.day))
		if step.Act != run.act || step.Days != run.warn || !step.End.Equal(run.end) {
			t.Errorf("day %d: %s %d until %s, want %s %d until %s", run.day, step.Act, step.Days, step.End, run.act, run.warn, run.end)
		}
		s = step.Next
	}
}

// TestWarningsAreForgotten disables an account and enables it after the end of which its
// token was warned: there is another warning first.
func TestWarningsAreForgotten(t *testing.T) {
	made := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	p := hallpass.StalePolicy{AfterDays: 10, WarnDays: []int{4}, Pause: true, UpdatedAt: made}
	tok := hallpass.Token{CreatedAt: made}
	var s hallpass.Staleness
	for _, run := range []struct {
		day      int
		disabled bool
		act      hallpass.StaleAct
	}{{6, false, hallpass.StaleWarn}, {7, true, hallpass.StaleNothing}, {30, false, hallpass.StaleWarn}, {33, false, hallpass.StaleNothing}, {34, false, hallpass.StalePause}} {
		now := made.AddDate(0, 0, run.day)
		step := p.Step(tok, hallpass.ServiceAccount{Disabled: run.disabled}, s, now).Due(now)
		if step.Act != run.act {
			t.Errorf("day %d: %q, want %q", run.day, step.Act, run.act)
		}
		s = step.Next
	}
}
