package httpd

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// statusOf is the one table from kinds to statuses.
var statusOf = map[hallpass.Kind]int{
	hallpass.Internal:        http.StatusInternalServerError,
	hallpass.Invalid:         http.StatusBadRequest,
	hallpass.Unauthenticated: http.StatusUnauthorized,
	hallpass.Denied:          http.StatusForbidden,
	hallpass.NotFound:        http.StatusNotFound,
	hallpass.Conflict:        http.StatusConflict,
	hallpass.Limited:         http.StatusTooManyRequests,
	hallpass.Unavailable:     http.StatusServiceUnavailable,
}

// statusOfID holds the few IDs whose status is another than that of their kind.
var statusOfID = map[string]int{
	"serviceaccounts.ErrAlreadyExists":      http.StatusBadRequest,
	"serviceaccounts.ErrTokenAlreadyExists": http.StatusBadRequest,
	"org.name-taken":                        http.StatusBadRequest,
	"request.too-large":                     http.StatusRequestEntityTooLarge,
	"request.unsupported-media-type":        http.StatusUnsupportedMediaType,
	"request.headers-too-large":             http.StatusRequestHeaderFieldsTooLarge,
	"request.method-not-allowed":            http.StatusMethodNotAllowed,
	"apikeys.gone":                          http.StatusGone,
	"team.group-taken":                      http.StatusBadRequest,
	"user.exists":                           http.StatusPreconditionFailed,
	"folder.version-mismatch":               http.StatusPreconditionFailed,
	"dashboard.version-mismatch":            http.StatusPreconditionFailed,
	"guard.version-mismatch":                http.StatusPreconditionFailed,
	"search.limit":                          http.StatusUnprocessableEntity,
	"token.rotation-key-reused":             http.StatusUnprocessableEntity,
	"guard.loop":                            http.StatusLoopDetected,
	"guard.upstream-down":                   http.StatusBadGateway,
	"guard.upstream-slow":                   http.StatusGatewayTimeout,
	"guard.no-upstream":                     http.StatusBadGateway,
	"database.unknown-outcome":              http.StatusGatewayTimeout, // 503 says that nothing was changed
}

// Status returns the status that err is answered with.
func Status(err error) int {
	var e *hallpass.Error
	if errors.As(err, &e) {
		if s, ok := statusOfID[e.ID]; ok {
			return s
		}
	}
	return statusOf[hallpass.KindOf(err)]
}

// statusWordOfID holds the words in "status" by which clients of folders and
// dashboards distinguish errors.
var statusWordOfID = map[string]string{
	"folder.not-found":           "not-found",
	"folder.version-mismatch":    "version-mismatch",
	"dashboard.not-found":        "not-found",
	"dashboard.empty-name":       "empty-name",
	"dashboard.version-mismatch": "version-mismatch",
}

// ErrorBody is the JSON of every error. It has all keys of Grafana's forms, in the
// order of the alphabet.
type ErrorBody struct {
	AccessErrorID string          `json:"accessErrorId,omitempty"`
	Error         string          `json:"error,omitempty"`
	Extra         json.RawMessage `json:"extra,omitempty"`
	Message       string          `json:"message"`
	MessageID     string          `json:"messageId"`
	Status        string          `json:"status,omitempty"`
	StatusCode    int             `json:"statusCode"`
	Title         string          `json:"title,omitempty"`
	Token         any             `json:"token,omitempty"` // what is told of the token that a Conflict is about
	TraceID       string          `json:"traceID"`
	UserID        int64           `json:"userId,omitempty"` // the user that a Conflict is about
}

// defaultID names an error that has no ID of its own.
var defaultID = map[hallpass.Kind]string{
	hallpass.Internal:        "internal",
	hallpass.Invalid:         hallpass.MalformedID,
	hallpass.Unauthenticated: "auth.unauthorized",
	hallpass.Denied:          "accesscontrol.Denied",
	hallpass.NotFound:        "not-found",
	hallpass.Conflict:        "conflict",
	hallpass.Limited:         "limited",
	hallpass.Unavailable:     "unavailable",
}

// BodyOf returns what the caller is told about err. For an Internal error that is
// only the request's ID.
func BodyOf(err error, requestID string) ErrorBody {
	kind := hallpass.KindOf(err)
	b := ErrorBody{MessageID: defaultID[kind], StatusCode: Status(err), TraceID: requestID}
	b.Message = http.StatusText(b.StatusCode)
	var e *hallpass.Error
	if !errors.As(err, &e) || kind == hallpass.Internal {
		if kind == hallpass.Internal {
			b.Message = "Internal server error"
		}
		return b
	}
	if e.ID != "" {
		b.MessageID, b.Status = e.ID, statusWordOfID[e.ID]
	}
	var about interface{ Subject() int64 }
	if errors.As(err, &about) {
		b.UserID = about.Subject()
	}
	var token interface{ Token() any }
	if errors.As(err, &token) {
		b.Token = token.Token()
	}
	if e.Message != "" {
		b.Message = e.Message
	}
	switch {
	case e.ID == hallpass.MalformedID:
		b.Message, b.Error = "Bad request data", e.Message
	case e.Kind == hallpass.Unauthenticated:
		b.Extra = json.RawMessage("null")
	case e.Kind == hallpass.Denied && e.Needs != "":
		b.Title, b.AccessErrorID = "Access denied", accessErrorID()
	}
	return b
}

// accessErrorID returns "ACE" and ten digits, by which a denial is found in the log.
func accessErrorID() string {
	n, _ := rand.Int(rand.Reader, big.NewInt(1e10)) // never fails: crypto/rand aborts the program instead
	return fmt.Sprintf("ACE%010d", n)
}

// SetErrorHeaders sets the headers that go with err: WWW-Authenticate with a
// 401, Retry-After with a 429, a 503 and a 409 that is over soon, and those of the rate
// of a token that is used too often.
func SetErrorHeaders(h http.Header, err error) {
	var e *hallpass.Error
	_ = errors.As(err, &e) // e stays nil for an error of another type
	switch Status(err) {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="hallpass"`)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		after := time.Second
		if e != nil {
			after = max(after, e.RetryAfter)
			SetRateHeaders(h, e.Rate)
		}
		setRetryAfter(h, after)
	case http.StatusConflict:
		if e != nil && e.RetryAfter > 0 {
			setRetryAfter(h, e.RetryAfter)
		}
	}
}

func setRetryAfter(h http.Header, after time.Duration) {
	h.Set("Retry-After", strconv.Itoa(int(math.Ceil(after.Seconds()))))
}

// basicChallenge tells a client that sent a Basic credential that we read it as
// UTF-8 (RFC 7617): the same password in Latin-1 has other bytes.
const basicChallenge = `Basic realm="hallpass", charset="UTF-8"`

// WriteError answers with err as JSON and records it in the request's event.
func WriteError(w http.ResponseWriter, r *http.Request, err error) {
	e := EventOf(r.Context())
	e.Err = err
	body := BodyOf(err, e.RequestID())
	e.AccessID = body.AccessErrorID
	SetErrorHeaders(w.Header(), err)
	if body.StatusCode == http.StatusUnauthorized && ReadAuthorization(r.Header["Authorization"]).basic() {
		w.Header().Add("WWW-Authenticate", basicChallenge)
	}
	WriteJSON(w, body.StatusCode, body)
}

var contentJSON = []string{"application/json; charset=UTF-8"}

// WriteJSON answers with v as JSON, without a trailing newline, as Grafana
// does.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("httpd: an answer does not marshal: %v", err)) // the build is broken
	}
	WriteJSONBytes(w, status, b)
}

// WriteJSONBytes answers with JSON that is already encoded.
func WriteJSONBytes(w http.ResponseWriter, status int, b []byte) {
	w.Header()["Content-Type"] = contentJSON
	w.WriteHeader(status)
	_, _ = w.Write(b) // fails only when the client has gone away
}
