package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

// inventoryRoutes are the routes of tokens of all accounts.
func (a *API) inventoryRoutes() []route {
	return []route{
		inventoryRoute(a),
		endpoint(a, "GET /api/tokens/self", 200, signedIn, a.selfToken),
		endpoint(a, "GET /api/tokens/{token}", 200, mayOnResource(hallpass.ServiceAccountsRead), a.listedToken),
	}
}

// inventoryRoute is GET /api/tokens: a page of tokens, or with Accept: text/csv a table
// of all.
func inventoryRoute(a *API) route {
	const pattern = "GET /api/tokens"
	rule := may(hallpass.ServiceAccountsRead).taking(
		formats("csv"), oneOf("state", hallpass.TokenStates()), plain("owner", "account", "expiresBefore", "expiresAfter", "lastUsedBefore"), flags("neverUsed", "noExpiry"),
		plain("lastFour", "q"), sortedBy(hallpass.TokenOrders()), plain("limit", "after"),
	)
	page := endpoint(a, pattern, http.StatusOK, rule, a.inventory)
	export := stream(a, pattern, rule, a.exportInventory)
	return pageOrExport(page, export, wantsCSV)
}

// defaultInventory is how many tokens a page has unless the request says so.
const defaultInventory = 100

// inventory answers a page.
func (a *API) inventory(c call, _ none) (wire.TokenInventory, error) {
	f, err := inventoryFilter(c, defaultInventory)
	if err != nil {
		return wire.TokenInventory{}, err
	}
	p, err := a.admin.Inventory(c.Context(), c.caller, f)
	if err != nil {
		return wire.TokenInventory{}, err
	}
	rows, err := a.listedTokens(c, p.Tokens)
	return wire.TokenInventory{Tokens: rows, Next: cursor(p.Next.String(), listing(c))}, err
}

// listedTokens returns the rows of the tokens, whose last uses it brings up to date.
func (a *API) listedTokens(c call, list []hallpass.TokenOfAccount) ([]wire.ListedToken, error) {
	tokens := make([]hallpass.Token, len(list))
	for i, t := range list {
		tokens[i] = t.Token
	}
	if err := a.lastUses(c, tokens); err != nil {
		return nil, err
	}
	now := a.admin.Now()
	out := make([]wire.ListedToken, 0, len(list))
	for i, l := range list {
		s := l.Account
		out = append(out, wire.ListedToken{Token: tokenRow(tokens[i], s, now), ServiceAccount: wire.TokenAccount{
			ID: int64(s.ID), UID: s.UID, Name: s.Name, Login: s.Login, Role: s.Role.String(), IsDisabled: s.Disabled,
		}})
	}
	return out, nil
}

// inventoryFilter reads ?state&owner&account&expiresBefore&expiresAfter
// &lastUsedBefore&neverUsed&noExpiry&lastFour&q&sort&limit&after.
func inventoryFilter(c call, limit int) (f admin.InventoryFilter, err error) {
	f = admin.InventoryFilter{
		Owner: query(c, "owner"), LastFour: query(c, "lastFour"), Text: query(c, "q"), NeverUsed: flag(c, "neverUsed"), NoExpiry: flag(c, "noExpiry"),
	}
	for name, text := range map[string]string{"owner": f.Owner, "lastFour": f.LastFour, "q": f.Text} {
		if err := hallpass.ValidateText(name, text, hallpass.MaxName); err != nil {
			return f, err
		}
	}
	f.State = hallpass.TokenState(query(c, "state"))
	if s := query(c, "account"); s != "" {
		id, ok := hallpass.ParseID(s)
		if !ok {
			return f, hallpass.Invalidf("account", "account is not the id of a service account")
		}
		f.Account = hallpass.ServiceAccountID(id)
	}
	if f.ExpiresBefore, err = timeParam(c, "expiresBefore"); err != nil {
		return f, err
	}
	if f.ExpiresAfter, err = timeParam(c, "expiresAfter"); err != nil {
		return f, err
	}
	if f.UsedBefore, err = timeParam(c, "lastUsedBefore"); err != nil {
		return f, err
	}
	return f, inventoryPage(c, &f, limit)
}

// inventoryPage reads the order of the inventory, and which page of it is asked for.
func inventoryPage(c call, f *admin.InventoryFilter, limit int) (err error) {
	name, descending := strings.CutPrefix(query(c, "sort"), "-")
	f.Order, f.Descending = hallpass.TokenOrder(name), descending
	if f.Limit, err = numberFrom(c, "limit", limit, 1, maxPerPage); err != nil {
		return err
	}
	after, err := readCursor(c, "after", listing(c))
	if err == nil && after != "" {
		var ok bool
		if f.After, ok = hallpass.ParseTokenCursor(after); !ok {
			err = badCursor("after")
		}
	}
	return err
}

// listedToken is GET /api/tokens/{token}.
func (a *API) listedToken(c call, _ none) (wire.ListedToken, error) {
	id, err := tokenID(c)
	if err != nil {
		return wire.ListedToken{}, err
	}
	t, err := a.admin.TokenOfAccount(c.Context(), c.caller, id)
	if err != nil {
		return wire.ListedToken{}, err
	}
	return a.oneListed(c, t)
}

func (a *API) oneListed(c call, t hallpass.TokenOfAccount) (wire.ListedToken, error) {
	rows, err := a.listedTokens(c, []hallpass.TokenOfAccount{t})
	if err != nil {
		return wire.ListedToken{}, err
	}
	return rows[0], nil
}

// selfToken is GET /api/tokens/self.
func (a *API) selfToken(c call, _ none) (wire.SelfToken, error) {
	t, err := a.admin.OwnToken(c.Context(), c.caller)
	if err != nil {
		return wire.SelfToken{}, err
	}
	row, err := a.oneListed(c, t)
	if err != nil {
		return wire.SelfToken{}, err
	}
	held, err := a.selfPermissions(c, none{})
	return wire.SelfToken{ListedToken: row, OrgID: int64(c.caller.Org), Held: held}, err
}

// inventoryHead are the columns of the table.
var inventoryHead = []string{
	"id", "name", "state", "service_account_id", "service_account", "service_account_login", "service_account_role", "created", "expiration",
	"last_used", "last_used_address", "last_used_user_agent", "last_used_route", "last_four",
}

// exportInventory writes all tokens that the filter picks as a table (RFC 4180). One
// that fails after its first line cuts the connection, so that the client does not take
// a part for all.
func (a *API) exportInventory(l *streamWriter, c call) error {
	f, err := inventoryFilter(c, maxPerPage)
	if err != nil {
		return err
	}
	l.Header().Set("Content-Type", httpd.MediaCSV+"; charset=utf-8")
	l.Header().Set("Content-Disposition", `attachment; filename="tokens.csv"`)
	head := inventoryHead
	for begun := false; ; begun = true {
		p, err := a.admin.Inventory(c.Context(), c.caller, f)
		var rows []wire.ListedToken
		if err == nil {
			rows, err = a.listedTokens(c, p.Tokens)
		}
		if err == nil {
			_, err = l.Write(inventoryLines(head, rows))
		}
		if err != nil && !begun {
			return err
		}
		select {
		case <-a.stop:
			err = errStopping
		default:
		}
		if err != nil {
			httpd.EventOf(c.Context()).Err = err
			panic(http.ErrAbortHandler)
		}
		if head, f.After = nil, p.Next; f.After == (hallpass.TokenCursor{}) {
			return nil
		}
	}
}

func inventoryLines(head []string, rows []wire.ListedToken) []byte {
	var lines [][]string
	if head != nil {
		lines = append(lines, head)
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	for _, t := range rows {
		s := t.ServiceAccount
		lines = append(lines, []string{
			strconv.FormatInt(t.ID, 10), t.Name, t.State, strconv.FormatInt(s.ID, 10), s.Name, s.Login, s.Role, timeText(&t.Created), timeText(t.Expiration),
			timeText(t.LastUsedAt), text(t.LastUsedAddress), text(t.LastUsedUserAgent), text(t.LastUsedRoute), t.LastFour,
		})
	}
	return httpd.CSV(lines...)
}
