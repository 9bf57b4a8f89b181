package api

import (
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass/internal/verify"
)

// streamWait is how long a client may take to read what it is sent.
const streamWait = 10 * time.Second

// lasting is an answer that lasts longer than a request. What is written to it
// goes out at once, and only while the caller may still be told.
type lasting struct {
	w        http.ResponseWriter
	rc       *http.ResponseController
	listener *verify.Listener
}

// Header returns the answer's headers, to be set before the first Write.
func (l *lasting) Header() http.Header { return l.w.Header() }

// Write sends b; it fails when the client is gone, or may not be told more.
func (l *lasting) Write(b []byte) (n int, err error) {
	err = l.listener.Tell(func() error {
		if err := l.rc.SetWriteDeadline(time.Now().Add(streamWait)); err != nil {
			return err
		}
		if n, err = l.w.Write(b); err != nil {
			return err
		}
		return l.rc.Flush()
	})
	return n, err
}

// cut breaks a Write off.
func (l *lasting) cut() {
	_ = l.rc.SetWriteDeadline(time.Unix(1, 0)) // a connection without deadlines is no connection any more
}
