package test_test

import (
	"fmt"
	"time"
)

// rotate swaps a fleet of programs over a rotation, loses the answers of rotations, and
// measures when replaced and paused tokens end and work again.
func (b *bench) rotate() {
	t := b.t
	requests, lost, pauses, uses := 100_000, 1000, 200, 20
	if b.rounds <= 3 { // a short run
		requests, lost, pauses, uses = 4000, 100, 20, 5
	}
	db := newPostgres(t)
	all := steadyNodes(t, db)

	old := all[0].mint()
	f := newFleet(t, all, 20, old.key, 0)
	next := f.swap(t, all[1], old, requests, `{"quietSeconds":15,"reason":"quarterly"}`)
	failed := f.failed.Load()
	b.add(fmt.Sprintf("3 nodes: requests of 20 programs that failed, of %d over a rotation", requests), "%.0f", float64(failed), "0", failed == 0)
	if failed > 0 {
		t.Errorf("%d of %d requests failed, the first with %s", failed, f.answered.Load(), f.failure())
	}
	quiet := f.endsQuiet(t, all, old, next).Seconds()
	b.add("the same, quietSeconds 15: s from the last use of the old token to its end", "%.1f", quiet, "15 to 25", quiet >= 15 && quiet <= 25)

	right := loseAnswers(t, all, lost)
	b.add(fmt.Sprintf("rotations with lost answers that were asked again and ended right, of %d", lost), "%.0f", float64(right), fmt.Sprint(lost), right == int64(lost))

	slowest := 0.0
	for range uses {
		old := all[0].mint()
		slowest = max(slowest, endsAtFirstUse(t, all, old, all[1].replaced(old, `{"quietSeconds":0}`)).Seconds()*1000)
	}
	b.add("quietSeconds 0: ms from the first use to the end on 3 nodes, the longest", "%.0f", slowest, "≤ 2000", slowest <= 2000)

	wrong := pauseOnEveryNode(t, all, pauses)
	b.add(fmt.Sprintf("3 nodes: requests not refused after %d pauses were answered", pauses), "%.0f", float64(wrong), "0", wrong == 0)
	if wrong > 0 {
		t.Errorf("%d requests after a pause were not refused for it", wrong)
	}
	early, late := pauseEnds(t, db, all, 60)
	b.add("pausedFor 60, the database away: ms until it was over on 3 nodes, after its time", "%.1f", late.Seconds()*1000, "≤ 500", early > -clocksDiffer && late <= 500*time.Millisecond)
}
