package console

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// tokenChangeView is a form that changes one token. Each page shows some of its fields.
type tokenChangeView struct {
	frame
	Account accountRow
	Token   tokenRow
	Users   []string // who used it in the last 24 hours
	NotNow  string   // why it cannot be done now; empty: it can
	Remedy  remedy   // what can be done about that; without a Label: nothing
	Impact  []string // what will be refused while it is paused
	Reason  string

	Name, Owner, Purpose         string
	AccountOwner, AccountPurpose string
	limitFields
	Can string // what it may do now

	lifetimeFields
	Ended  bool     // the old token has ended: there is no time in which both work
	Graces []choice // in seconds
	Quiets []choice // likewise
	Key    string
	Pauses []choice // likewise; 0 is until somebody ends it

	a    hallpass.ServiceAccountSummary
	t    hallpass.Token
	page string // its template
}

// remedy is a link to what can be done about what a form cannot do now.
type remedy struct {
	Label, URL string
	Asks       bool // its page is a question
}

// tokenChange reads the account and its token for a form that changes the token.
func (req *request) tokenChange(page string) (view tokenChangeView, err error) {
	view.page = page
	if view.a, err = req.writableAccount(); err != nil {
		return view, err
	}
	if view.t, err = req.token(view.a.ID); err != nil {
		return view, err
	}
	view.Account = req.accountRow(view.a)
	view.Token = req.tokenRow(view.Account, view.t)
	view.Name, view.Owner, view.Purpose, view.AccountOwner, view.AccountPurpose = view.t.Name, view.t.Owner, view.t.Purpose, view.a.Owner, view.a.Purpose
	view.Users, err = req.usersOf(view.a, view.t)
	return view, err
}

// usersOf says who used the token in the last 24 hours, the latest first; none if it does
// not work.
func (req *request) usersOf(a hallpass.ServiceAccountSummary, t hallpass.Token) (list []string, err error) {
	const most = 5
	now := req.o.Admin.Now()
	if !t.State(now, a.Disabled).Works() || !t.InUse(now) {
		return nil, nil
	}
	used := req.useText(t)
	u, err := req.o.Admin.TokenUsage(req.Context(), req.caller, a.ID, t.ID, 1)
	if err != nil {
		return nil, err
	}
	others := 0
	for _, p := range u.Places {
		switch t.LastUse = (hallpass.Use{At: p.Last, Address: p.Address, UserAgent: p.UserAgent}); {
		case !t.InUse(now):
		case len(list) == most:
			others++
		default:
			list = append(list, req.useText(t)+after(", ", routeWords(p)))
		}
	}
	if len(list) == 0 { // what it was used for is written some seconds later
		return []string{used}, nil
	}
	if others > 0 {
		list = append(list, "and "+hallpass.Counted(others, "client")+" more")
	}
	return list, nil
}

// show shows the form.
func (v tokenChangeView) show(req *request, status int, title string) (err error) {
	if v.frame, err = req.accountFrame(title, v.Account); err != nil {
		return err
	}
	return req.showStatus(status, v.page, v)
}

// again shows the form with the error at its field.
func (v tokenChangeView) again(req *request, err error, title string) error {
	field, text := req.tokenError(err)
	if text == "" {
		return err
	}
	req.fieldError(field, text)
	httpd.EventOf(req.Context()).Err = err
	return v.show(req, httpd.Status(err), title)
}

// secondsOf reads a number of seconds that a form chose.
func secondsOf(text string) (d time.Duration, ok bool) {
	n, err := strconv.ParseInt(text, 10, 32)
	return time.Duration(n) * time.Second, err == nil && n >= 0
}

// ---- rotate ----

const defaultGrace, defaultQuietText = "86400", "600"

// rotateView returns the form that replaces the token.
func (req *request) rotateView() (tokenChangeView, error) {
	view, err := req.tokenChange("tokens/rotate")
	if err != nil {
		return view, err
	}
	now := req.o.Admin.Now()
	view.lifetimeFields = req.lifetimeForm("The new secret ends after")
	view.lifetimeFields.as(view.t.Lifetime(), req)
	view.Ended = view.t.Expired(now)
	view.Graces = chosen([]choice{{"0", "Ends now", false}, {"3600", "1 hour", false}, {defaultGrace, "24 hours", false}, {"604800", "7 days", false}}, defaultGrace)
	view.Quiets = chosen([]choice{{"0", "First use of the new", false}, {defaultQuietText, "10 minutes", false}, {"3600", "1 hour", false}, {"93600", "26 hours", false}}, defaultQuietText)
	view.Key = secret.NewUID()
	next, err := req.successorOf(view.t)
	if err == nil && admin.Rotatable(view.t, next, now) != nil {
		view.NotNow, view.Remedy = notRotatable(view.Account, view.t, next, now)
	}
	if held := view.Token.Held(); held != "" {
		view.NotNow, view.Remedy = held+".", remedy{}
	}
	return view, err
}

// notRotatable says why the token, which cannot be replaced now, cannot, and what to do
// instead.
func notRotatable(a accountRow, t, next hallpass.Token, now time.Time) (string, remedy) {
	switch {
	case next.ID != 0 && next.Live(now):
		return "Another token replaces this one already.", remedy{"See both tokens", a.URL, false}
	case t.State(now, false) == hallpass.TokenPaused:
		return "The token is paused: a rotation would make a secret beside one that is refused. Resume it first.", remedy{"Resume token…", a.URL + "/tokens/" + idText(int64(t.ID)) + "/resume", true}
	}
	return "The token has ended and cannot be replaced. Make a new one instead.", remedy{"Add service account token", a.URL + "/tokens/new?" + url.Values{"name": {t.Name}}.Encode(), false}
}

// successorOf returns the token that replaces the other, with its latest use; the zero
// Token if none does, or if it is deleted.
func (req *request) successorOf(t hallpass.Token) (hallpass.Token, error) {
	if t.Rotation.Successor == 0 {
		return hallpass.Token{}, nil
	}
	next, err := req.o.Admin.Token(req.Context(), req.caller, t.ServiceAccount, t.Rotation.Successor)
	if hallpass.KindOf(err) == hallpass.NotFound {
		return hallpass.Token{}, nil
	}
	return req.withUse(next), err
}

func rotateTitle(t hallpass.Token) string { return "Rotate " + t.Name }

// rotateForm is GET /org/serviceaccounts/{ref}/tokens/{token}/rotate.
func rotateForm(req *request) error {
	view, err := req.rotateView()
	if err != nil {
		return err
	}
	return view.show(req, http.StatusOK, rotateTitle(view.t))
}

// rotateToken is POST /org/serviceaccounts/{ref}/tokens/{token}/rotate.
func rotateToken(req *request) error {
	view, err := req.rotateView()
	if err != nil {
		return err
	}
	title, f := rotateTitle(view.t), req.PostForm
	view.Reason = f.Get("reason")
	in := admin.Rotate{Reason: view.Reason, Key: f.Get("key")}
	seconds, problem := view.sent(req)
	if problem != "" {
		req.fieldError("date", problem)
		return view.show(req, http.StatusBadRequest, title)
	}
	in.Seconds = &seconds
	if grace, ok := secondsOf(f.Get("grace")); ok {
		in.Grace, view.Graces = &grace, chosen(view.Graces, f.Get("grace"))
	}
	if quiet, ok := secondsOf(f.Get("quiet")); ok {
		in.Quiet, view.Quiets = &quiet, chosen(view.Quiets, f.Get("quiet"))
	}
	made, err := req.o.Admin.RotateToken(req.Context(), req.caller, view.a.ID, view.t.ID, in)
	if err != nil {
		return view.again(req, err, title)
	}
	return req.showSecret("Service account token rotated", view.Account, made.Issued, req.oldWords(made.Replaced))
}

// oldWords says what becomes of a token that another replaces.
func (req *request) oldWords(old hallpass.Token) string {
	if !old.Live(req.o.Admin.Now()) {
		return "The old secret, …" + old.LastFour + ", has ended."
	}
	end := req.timestamp(old.EndsAt()).Date()
	if old.Rotation.Quiet == 0 {
		return "The old secret, …" + old.LastFour + ", ends when the new one is first used, and at the latest on " + end + "."
	}
	return "The old secret, …" + old.LastFour + ", ends when the new one was used and nobody has used the old one for " + roughly(old.Rotation.Quiet) + ", and at the latest on " + end + "."
}

// ---- pause ----

func pauseTitle(t hallpass.Token) string { return "Pause " + t.Name }

func (req *request) pauseView() (tokenChangeView, error) {
	view, err := req.tokenChange("tokens/pause")
	view.Pauses = chosen([]choice{{"900", "15 minutes", false}, {"3600", "1 hour", false}, {"0", "Until I resume", false}}, "900")
	if err == nil && !view.t.Live(req.o.Admin.Now()) {
		view.NotNow = "The token has ended: it is refused already."
	}
	if err == nil {
		view.Impact, err = req.pauseImpact(view.a.ID, view.t.ID, mostImpact)
	}
	return view, err
}

// pauseForm is GET /org/serviceaccounts/{ref}/tokens/{token}/pause.
func pauseForm(req *request) error {
	view, err := req.pauseView()
	if err != nil {
		return err
	}
	return view.show(req, http.StatusOK, pauseTitle(view.t))
}

// pauseToken is POST /org/serviceaccounts/{ref}/tokens/{token}/pause.
func pauseToken(req *request) error {
	view, err := req.pauseView()
	if err != nil {
		return err
	}
	view.Reason = req.PostForm.Get("reason")
	long, ok := secondsOf(req.PostForm.Get("for"))
	if !ok {
		req.fieldError("", "Choose how long the token is paused.")
		return view.show(req, http.StatusBadRequest, pauseTitle(view.t))
	}
	view.Pauses = chosen(view.Pauses, req.PostForm.Get("for"))
	on := true
	t, err := req.o.Admin.UpdateToken(req.Context(), req.caller, view.a.ID, view.t.ID, hallpass.TokenPatch{Paused: &on, PausedFor: long, PauseReason: strings.TrimSpace(view.Reason)})
	if err != nil {
		return view.again(req, err, pauseTitle(view.t))
	}
	done := "The token " + t.Name + " is paused until somebody resumes it: it is refused on every node."
	if !t.Pause.Until.IsZero() {
		done = "The token " + t.Name + " is paused until " + req.timestamp(t.Pause.Until).Date() + ": it is refused on every node, and resumes by itself."
	}
	req.flash(done)
	req.seeOther(view.Account.URL)
	return nil
}

// pauseWords says until when a token is paused.
func (req *request) pauseWords(p hallpass.Pause) string {
	words := "paused"
	if !p.Until.IsZero() {
		words += " until " + req.timestamp(p.Until).Date()
	}
	if p.Reason != "" {
		words += " (" + p.Reason + ")"
	}
	return words
}

// resumeToken is GET and POST /org/serviceaccounts/{ref}/tokens/{token}/resume.
func resumeToken(req *request) (change, error) {
	a, t, c, err := req.askedToken()
	if err != nil {
		return c, err
	}
	c.Question, c.Button = "Resume token", "Resume token"
	c.Text = named(t.Name) + " works again at once."
	c.done, c.same = "The token "+t.Name+" works again.", "Nothing changed: the token "+t.Name+" is not paused."
	if t.State(req.o.Admin.Now(), false) == hallpass.TokenPaused {
		c.Steps = []step{{t.Name, req.pauseWords(t.Pause), "works as " + a.Name + ", with the role " + a.Given.With(a.Role)}}
	}
	if !t.LastUse.At.IsZero() {
		c.Facts = []string{"It was last used " + req.useText(t) + "."}
	}
	c.do = req.updateToken(a.ID, t.ID, func(p *hallpass.TokenPatch) { p.Paused = new(bool) })
	return c, nil
}

// askedToken begins a change of the token that the path names.
func (req *request) askedToken() (a hallpass.ServiceAccountSummary, t hallpass.Token, c change, err error) {
	if a, c, err = req.accountChange(hallpass.ServiceAccountsWrite); err == nil {
		t, err = req.token(a.ID)
	}
	return a, t, c, err
}

func (req *request) updateToken(a hallpass.ServiceAccountID, t hallpass.TokenID, set func(*hallpass.TokenPatch)) func() error {
	return func() error {
		var p hallpass.TokenPatch
		set(&p)
		_, err := req.o.Admin.UpdateToken(req.Context(), req.caller, a, t, p)
		return err
	}
}

// ---- narrow ----

func narrowTitle(t hallpass.Token) string { return "Narrow " + t.Name }

func (req *request) narrowView() (view tokenChangeView, power tokenPower, err error) {
	if view, err = req.tokenChange("tokens/narrow"); err != nil {
		return view, power, err
	}
	view.limitFields = limitsForm(view.t.Limits, view.a.Role)
	if power, err = req.tokenPower(view.a.ID, view.a.Role); err != nil {
		return view, power, err
	}
	now, err := power.under(view.t.Limits)
	view.Can = now.words()
	if !view.t.Live(req.o.Admin.Now()) {
		view.NotNow = "The token has ended: it can do nothing any more."
	} else if held := view.Token.Held(); held != "" {
		view.NotNow = held + "."
	}
	return view, power, err
}

// narrowForm is GET /org/serviceaccounts/{ref}/tokens/{token}/narrow.
func narrowForm(req *request) error {
	view, _, err := req.narrowView()
	if err != nil {
		return err
	}
	return view.show(req, http.StatusOK, narrowTitle(view.t))
}

// narrowToken is POST /org/serviceaccounts/{ref}/tokens/{token}/narrow.
func narrowToken(req *request) (change, error) {
	a, t, c, err := req.askedToken()
	if err != nil {
		return c, err
	}
	view, power, err := req.narrowView()
	if err != nil {
		return c, err
	}
	view.limitFields = limitsSent(req.PostForm, a.Role)
	c.again = func(err error) error { return view.again(req, err, narrowTitle(t)) }
	limits, err := view.limits(t.Limits)
	if err == nil {
		err = limits.Tidy()
	}
	if err != nil {
		return c, err
	}
	before, err := power.under(t.Limits)
	if err != nil {
		return c, err
	}
	after, err := power.under(limits)
	if err != nil {
		return c, err
	}
	c.Question, c.Button = "Change what "+t.Name+" may do", "Change limits"
	c.Text = "The limits apply at once, on every node."
	c.Steps = limitSteps(t.Limits, limits)
	c.done, c.same = "The limits of the token "+t.Name+" are changed.", "Nothing changed: the token "+t.Name+" has these limits already."
	for _, f := range []struct {
		says string
		list []string
	}{{"It loses: ", before.lost(after)}, {"It gains: ", after.lost(before)}} {
		if len(f.list) > 0 {
			c.Facts = append(c.Facts, f.says+hallpass.Enumerate(f.list)+".")
		}
	}
	c.Facts = append(c.Facts, after.words())
	for _, u := range view.Users {
		c.Alarm = true
		c.Facts = append(c.Facts, "It is in use: "+u+".")
	}
	c.do = req.updateToken(a.ID, t.ID, func(p *hallpass.TokenPatch) {
		p.ReadOnly, p.MaxRole, p.Permissions, p.Networks, p.Rate = &limits.ReadOnly, &limits.MaxRole, &limits.Permissions, &limits.Networks, &limits.Rate
	})
	return c, nil
}

// ---- rename ----

func renameTitle(t hallpass.Token) string { return "Rename " + t.Name }

// renameTokenForm is GET /org/serviceaccounts/{ref}/tokens/{token}/rename.
func renameTokenForm(req *request) error {
	view, err := req.tokenChange("tokens/rename")
	if err != nil {
		return err
	}
	if held := view.Token.Held(); held != "" {
		view.NotNow = held + "."
	}
	return view.show(req, http.StatusOK, renameTitle(view.t))
}

// renameToken is POST /org/serviceaccounts/{ref}/tokens/{token}/rename. It changes the
// owner and the purpose too.
func renameToken(req *request) error {
	view, err := req.tokenChange("tokens/rename")
	if err != nil {
		return err
	}
	f := req.PostForm
	view.Name, view.Owner, view.Purpose = f.Get("name"), f.Get("owner"), f.Get("purpose")
	name, owner, purpose := view.Name, view.Owner, view.Purpose
	t, err := req.o.Admin.UpdateToken(req.Context(), req.caller, view.a.ID, view.t.ID, hallpass.TokenPatch{Name: &name, Owner: &owner, Purpose: &purpose})
	if err != nil {
		return view.again(req, err, renameTitle(view.t))
	}
	done := "The token " + t.Name + " is changed."
	if t.Name != view.t.Name {
		done = "The token " + view.t.Name + " is now called " + t.Name + "."
	}
	req.flash(done)
	req.seeOther(view.Account.URL)
	return nil
}

// ---- the end of a rotation ----

// overlapping begins a change of a token that another replaces, while both work.
func (req *request) overlapping() (a hallpass.ServiceAccountSummary, old hallpass.Token, c change, err error) {
	a, old, c, err = req.askedToken()
	if err == nil && (old.Rotation.Successor == 0 || !old.Live(req.o.Admin.Now())) {
		err = &hallpass.Error{Kind: hallpass.Conflict, Message: "The token " + old.Name + " (…" + old.LastFour + ") does not work beside another that replaces it."}
	}
	if err == nil && old.InUse(req.o.Admin.Now()) {
		c.Alarm, c.Facts = true, []string{"The old secret was last used " + req.useText(old) + "."}
	} else if err == nil {
		c.Facts = []string{"Nobody used the old secret in the last 24 hours."}
	}
	return a, old, c, err
}

func oldName(t hallpass.Token) string { return t.Name + " (old secret, …" + t.LastFour + ")" }

// retireToken is GET and POST /org/serviceaccounts/{ref}/tokens/{token}/retire.
func retireToken(req *request) (change, error) {
	a, old, c, err := req.overlapping()
	if err != nil {
		return c, err
	}
	next, err := req.successorOf(old)
	if err == nil {
		err = admin.Retirable(next, req.o.Admin.Now())
	}
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Retire the old secret", "Retire now", true
	c.Text = "It ends at once on every node. The new one goes on."
	c.Steps = []step{{oldName(old), "works until " + req.timestamp(old.EndsAt()).Date() + " at the latest", "ended"}}
	if next.LastUse.At.IsZero() {
		if old.InUse(req.o.Admin.Now()) {
			c.inUse(old.Name)
		}
		c.Alarm, c.Facts = true, append([]string{"Nobody has used the new secret yet: what still has the old one is refused from then on."}, c.Facts...)
	}
	c.done = "The old secret of " + old.Name + " has ended."
	c.do = func() error { return req.o.Admin.RetireToken(req.Context(), req.caller, a.ID, old.ID) }
	return c, nil
}

// extendBy is how much later a token that another replaces ends when it is extended.
const extendBy = 24 * time.Hour

// extendToken is GET and POST /org/serviceaccounts/{ref}/tokens/{token}/extend.
func extendToken(req *request) (change, error) {
	a, old, c, err := req.overlapping()
	if err != nil {
		return c, err
	}
	to := old.Rotation.CloseAt.Add(extendBy)
	c.Question, c.Button = "Let the old secret go on", "Let it go on for 24 hours more"
	c.Text = "It still ends earlier when nobody uses it any more."
	c.Steps = []step{{oldName(old), "ends on " + req.timestamp(old.Rotation.CloseAt).Date() + " at the latest", "ends on " + req.timestamp(to).Date() + " at the latest"}}
	c.done = "The old secret of " + old.Name + " goes on for 24 hours more."
	c.do = func() error {
		_, err := req.o.Admin.ExtendRotation(req.Context(), req.caller, a.ID, old.ID, to.Sub(req.o.Admin.Now()))
		return err
	}
	return c, nil
}

// undoRotation is GET and POST /org/serviceaccounts/{ref}/tokens/{token}/undo, for the
// token that replaces another.
func undoRotation(req *request) (change, error) {
	a, t, c, err := req.askedToken()
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Undo the rotation", "Undo rotation", true
	c.Text = "The new secret ends at once, and the old one is as it was before."
	c.Steps = []step{{t.Name + " (new secret, …" + t.LastFour + ")", "works", "ended"}}
	if now := req.o.Admin.Now(); !t.Live(now) {
		c.Text = "The new secret has ended already. The old one is as it was before, and ends when it was to end then."
		c.Steps = []step{{t.Name + " (old secret)", "ends with the rotation", "as before the rotation"}}
	}
	if t.LastUse.At.IsZero() {
		c.Facts = []string{"Nobody has used the new secret."}
	} else {
		c.Alarm, c.Facts = true, []string{"The new secret was last used " + req.useText(t) + "."}
	}
	c.done = "The rotation of " + t.Name + " is undone: the old secret goes on."
	c.do = func() error {
		_, err := req.o.Admin.UndoRotation(req.Context(), req.caller, a.ID, t.ID)
		return err
	}
	return c, nil
}
