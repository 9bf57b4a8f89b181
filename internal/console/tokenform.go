package console

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// tokenFormView is the form for a new token, in the dialog and on a page of its
// own.
type tokenFormView struct {
	frame
	Account     accountRow
	Name        string
	DefaultName string
	Choices     []lifetime
	Custom      bool   // a date may be chosen
	CustomOn    bool   // and is
	Date        string // the date chosen
	FirstDay    string
	Now         moment // the server's clock counts
	Latest      moment // the last second allowed; zero: no limit
	Longest     string // the limit in words; empty: none
	Can         string // what the token will be able to do
	Curl        string
}

var inDays = regexp.MustCompile(`^([1-9][0-9]{0,4})d$`)

// tokenForm returns the form, filled in with a name and a lifetime as "30d" or
// "never" where they are given and allowed.
func (v *visit) tokenForm(a accountRow, can, name, expires string) tokenFormView {
	p, now := v.o.Admin.TokenPolicy(), v.o.Admin.Now()
	tomorrow := now.UTC().AddDate(0, 0, 1)
	f := tokenFormView{
		Account: a, Now: v.moment(now), Name: name, DefaultName: defaultName(a.Login), Choices: v.lifetimes(p), FirstDay: tomorrow.Format(time.DateOnly),
		Latest: v.moment(p.Latest(now)), Can: can, Curl: v.curl(),
	}
	f.Custom = f.Latest.Zero() || f.Latest.Day() >= f.FirstDay
	f.Date = f.FirstDay
	if longest := longestSeconds(p); longest > 0 {
		f.Longest = lengthText(longest)
	}
	seconds := int64(-1)
	if expires == "never" {
		seconds = 0
	} else if m := inDays.FindStringSubmatch(expires); m != nil {
		days, _ := strconv.ParseInt(m[1], 10, 64) // five digits are a number
		seconds = days * daySeconds
		if date := now.UTC().AddDate(0, 0, int(days)).Format(time.DateOnly); f.Custom && (f.Latest.Zero() || date <= f.Latest.Day()) {
			f.CustomOn, f.Date = true, date
		}
	}
	f.choose(seconds)
	return f
}

// choose marks the lifetime, if it is among the choices, or the custom date.
func (f *tokenFormView) choose(seconds int64) {
	i := slices.IndexFunc(f.Choices, func(l lifetime) bool { return l.Seconds == seconds })
	if i >= 0 {
		f.CustomOn = false
	}
	if i < 0 && !f.CustomOn {
		return
	}
	for j := range f.Choices {
		f.Choices[j].Chosen = j == i
	}
}

// defaultName returns a name for a token that is given none.
func defaultName(login string) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	if r := []rune(login); len(r) > hallpass.MaxName-9 {
		login = string(r[:hallpass.MaxName-9])
	}
	return login + "-" + hex.EncodeToString(b[:])
}

// curl returns the line that proves a token, which it reads from a prompt so
// that no history and no process list has it.
func (v *visit) curl() string {
	return `read -rs T; curl -sS -H @- ` + v.rootURL() + `/api/org <<<"Authorization: Bearer $T"`
}

// tokenForm is GET /org/serviceaccounts/{ref}/tokens/new, for browsers without
// script.
func tokenForm(v *visit) error {
	a, err := v.account()
	if err != nil {
		return err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), v.caller, hallpass.ServiceAccountsWrite, a.ID.Scope()); err != nil {
		return err
	}
	q := v.r.URL.Query()
	can, err := v.tokenCan(a.ID, a.Role)
	if err != nil {
		return err
	}
	return v.showTokenForm(http.StatusOK, a, v.tokenForm(v.accountRow(a), can, q.Get("name"), q.Get("expires")))
}

func (v *visit) showTokenForm(status int, a hallpass.ServiceAccountSummary, view tokenFormView) error {
	f, err := v.frame("serviceaccounts", "Add service account token", crumbAdmin, crumbAccess, crumbList, crumb{a.Name, view.Account.URL})
	if err != nil {
		return err
	}
	view.frame = f
	return v.showStatus(status, "tokens/new", view)
}

// createdView shows a secret, this once.
type createdView struct {
	frame
	Account accountRow
	Token   tokenRow
	Secret  string
	Length  int
	Curl    string
}

// createToken is POST /org/serviceaccounts/{ref}/tokens/new.
func createToken(v *visit) error {
	a, err := v.account()
	if err != nil {
		return err
	}
	form := v.r.PostForm
	name := form.Get("name")
	if strings.TrimSpace(name) == "" {
		name = form.Get("default_name")
	}
	can, failed := v.tokenCan(a.ID, a.Role)
	if failed != nil {
		return failed
	}
	view := v.tokenForm(v.accountRow(a), can, form.Get("name"), "")
	seconds, problem := v.seconds(form.Get("expires"), form.Get("date"))
	if form.Get("expires") == "custom" {
		view.CustomOn, view.Date = true, form.Get("date")
	}
	view.choose(seconds)
	if problem != "" {
		v.tell("date", problem)
		return v.showTokenForm(http.StatusBadRequest, a, view)
	}
	t, text, err := v.o.Admin.CreateToken(v.r.Context(), v.caller, a.ID, name, seconds)
	if err != nil {
		return v.refuseToken(a, view, err)
	}
	f, err := v.frame("serviceaccounts", "Service account token created", crumbAdmin, crumbAccess, crumbList, crumb{a.Name, view.Account.URL})
	if err != nil {
		return err
	}
	return v.show("tokens/created", createdView{
		frame: f, Account: view.Account, Token: v.rowsOf(view.Account, []hallpass.Token{t}, 1).Tokens[0],
		Secret: text.Reveal(), Length: len(text.Reveal()), Curl: v.curl(),
	})
}

// refuseToken shows the form again with the reason beside the field at fault.
func (v *visit) refuseToken(a hallpass.ServiceAccountSummary, view tokenFormView, err error) error {
	var e *hallpass.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Kind == hallpass.Invalid && e.Field == "secondsToLive":
		v.tell("date", messageOf(err))
	case e.Kind == hallpass.Conflict:
		v.tell("name", "A live token with this name already exists in the organization. Choose another name.")
	case e.Kind == hallpass.Invalid, e.Kind == hallpass.Denied && e.Needs == "":
		v.tell("name", messageOf(err))
	default:
		return err
	}
	httpd.EventOf(v.r.Context()).Err = err
	return v.showTokenForm(httpd.Status(err), a, view)
}
