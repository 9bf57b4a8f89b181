package console

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/secret"
)

// tokenFormView is the form for a new token.
type tokenFormView struct {
	frame
	Account     accountRow
	Name        string
	DefaultName string
	lifetimeFields
	limitFields
	Owner, Purpose               string
	AccountOwner, AccountPurpose string // that the token has if none of its own is named
	Can                          string // what the token will be able to do
	Loses                        string // what Read only takes away; empty: nothing
	Key                          string // names the form that was sent, if it is sent again
}

// More reports whether the fields that few need are shown.
func (v tokenFormView) More() bool {
	if v.limitFields.Any() || v.Owner != "" || v.Purpose != "" {
		return true
	}
	for _, field := range []string{"max_role", "networks", "calls", "owner", "purpose"} {
		if v.Errors.At(field) != "" {
			return true
		}
	}
	return false
}

var inDays = regexp.MustCompile(`^([1-9][0-9]{0,4})d$`)

// tokenForm returns the form, filled in with a name and with a lifetime such as
// "30d" or "never", if the policy allows it.
func (req *request) tokenForm(a hallpass.ServiceAccountSummary, name, expires string) (tokenFormView, error) {
	f := tokenFormView{
		Account: req.accountRow(a), Name: name, DefaultName: defaultName(a.Login), lifetimeFields: req.lifetimeForm("Expiration"),
		limitFields: limitsForm(hallpass.TokenLimits{}, a.Role), AccountOwner: a.Owner, AccountPurpose: a.Purpose, Key: secret.NewUID(),
	}
	seconds := int64(-1)
	if expires == "never" {
		seconds = 0
	} else if m := inDays.FindStringSubmatch(expires); m != nil {
		days, _ := strconv.ParseInt(m[1], 10, 64) // five digits are a number
		seconds = days * daySeconds
		if date := req.o.Admin.Now().UTC().AddDate(0, 0, int(days)).Format(time.DateOnly); f.Custom && (f.Latest.Zero() || date <= f.Latest.Day()) {
			f.CustomOn, f.Date = true, date
		}
	}
	f.choose(seconds)
	power, err := req.tokenPower(a.ID, a.Role)
	if err != nil {
		return f, err
	}
	f.Can = power.words()
	reading, err := power.under(hallpass.TokenLimits{ReadOnly: true})
	f.Loses = hallpass.Enumerate(power.lost(reading))
	return f, err
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

// writableAccount returns the account that the path names, if the caller may change it
// and its tokens.
func (req *request) writableAccount() (a hallpass.ServiceAccountSummary, err error) {
	if a, err = req.account(); err != nil {
		return a, err
	}
	return a, req.o.Admin.Authorize(req.Context(), req.caller, hallpass.ServiceAccountsWrite, a.ID.Scope())
}

// accountFrame returns the frame of a page below that of the account.
func (req *request) accountFrame(title string, a accountRow) (frame, error) {
	return req.frame("serviceaccounts", title, crumbAdmin, crumbAccess, crumbAccounts, crumb{a.Name, a.URL})
}

// tokenForm is GET /org/serviceaccounts/{ref}/tokens/new.
func tokenForm(req *request) error {
	a, err := req.writableAccount()
	if err != nil {
		return err
	}
	q := req.URL.Query()
	view, err := req.tokenForm(a, q.Get("name"), q.Get("expires"))
	if err != nil {
		return err
	}
	return req.showTokenForm(http.StatusOK, view)
}

func (req *request) showTokenForm(status int, view tokenFormView) (err error) {
	if view.frame, err = req.accountFrame("Add service account token", view.Account); err != nil {
		return err
	}
	return req.showStatus(status, "tokens/new", view)
}

// tokenCreatedView shows the secret of a new token, once.
type tokenCreatedView struct {
	frame
	Account  accountRow
	Token    tokenRow
	Old      string // what becomes of the token that it replaces; empty: it replaces none
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
	f := req.PostForm
	view, err := req.tokenForm(a, f.Get("name"), "")
	if err != nil {
		return err
	}
	view.limitFields = limitsSent(f, a.Role)
	view.Owner, view.Purpose = f.Get("owner"), f.Get("purpose")
	in := admin.NewToken{Name: view.Name, Owner: view.Owner, Purpose: view.Purpose, Key: f.Get("key")}
	if strings.TrimSpace(in.Name) == "" {
		in.Name = f.Get("default_name")
	}
	seconds, problem := view.sent(req)
	if problem != "" {
		req.fieldError("date", problem)
		return req.showTokenForm(http.StatusBadRequest, view)
	}
	in.Seconds = seconds
	if in.Limits, err = view.limits(hallpass.TokenLimits{}); err != nil {
		return req.refuseToken(view, err)
	}
	made, err := req.o.Admin.CreateToken(req.Context(), req.caller, a.ID, in)
	if err != nil {
		return req.refuseToken(view, err)
	}
	return req.showSecret("Service account token created", view.Account, made, "")
}

// showSecret shows the secret of a token that was made now.
func (req *request) showSecret(title string, a accountRow, made admin.Issued, old string) error {
	f, err := req.accountFrame(title, a)
	if err != nil {
		return err
	}
	return req.show("tokens/created", tokenCreatedView{
		frame: f, Account: a, Token: req.tokenRow(a, made.Token), Old: old,
		Secret: made.Secret.Reveal(), Length: len(made.Secret.Reveal()), Commands: req.commands(made.Token.Name),
	})
}

// refuseToken shows the form again with the error at its field.
func (req *request) refuseToken(view tokenFormView, err error) error {
	field, text := req.tokenError(err)
	if text == "" {
		return err
	}
	req.fieldError(field, text)
	httpd.EventOf(req.Context()).Err = err
	return req.showTokenForm(httpd.Status(err), view)
}

// tokenError returns what a form about a token says about err, and at which field; no
// text if the error has a page of its own.
func (req *request) tokenError(err error) (field, text string) {
	var e *hallpass.Error
	if !errors.As(err, &e) {
		return "", ""
	}
	text = messageOf(err)
	switch limit := limitField(err); {
	case limit != "":
		return limit, text
	case e.Kind == hallpass.Invalid && (e.Field == "owner" || e.Field == "purpose" || e.Field == "reason"):
		return e.Field, text
	case e.Kind == hallpass.Invalid && e.Field == "pauseReason":
		return "reason", "Reason" + strings.TrimPrefix(text, "PauseReason")
	case e.Kind == hallpass.Invalid && e.Field == "secondsToLive":
		return "date", text
	case strings.HasPrefix(e.ID, "token.rotation-"), e.Field == "Idempotency-Key":
		return "", "This form was sent before, and a token was made. Look at the tokens of the account: open the form anew to make another one."
	case e.Kind == hallpass.Conflict && e.ID == "serviceaccounts.ErrTokenAlreadyExists":
		return "name", req.nameTaken(req.PostForm.Get("name"))
	case e.Kind == hallpass.Conflict:
		return "", text
	case e.Kind == hallpass.Invalid, e.Kind == hallpass.Denied && e.Needs == "":
		return "name", text
	}
	return "", ""
}

// nameTaken says which token has the name, if the viewer may read it.
func (req *request) nameTaken(name string) string {
	page, err := req.o.Admin.Inventory(req.Context(), req.caller, admin.InventoryFilter{Text: strings.TrimSpace(name), Limit: 1000})
	for _, k := range page.Tokens {
		state := k.Token.State(req.o.Admin.Now(), false)
		if err == nil && hallpass.NameKey(k.Token.Name) == hallpass.NameKey(name) && k.Token.Rotation.Successor == 0 && (state.Works() || state == hallpass.TokenPaused) {
			return "The token " + k.Token.Name + " (…" + k.Token.LastFour + ") of " + k.Account.Name + " has this name. Choose another name, or rotate that token."
		}
	}
	return "Another token of the organization has this name. Choose another name."
}
