package hallpass

import (
	"fmt"
	"time"
)

// GuardAnswers counts how the API behind a guard answered the built-in proxy within one
// minute. It is a plain value.
type GuardAnswers struct {
	Guard  GuardID
	Minute time.Time // when it began, UTC
	Count  int64
	Failed int64 // of Count: with a status from 500 on, late, or not at all
}

// GuardAnswerRetention is how long GuardAnswers are kept.
const GuardAnswerRetention = 24 * time.Hour

// The API behind a guard fails when at least FailingShare in 100 of its answers are errors,
// in every minute with answers up to the last one, LeastFailed errors at the least, and the
// last of them within FailingWithin.
const (
	FailingShare  = 50
	LeastFailed   = 3
	FailingWithin = time.Hour
)

// A FailingAPI is the API behind a guard that fails. It is a plain value.
type FailingAPI struct {
	Guard   GuardID
	Name    string    // of the guard
	Since   time.Time // when the first minute began in which it failed, GuardAnswerRetention ago at the most
	Last    time.Time // when the last one began
	Answers int64     // from Since on
	Failed  int64     // of Answers
}

// Words says how it fails, as "The API answered 412 of 412 requests with an error".
func (f FailingAPI) Words() string {
	return fmt.Sprintf("The API answered %d of %s with an error", f.Failed, Counted(int(f.Answers), "request"))
}
