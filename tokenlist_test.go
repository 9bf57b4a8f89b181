package hallpass_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// FuzzParseTokenCursor reads what strangers send as a cursor: what is read is written
// as it was sent.
func FuzzParseTokenCursor(f *testing.F) {
	for _, c := range []hallpass.TokenCursor{{}, {ID: 7}, {ID: 7, Number: -1}, {ID: 1 << 60, Number: 1<<63 - 1, Name: "Ärger.\n"}} {
		f.Add(c.String())
	}
	for _, s := range []string{"7", "7.0", "0.0.", "7.0.!", "7.0.AA", "7.0._w", "7..", "-7.0.", "7.0.YQ.", "٧.0."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := hallpass.ParseTokenCursor(s)
		if !ok {
			return
		}
		if again, ok := hallpass.ParseTokenCursor(c.String()); !ok || again != c || c.ID <= 0 {
			t.Errorf("%q is read as %+v, and that again as %+v, %t", s, c, again, ok)
		}
	})
}
