package api

import (
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass/internal/verify"
)

// streamWriteTimeout is how long a client may take to read one write.
const streamWriteTimeout = 10 * time.Second

// A streamWriter writes an answer that lasts. Each Write sends its bytes at once, and
// fails when the caller's credential no longer permits the answer.
type streamWriter struct {
	w        http.ResponseWriter
	rc       *http.ResponseController
	listener *verify.Listener
}

// Header returns the answer's headers, to be set before the first Write.
func (l *streamWriter) Header() http.Header { return l.w.Header() }

// Write sends b. It fails when the client is gone or its credential was ended.
func (l *streamWriter) Write(b []byte) (n int, err error) {
	err = l.listener.Tell(func() error {
		if err := l.rc.SetWriteDeadline(time.Now().Add(streamWriteTimeout)); err != nil {
			return err
		}
		if n, err = l.w.Write(b); err != nil {
			return err
		}
		return l.rc.Flush()
	})
	return n, err
}

// cut ends a Write that is in progress.
func (l *streamWriter) cut() {
	_ = l.rc.SetWriteDeadline(time.Unix(1, 0)) // fails only for a connection that is closed
}
