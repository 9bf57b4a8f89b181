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
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// tokenFormView is the form for a new token, in the dialog and on its own page.
type tokenFormView struct {
	frame
	Account     accountRow
	Name        string
	DefaultName string
	Choices     []lifetime
	Custom      bool   // a date may be chosen
	CustomOn    bool   // a date is chosen
	Date        string // the date chosen
	FirstDay    string
	Now         timestamp // by the server's clock
	Latest      timestamp // the last second allowed; zero: no limit
	Longest     string    // the limit in words; empty: none
	Can         string    // what the token will be able to do
}

var inDays = regexp.MustCompile(`^([1-9][0-9]{0,4})d$`)

// tokenForm returns the form, filled in with a name and with a lifetime such as
// "30d" or "never", if the policy allows it.
func (req *request) tokenForm(a accountRow, can, name, expires string) tokenFormView {
	p, now := req.o.Admin.TokenPolicy(), req.o.Admin.Now()
	tomorrow := now.UTC().AddDate(0, 0, 1)
	f := tokenFormView{
		Account: a, Now: req.timestamp(now), Name: name, DefaultName: defaultName(a.Login), Choices: req.lifetimes(p), FirstDay: tomorrow.Format(time.DateOnly),
		Latest: req.timestamp(p.Latest(now)), Can: can,
	}
	f.Custom = f.Latest.Zero() || f.Latest.Day() >= f.FirstDay
	f.Date = f.FirstDay
	if longest := p.Longest(); longest > 0 {
		f.Longest = secondsText(longest)
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

// choose selects the lifetime, if it is among the choices, or the custom date.
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

// defaultName returns the name that a token gets when none is typed.
func defaultName(login string) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand aborts the program instead
	if r := []rune(login); len(r) > hallpass.MaxName-9 {
		login = string(r[:hallpass.MaxName-9])
	}
	return login + "-" + hex.EncodeToString(b[:])
}

// curl returns the command that proves a token. It reads the token from a prompt, so
// that no shell history and no process list holds it.
func (req *request) curl() string {
	return `read -rs T; curl -sS -H @- ` + req.rootURL() + `/api/org <<<"Authorization: Bearer $T"`
}

// tokenForm is GET /org/serviceaccounts/{ref}/tokens/new.
func tokenForm(req *request) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.ServiceAccountsWrite, a.ID.Scope()); err != nil {
		return err
	}
	q := req.URL.Query()
	can, err := req.tokenPowerWords(a.ID, a.Role)
	if err != nil {
		return err
	}
	return req.showTokenForm(http.StatusOK, a, req.tokenForm(req.accountRow(a), can, q.Get("name"), q.Get("expires")))
}

func (req *request) showTokenForm(status int, a hallpass.ServiceAccountSummary, view tokenFormView) error {
	f, err := req.frame("serviceaccounts", "Add service account token", crumbAdmin, crumbAccess, crumbAccounts, crumb{a.Name, view.Account.URL})
	if err != nil {
		return err
	}
	view.frame = f
	return req.showStatus(status, "tokens/new", view)
}

// tokenCreatedView shows the secret of a new token, once.
type tokenCreatedView struct {
	frame
	Account  accountRow
	Token    tokenRow
	Secret   string
	Length   int
	Commands []command
}

// createToken is POST /org/serviceaccounts/{ref}/tokens/new.
func createToken(req *request) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	form := req.PostForm
	name := form.Get("name")
	if strings.TrimSpace(name) == "" {
		name = form.Get("default_name")
	}
	can, failed := req.tokenPowerWords(a.ID, a.Role)
	if failed != nil {
		return failed
	}
	view := req.tokenForm(req.accountRow(a), can, form.Get("name"), "")
	seconds, problem := req.seconds(form.Get("expires"), form.Get("date"))
	if form.Get("expires") == "custom" {
		view.CustomOn, view.Date = true, form.Get("date")
	}
	view.choose(seconds)
	if problem != "" {
		req.fieldError("date", problem)
		return req.showTokenForm(http.StatusBadRequest, a, view)
	}
	made, err := req.o.Admin.CreateToken(req.Context(), req.caller, a.ID, admin.NewToken{Name: name, Seconds: seconds})
	if err != nil {
		return req.refuseToken(a, view, err)
	}
	f, err := req.frame("serviceaccounts", "Service account token created", crumbAdmin, crumbAccess, crumbAccounts, crumb{a.Name, view.Account.URL})
	if err != nil {
		return err
	}
	return req.show("tokens/created", tokenCreatedView{
		frame: f, Account: view.Account, Token: req.tokenRow(view.Account, made.Token),
		Secret: made.Secret.Reveal(), Length: len(made.Secret.Reveal()), Commands: req.commands(made.Token.Name),
	})
}

// refuseToken shows the form again with the error at its field.
func (req *request) refuseToken(a hallpass.ServiceAccountSummary, view tokenFormView, err error) error {
	var e *hallpass.Error
	if !errors.As(err, &e) {
		return err
	}
	switch {
	case e.Kind == hallpass.Invalid && e.Field == "secondsToLive":
		req.fieldError("date", messageOf(err))
	case e.Kind == hallpass.Conflict:
		req.fieldError("name", "A live token with this name already exists in the organization. Choose another name.")
	case e.Kind == hallpass.Invalid, e.Kind == hallpass.Denied && e.Needs == "":
		req.fieldError("name", messageOf(err))
	default:
		return err
	}
	httpd.EventOf(req.Context()).Err = err
	return req.showTokenForm(httpd.Status(err), a, view)
}
