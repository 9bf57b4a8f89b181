package console

import (
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// maxCSVPage is how many rows of a table are read at once.
const maxCSVPage = 400

// writeCSV answers with a table (RFC 4180) of head and the lines that next returns until there
// are no more. If that fails after the first lines, the connection is cut, so that nobody takes
// a part for all.
func (req *request) writeCSV(file string, head []string, next func() (lines [][]string, more bool, err error)) error {
	for begun, more := false, true; more; begun = true {
		lines, again, err := next()
		if err != nil && !begun {
			return err
		}
		if !begun {
			req.w.Header().Set("Content-Type", httpd.MediaCSV+"; charset=utf-8")
			req.w.Header().Set("Content-Disposition", `attachment; filename="`+file+`"`)
			lines = append([][]string{head}, lines...)
		}
		if err == nil {
			_, err = req.w.Write(httpd.CSV(lines...))
		}
		if err != nil {
			httpd.EventOf(req.Context()).Err = err
			panic(http.ErrAbortHandler)
		}
		more = again
	}
	return nil
}

// csvTime returns the time for programs, "" for none.
func csvTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return timestamp{at: at}.RFC()
}
