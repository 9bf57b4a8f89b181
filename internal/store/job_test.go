package store_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestJobTurns has two nodes want one job: one of them does it, once in its
// period; the other goes on where the first died; and a clock that is set back
// keeps nobody from it.
func TestJobTurns(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		const every = 10 * time.Minute
		take := func(holder string, now time.Time, want store.JobTurn) {
			t.Helper()
			got, err := db.TakeJob(t.Context(), "sweep", holder, now, every)
			if err != nil || got != want {
				t.Fatalf("%s asks at %s and is told %+v, %v; want %+v", holder, now.Format(time.TimeOnly), got, err, want)
			}
		}
		leave := func(holder string, ran time.Time, note string) {
			t.Helper()
			if err := db.LeaveJob(t.Context(), "sweep", holder, ran, note); err != nil {
				t.Fatal(err)
			}
		}
		keep := func(holder string, now time.Time, want bool) {
			t.Helper()
			if mine, err := db.KeepJob(t.Context(), "sweep", holder, now); err != nil || mine != want {
				t.Fatalf("%s keeps the job: %v, %v; want %v", holder, mine, err, want)
			}
		}
		mine := store.JobTurn{Mine: true}
		take("a", noon, mine)
		take("b", noon.Add(time.Second), store.JobTurn{Wait: 29 * time.Second, Holder: "a"})
		keep("a", noon.Add(20*time.Second), true)
		keep("b", noon.Add(20*time.Second), false)
		take("b", noon.Add(40*time.Second), store.JobTurn{Wait: 10 * time.Second, Holder: "a"})
		take("b", noon.Add(51*time.Second), mine) // a died
		keep("a", noon.Add(52*time.Second), false)
		leave("a", noon, "") // and comes back: the job is not its own any more
		leave("b", time.Time{}, "the disk is full")
		take("a", noon.Add(time.Minute), mine)
		leave("a", noon.Add(time.Minute), "")
		take("b", noon.Add(2*time.Minute), store.JobTurn{Wait: 9 * time.Minute, Holder: "a", RanAt: noon.Add(time.Minute)})
		take("a", noon.Add(2*time.Minute), store.JobTurn{Wait: 9 * time.Minute, Holder: "a", RanAt: noon.Add(time.Minute)})
		take("b", noon.Add(11*time.Minute), mine)
		leave("b", time.Time{}, "it was away")
		take("a", noon.Add(-24*time.Hour), mine) // by the clock of yesterday
		take("b", noon.Add(-48*time.Hour), mine) // and of the day before, a's turn lasts too long
		leave("b", noon.Add(-48*time.Hour), "")
		take("a", noon.Add(-48*time.Hour), store.JobTurn{Wait: every, Holder: "b", RanAt: noon.Add(-48 * time.Hour)})
	})
}
