// Package client is the Go client of the HTTP API. Programs outside of this module may
// import it, and package wire.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass/wire"
)

// A Client calls one server with one credential. It is safe for concurrent use.
// Printing a Client does not show its secret.
type Client struct {
	url  string
	as   Credential
	org  int64
	http *http.Client
}

// A Credential is sent with every request, as Bearer or Basic. The zero Credential
// sends nothing.
type Credential struct{ set func(*http.Request) }

// Bearer returns the credential of a service account's token.
func Bearer(token string) Credential {
	return Credential{func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }}
}

// Basic returns the credential of a user: login or e-mail address, and password.
func Basic(login, password string) Credential {
	return Credential{func(r *http.Request) { r.SetBasicAuth(login, password) }}
}

// Options set up a Client.
type Options struct {
	Credential Credential
	Org        int64 // the org to work in; 0 means the credential's own
}

// New returns a client of the server at baseURL, such as "http://127.0.0.1:3080". It
// sends the token.
func New(baseURL, token string) *Client {
	return NewWith(baseURL, Options{Credential: Bearer(token)})
}

// NewWith returns a client of the server at baseURL with the options.
func NewWith(baseURL string, o Options) *Client {
	return &Client{url: strings.TrimRight(baseURL, "/"), as: o.Credential, org: o.Org, http: &http.Client{
		Timeout: 30 * time.Second,
		// The API never redirects. The client follows no redirect, which could send the
		// secret to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// An Error is the answer to a request that failed.
type Error struct {
	Status    int    // HTTP status
	MessageID string // as "api-key.expired"
	Message   string
	Detail    string // which field of the input breaks a rule, if the server says so

	RetryAfter time.Duration // when to send the request again, if the server says so
	Token      *wire.Token   // the token that a 409 is about, as the one that replaces another already; nil: none
}

// Error returns the status and the message of the server.
func (e *Error) Error() string {
	if e.Detail != "" {
		return fmt.Sprintf("%d: %s: %s", e.Status, e.Message, e.Detail)
	}
	return fmt.Sprintf("%d: %s", e.Status, e.Message)
}

// missing reports whether err says that a thing does not exist.
func missing(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.Status == http.StatusNotFound || e.Status == http.StatusBadRequest)
}

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 8 << 20

// do sends in as JSON and reads the answer into out; either may be nil. It returns the
// bytes of the answer. If the request fails, the error is an *Error. No error holds
// the credential or what was sent.
func (c *Client) do(ctx context.Context, method, path string, in, out any) ([]byte, error) {
	r, err := c.request(ctx, method, path, in)
	if err != nil {
		return nil, err
	}
	return c.send(r, out)
}

// send is do for a request that is made.
func (c *Client) send(r *http.Request, out any) ([]byte, error) {
	method, path := r.Method, r.URL.RequestURI()
	res, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }() // the body was read, or the call failed
	raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	case len(raw) > maxAnswer:
		return nil, fmt.Errorf("%s %s: the answer is larger than %d MiB", method, path, maxAnswer>>20)
	case res.StatusCode >= 300:
		return raw, errorOf(res, raw)
	case out == nil:
		return raw, nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return raw, fmt.Errorf("%s: the answer is not the API's JSON: %w", path, err)
	}
	return raw, nil
}

// errAddress replaces the error of the parser, which would repeat the address and any
// password in it.
var errAddress = errors.New("the server's address is not a URL like http://127.0.0.1:3080")

func (c *Client) request(ctx context.Context, method, path string, in any) (*http.Request, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, errAddress
	}
	if c.as.set != nil {
		c.as.set(r)
	}
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.org != 0 {
		r.Header.Set("X-Grafana-Org-Id", strconv.FormatInt(c.org, 10))
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "hallpass")
	return r, nil
}

func errorOf(res *http.Response, raw []byte) *Error {
	e := &Error{Status: res.StatusCode, Message: http.StatusText(res.StatusCode)}
	if n, err := strconv.Atoi(res.Header.Get("Retry-After")); err == nil && n > 0 && n < 1e6 {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	if to := res.Header.Get("Location"); to != "" {
		e.Detail = "the server sends us on to " + to
	}
	var body struct {
		Message, MessageID string
		Error              any // Hallpass sends a text, Grafana sometimes an object
		Token              json.RawMessage
	}
	if json.Unmarshal(raw, &body) == nil && body.Message != "" {
		e.Message, e.MessageID = body.Message, body.MessageID
		if text, ok := body.Error.(string); ok {
			e.Detail = text
		}
		_ = json.Unmarshal(body.Token, &e.Token) // the status and the message are enough if the server sends something else
	}
	return e
}

// call is do for an answer of type Out.
func call[Out any](ctx context.Context, c *Client, method, path string, in any) (Out, error) {
	var out Out
	_, err := c.do(ctx, method, path, in, &out)
	return out, err
}

// keyed is call for a POST with an Idempotency-Key; "" is none.
func keyed[Out any](ctx context.Context, c *Client, path string, in any, key string) (Out, error) {
	var out Out
	r, err := c.request(ctx, http.MethodPost, path, in)
	if err != nil {
		return out, err
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	_, err = c.send(r, &out)
	return out, err
}

// stream is a GET of the kind of content, whose answer read gets as it comes. It has no
// time limit but ctx.
func (c *Client) stream(ctx context.Context, path, kind string, read func(io.Reader) error) error {
	r, err := c.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", kind)
	patient := *c.http
	patient.Timeout = 0 // only ctx ends it
	res, err := patient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }() // the body was read, or the call failed
	if res.StatusCode >= 300 {
		raw, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
		if err != nil {
			return fmt.Errorf("GET %s: %w", path, err)
		}
		return errorOf(res, raw)
	}
	return read(res.Body)
}

// export is stream with a whole list, which it writes to w.
func (c *Client) export(ctx context.Context, path, kind string, w io.Writer) error {
	return c.stream(ctx, path, kind, func(body io.Reader) error {
		if _, err := io.Copy(w, body); err != nil {
			return fmt.Errorf("the export was cut off and is not whole: %w", err)
		}
		return nil
	})
}

// tell is do for an answer that has only a message.
func (c *Client) tell(ctx context.Context, method, path string, in any) (wire.Message, error) {
	return call[wire.Message](ctx, c, method, path, in)
}

// perPage is how many rows the client requests for a page. It is the default of
// servers too.
const perPage = 1000

// maxPages ends the walk if a server has rows on every page without end.
const maxPages = 10000

// pages gathers the rows of all pages. The first empty page ends it.
func pages[Row any](first int, query url.Values, page func(url.Values) ([]Row, error)) ([]Row, error) {
	all := []Row{}
	for n := range maxPages {
		query.Set("page", strconv.Itoa(first+n))
		query.Set("perpage", strconv.Itoa(perPage))
		rows, err := page(query)
		if err != nil {
			return nil, err
		}
		if len(rows) == 0 {
			return all, nil
		}
		all = append(all, rows...)
	}
	return nil, fmt.Errorf("the list has more than %d pages", maxPages)
}

// find returns what ref names: digits are an id; anything else is tried as a uid
// first, and then as a name.
func find[T any](ref string, byID, byName func(string) (T, error)) (T, error) {
	if _, err := strconv.ParseInt(ref, 10, 64); err == nil {
		return byID(ref)
	}
	if likeUID(ref) {
		if v, err := byID(ref); !missing(err) {
			return v, err
		}
	}
	return byName(ref)
}

// likeUID reports whether s may be a uid: up to 40 letters, digits, - and _.
func likeUID(s string) bool {
	return s != "" && len(s) <= 40 && strings.Trim(s, "-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") == ""
}

// one returns the only row that fits. If none fits, the error is an *Error like that
// of a server. If several fit, it is an error that asks the caller for the id.
func one[Row any](kind, name string, rows []Row, fits func(Row) bool) (Row, error) {
	var found []Row
	for _, r := range rows {
		if fits(r) {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		var none Row
		return none, &Error{Status: http.StatusNotFound, MessageID: "not-found", Message: fmt.Sprintf("no %s is called %q", kind, name)}
	}
	return found[0], fmt.Errorf("more than one %s is called %q: say which by its id", kind, name)
}
