package console

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// A change gives or takes power. It holds the question that is asked first, the
// function that makes the change, and the message that the next page shows.
type change struct {
	Question string
	Text     string
	Steps    []step            // what changes; none: nothing does
	Notes    map[step]stepNote // beside some of the steps
	Facts    []string          // who or what is affected
	Alarm    bool              // what changes is in use
	Destroys bool              // it removes something
	Type     string            // the name to be typed, because what is in use is about to fail; empty: none
	Instead  instead           // what does less harm; without a Label: there is nothing
	Button   string
	Cancel   string // address of the page with the form

	asked  string // who is asked, in which org, at which address
	here   string // entry of the navigation
	crumbs []crumb
	do     func() error
	to     string            // where the browser goes when it is done; empty: Cancel
	done   string            // message that the page shows then
	same   string            // message when nothing would change; empty: the change is made without a question
	again  func(error) error // shows the form again with the error; nil: the error has a page
	show   func() error      // shows the form again, because it was not sent to be saved; nil: it was
}

// instead is a form that does less harm than what is asked about.
type instead struct {
	Label, Action string
	Fields        []field
}

// inUse has the name of what is in use typed before it fails.
func (c *change) inUse(name string) {
	if c.Alarm && c.Destroys && len(c.Steps) > 0 {
		c.Type = oneLine(name)
	}
}

// oneLine returns the text as a page shows it: with one space between words.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// step is one thing that changes, with its state before and after.
type step struct{ What, Before, After string }

// stepNote says more about a step. It is not part of what is asked: what it counts may
// change while somebody reads.
type stepNote struct {
	Tone  string // the class of what is then: toneOpens, toneCloses or none
	Words string
}

// The tones of what is then.
const (
	toneOpens  = "warn"
	toneCloses = "quiet"
)

// confirmView asks before a change is made.
type confirmView struct {
	frame
	change
	Action string
	Fields []field // of the form, sent again with the answer
	Again  bool    // an answer came, and the change is a different one now
}

// field is a field of a form with its value.
type field struct{ Name, Value string }

// mark identifies the question. The answer carries it, so that the change that is
// made is the one that was asked about, of the same user, in the same org and at
// the same address. In another window the user may have switched to an org where
// others have the same names, or have signed in as somebody else.
func (c change) mark() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q", c.asked, c.Question, c.Steps))
	return hex.EncodeToString(sum[:8])
}

// Mark is mark, for the template.
func (c confirmView) Mark() string { return c.mark() }

// asked returns the handler of a form that gives or takes power. It asks first,
// and makes the change when the answer to exactly that question comes.
func asked(plan func(*request) (change, error)) func(*request) error {
	return func(req *request) error {
		c, err := plan(req)
		if err != nil {
			return c.refused(req, err)
		}
		if c.show != nil {
			return c.show()
		}
		if c.to == "" {
			c.to = c.Cancel
		}
		c.asked = fmt.Sprintf("%d %d %s", req.caller.User(), req.caller.Org, req.URL.Path)
		answer := req.PostForm.Get("asked")
		switch {
		case len(c.Steps) == 0 && c.same != "":
			c.done = c.same
		case req.Method != http.MethodPost, len(c.Steps) > 0 && answer != c.mark():
			return req.confirm(c, answer != "")
		case c.Type != "" && oneLine(req.PostForm.Get("typed")) != c.Type:
			req.fieldError("typed", "This is not the name. Type it as it is shown.")
			return req.confirm(c, false)
		default:
			if err := c.do(); err != nil {
				return c.refused(req, err)
			}
		}
		req.flash(c.done)
		req.seeOther(c.to)
		return nil
	}
}

func (c change) refused(req *request, err error) error {
	if c.again == nil {
		return err
	}
	return c.again(err)
}

// confirm shows the question. The page holds the fields of the form, which the
// answer sends again.
func (req *request) confirm(c change, again bool) error {
	view := confirmView{change: c, Action: req.URL.Path, Again: again}
	form := maps.Clone(req.PostForm)
	if back := req.URL.Query().Get("back"); req.Method != http.MethodPost && back != "" {
		form = map[string][]string{"back": {back}}
	}
	delete(form, "asked")
	delete(form, "typed")
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			view.Fields = append(view.Fields, field{name, value})
		}
	}
	var err error
	if view.frame, err = req.frame(c.here, c.Question, c.crumbs...); err != nil {
		return err
	}
	status := http.StatusOK
	if req.errors.At("typed") != "" {
		status = http.StatusUnprocessableEntity
	}
	return req.showStatus(status, "confirm/confirm", view)
}
