package console

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// tokensView is the table of an account's tokens. The script of the page fetches it
// alone, to update the table.
type tokensView struct {
	Account accountRow
	Groups  []tokenGroup
	URL     string // address of the table alone
	Ends    endFilter
	Pager   pager
}

// latest returns the latest of the uses of its tokens and of u.
func (v tokensView) latest(u hallpass.Use) hallpass.Use {
	for _, g := range v.Groups {
		for _, t := range g.Tokens {
			if t.Used.at.After(u.At) {
				u = hallpass.Use{At: t.Used.at, Address: t.Address, UserAgent: t.Agent}
			}
		}
	}
	return u
}

// tokenRow is one token.
type tokenRow struct {
	ID       hallpass.TokenID
	URL      string // of its own page
	Name     string
	LastFour string
	File     string // the provisioning file that declares it; empty: none does
	State    hallpass.TokenState
	Badge    badge
	Note     string // what is unusual about it: until when it pauses, what it is limited to
	Waiting  bool   // live and never used
	Ends     timestamp
	Soon     bool // it ends within 14 days
	Used     timestamp
	Address  string
	Client   string
	Agent    string
	Write    bool // the viewer may change it
	Chart    spark
	Part     string // "New" or "Old" of a pair; empty: it is in none
	ByQuiet  bool   // it ends when nobody has used it for a while, and at Ends at the latest

	Generation int
}

// Held says why what the token is cannot be changed; empty: it can.
func (t tokenRow) Held() string { return declaredBy(t.File) }

// Live reports whether the token may be used.
func (t tokenRow) Live() bool { return t.State.Works() }

// Expired reports whether the token has expired.
func (t tokenRow) Expired() bool { return t.State == hallpass.TokenExpired }

// Paused reports whether the token pauses.
func (t tokenRow) Paused() bool { return t.State == hallpass.TokenPaused }

// Rotates reports whether the token can be replaced by another.
func (t tokenRow) Rotates() bool { return t.State == hallpass.TokenLive || t.Expired() }

// Ended reports whether the token has ended, in whatever way.
func (t tokenRow) Ended() bool { return t.Expired() || t.Over() }

// Over reports whether the token was ended before it expired.
func (t tokenRow) Over() bool {
	return t.State == hallpass.TokenRevoked || t.State == hallpass.TokenRotated
}

// tokensView is the table of the tokens; days are those on which each was used.
func (req *request) tokensView(a accountRow, tokens []hallpass.Token, total int, days map[hallpass.TokenID][]hallpass.TokenDay) (tokensView, error) {
	page, _ := req.listPage()
	ends := readEnds(req.URL.Query())
	at := func(days string, page int) string {
		q := url.Values{}
		if days != "" {
			q.Set("ends", days)
		}
		if page > 1 {
			q.Set("page", strconv.Itoa(page))
		}
		if len(q) == 0 {
			return ""
		}
		return "?" + q.Encode()
	}
	rows := tokensView{Account: a, URL: a.URL + "/tokens" + at(ends, page.Number)}
	rows.Ends = endFilterOf(ends, func(days string) string { return a.URL + at(days, 1) })
	rows.Pager = pagerAt(total, page.Number, nounToken, func(n int) string { return a.URL + at(ends, n) })
	var err error
	if rows.Groups, err = req.tokenGroups(a, tokens); err != nil {
		return rows, err
	}
	for i := range rows.Groups {
		for j := range rows.Groups[i].Tokens {
			row := &rows.Groups[i].Tokens[j]
			row.Chart, _ = sparkCanvas.daysChart(days[row.ID], req.o.Admin.Now(), row.Name)
		}
	}
	return rows, nil
}

func (req *request) tokenRow(a accountRow, t hallpass.Token) tokenRow {
	now := req.o.Admin.Now()
	row := tokenRow{
		ID: t.ID, URL: a.URL + "/tokens/" + idText(int64(t.ID)), Name: t.Name, LastFour: t.LastFour, File: t.File, State: t.State(now, a.Disabled),
		Ends: req.timestamp(t.EndsAt()), Used: req.timestamp(t.LastUse.At), Address: t.LastUse.Address, Agent: t.LastUse.UserAgent, Write: a.Write, Generation: max(t.Rotation.Generation, 1),
	}
	if !t.RevokedAt.IsZero() {
		row.Ends = req.timestamp(t.RevokedAt)
	}
	row.Soon = t.Live(now) && !row.Ends.Zero() && row.Ends.at.Sub(now) <= hallpass.EndsSoon
	row.Waiting, row.Badge = row.Live() && row.Used.Zero(), tokenBadge(row.State, !row.Used.Zero())
	if !row.Used.Zero() {
		row.Client = client(row.Agent)
	}
	row.Note = req.tokenNote(t, row.State)
	return row
}

// tokenNote says until when the token pauses, and what it is limited to.
func (req *request) tokenNote(t hallpass.Token, s hallpass.TokenState) string {
	var parts []string
	if s == hallpass.TokenPaused {
		if until := req.timestamp(t.Pause.Until); until.Zero() {
			parts = append(parts, "until it is resumed")
		} else {
			parts = append(parts, roughly(until.at.Sub(until.now))+" left")
		}
	}
	return strings.Join(append(parts, limitWords(t.Limits)...), " · ")
}

// tokenRows is GET /org/serviceaccounts/{ref}/tokens: the table alone.
func tokenRows(req *request) error {
	a, err := req.account()
	if err != nil {
		return err
	}
	rows, err := req.tokensOf(a)
	if err != nil {
		return err
	}
	return req.write(http.StatusOK, "serviceaccounts/detail", "token-rows", rows)
}

// token returns the token that the path names, with its latest use.
func (req *request) token(id hallpass.ServiceAccountID) (hallpass.Token, error) {
	n, ok := hallpass.ParseID(req.PathValue("token"))
	if !ok {
		return hallpass.Token{}, errNoPage
	}
	t, err := req.o.Admin.Token(req.Context(), req.caller, id, hallpass.TokenID(n))
	if err != nil {
		return t, err
	}
	return req.withUse(t), nil
}

// withUse returns the token with its latest use.
func (req *request) withUse(t hallpass.Token) hallpass.Token {
	one := []hallpass.Token{t}
	req.o.Verify.Uses(one)
	return one[0]
}

// deleteToken is GET and POST /org/serviceaccounts/{ref}/tokens/{token}/delete.
func deleteToken(req *request) (change, error) {
	a, c, err := req.accountChange(hallpass.ServiceAccountsWrite)
	if err != nil {
		return c, err
	}
	t, err := req.token(a.ID)
	if err != nil {
		return c, err
	}
	c.Question, c.Button, c.Destroys = "Revoke service account token", "Revoke token", true
	c.Text = "Are you sure you want to revoke " + named(t.Name) + " (glsa_…" + t.LastFour + ")? Every program that uses it is refused from then on, on every node. This cannot be undone."
	now := req.o.Admin.Now()
	before, state := "a token of "+a.Name, t.State(now, a.Disabled)
	switch {
	case state == hallpass.TokenExpired:
		before = "an expired token of " + a.Name
	case state == hallpass.TokenBlocked:
		before = "a token of " + a.Name + ", blocked because the account is disabled"
	case state == hallpass.TokenLive:
		before = "a token that works as " + a.Name + ", with the role " + a.Given.With(a.Role)
	}
	c.Steps = []step{{t.Name, before, wordRevoked}}
	if t.LastUse.At.IsZero() {
		c.Facts = []string{"It was never used."}
	} else {
		c.Facts = []string{"It was last used " + req.useText(t) + "."}
		c.Alarm = state == hallpass.TokenLive && t.InUse(now)
	}
	if t.Expired(now) {
		c.Facts = append(c.Facts, "It has expired already.")
	}
	c.inUse(t.Name)
	c.done = "The token " + t.Name + " of " + a.Name + " is revoked."
	impact, err := req.impactFacts(&c, a.ID, hallpass.ImpactOf{Do: hallpass.ImpactToken, Token: t.ID})
	if err != nil {
		return c, err
	}
	if len(impact.Clients) > 0 && !t.LastUse.At.IsZero() {
		c.Facts = c.Facts[1:] // the clients tell it
	}
	c.do = func() error { return req.o.Admin.DeleteToken(req.Context(), req.caller, a.ID, t.ID) }
	return c, nil
}

// tokensOf returns the requested page of the account's tokens with their latest uses, and
// the days of the last month. Live ones come first, sorted by name.
func (req *request) tokensOf(a hallpass.ServiceAccountSummary) (tokensView, error) {
	page, _ := req.listPage()
	p, err := req.o.Admin.TokenPage(req.Context(), req.caller, a.ID, admin.TokenFilter{LiveFirst: true, Ends: endsWithin(readEnds(req.URL.Query())), Page: page})
	if err != nil {
		return tokensView{}, err
	}
	req.o.Verify.Uses(p.Tokens)
	days, err := req.o.Admin.TokenDays(req.Context(), req.caller, a.ID, usageDays)
	if err != nil {
		return tokensView{}, err
	}
	return req.tokensView(req.accountRow(a), p.Tokens, p.Total, days)
}

// tokens returns the account's tokens with their latest uses.
func (req *request) tokens(id hallpass.ServiceAccountID) ([]hallpass.Token, error) {
	tokens, _, err := req.o.Admin.Tokens(req.Context(), req.caller, id)
	if err != nil {
		return nil, err
	}
	req.o.Verify.Uses(tokens)
	return tokens, nil
}

// useFacts says what would break, how the tokens of the account are used, and the alarm when
// they are in use.
func (req *request) useFacts(c *change, a hallpass.ServiceAccountSummary, of hallpass.ImpactOf) error {
	i, err := req.impactFacts(c, a.ID, of)
	if err != nil {
		return err
	}
	tokens, err := req.tokens(a.ID)
	if err != nil {
		return err
	}
	facts, alarm := req.inUse(tokens, a.Disabled, i.Clients)
	c.Facts, c.Alarm = append(c.Facts, facts...), alarm
	return nil
}

// inUse says what would stop with the tokens: how many are live, and which were used
// in the last 24 hours. It is an alarm when any was. Of those with a client among told it is
// told already.
func (req *request) inUse(tokens []hallpass.Token, disabled bool, told []admin.ImpactClient) (facts []string, alarm bool) {
	if len(tokens) == 0 {
		return []string{"It has no tokens, so nothing can be using it."}, false
	}
	now := req.o.Admin.Now()
	live := 0
	var newest hallpass.Token
	var recent []hallpass.Token
	for _, t := range tokens {
		if t.State(now, disabled) == hallpass.TokenLive {
			live++
		}
		if t.LastUse.At.After(newest.LastUse.At) {
			newest = t
		}
		if t.InUse(now) {
			recent = append(recent, t)
		}
	}
	facts = append(facts, "It has "+hallpass.Counted(len(tokens), "token")+", "+strconv.Itoa(live)+" of them usable now.")
	switch {
	case newest.ID == 0:
		facts = append(facts, "None of them was ever used.")
	case len(recent) == 0 && len(told) == 0:
		facts = append(facts, "Last used "+req.useText(newest)+".")
	}
	alarm = len(recent) > 0
	recent = slices.DeleteFunc(recent, func(t hallpass.Token) bool {
		return slices.ContainsFunc(told, func(k admin.ImpactClient) bool { return k.Token.ID == t.ID })
	})
	slices.SortFunc(recent, func(a, b hallpass.Token) int { return b.LastUse.At.Compare(a.LastUse.At) })
	for i, t := range recent {
		if i == 5 {
			facts = append(facts, "… and "+strconv.Itoa(len(recent)-5)+" more used in the last 24 hours.")
			break
		}
		facts = append(facts, named(t.Name)+" was last used "+req.useText(t)+".")
	}
	return facts, alarm
}

// useText says when, from where and by which client a token was used.
func (req *request) useText(t hallpass.Token) string {
	return req.timestamp(t.LastUse.At).Relative() + " from " + t.LastUse.Address + " by " + client(t.LastUse.UserAgent)
}
