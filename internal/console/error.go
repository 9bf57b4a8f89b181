package console

import (
	"errors"
	"net/http"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// errorView is the page about what went wrong.
type errorView struct {
	frame
	Status     int
	Heading    string
	Text       string
	Needs      string // the missing permission
	Lacks      deniedView
	RequestID  string
	SignIn     bool
	RetryAfter bool
}

var errNoPage = &hallpass.Error{Kind: hallpass.NotFound, Message: "There is no page at this address."}

func (c *console) fail(w http.ResponseWriter, r *http.Request, err error) {
	(&request{console: c, w: w, Request: r}).fail(err)
}

// fail answers with the page about err and puts err into the request's event.
func (req *request) fail(err error) {
	e := httpd.EventOf(req.Context())
	e.Err = err
	if errors.Is(err, hallpass.Unauthenticated) {
		req.seeLogin() // the session ended while it was used
		return
	}
	view := describe(err)
	view.frame = req.bareFrame(view.Heading)
	if req.caller.User() != 0 {
		// A page about a database that cannot be reached does not wait for it again.
		unread := errors.Is(err, hallpass.Unavailable)
		if !unread {
			if failed := req.fillHead(&view.Nav); failed != nil {
				unread, e.Err = true, errors.Join(err, failed)
			}
		}
		view.Nav.OrgUnread = unread && req.caller.Can(hallpass.OrgsRead, "")
	}
	view.RequestID, view.SignIn = e.RequestID(), req.caller.User() == 0
	if view.Needs != "" && !view.SignIn {
		view.Lacks = req.denied(view.Needs, view.RequestID)
		view.Heading = view.Lacks.Heading
		view.Title, view.Crumbs[len(view.Crumbs)-1].Label = view.Heading, view.Heading
	}
	httpd.SetErrorHeaders(req.w.Header(), err)
	if failed := req.showStatus(view.Status, "errors/error", view); failed != nil {
		e.Err = errors.Join(e.Err, failed)
		http.Error(req.w, view.Heading, http.StatusInternalServerError)
	}
}

// describe says what went wrong. Of an internal error it says only that it was one.
func describe(err error) errorView {
	view := errorView{Status: httpd.Status(err)}
	var e *hallpass.Error
	if errors.As(err, &e) {
		view.Text, view.Needs = messageOf(err), e.Needs
		if e.Needs != "" && e.ID == "accesscontrol.Denied" { // the page says it itself, with whom to ask
			view.Text = ""
		}
	}
	switch hallpass.KindOf(err) {
	case hallpass.NotFound:
		view.Heading = "Page not found"
	case hallpass.Denied:
		view.Heading = "Access denied"
	case hallpass.Unavailable:
		view.Heading, view.RetryAfter = "Not available right now", true
		if !errors.Is(err, secret.ErrBusy) {
			view.Text = "The server cannot reach its database. Nothing was changed; try again in a moment."
		}
	case hallpass.Limited:
		view.Heading = "Too many requests"
	case hallpass.Internal:
		view.Heading, view.Text = "Something went wrong", "The server failed; you did nothing wrong. Its log has the details under the request ID."
	default:
		view.Heading = "That did not work"
	}
	return view
}

// messageOf returns the message of a refusal as a sentence.
func messageOf(err error) string {
	var e *hallpass.Error
	if !errors.As(err, &e) || e.Message == "" {
		return "That did not work."
	}
	return sentence(e.Message)
}
