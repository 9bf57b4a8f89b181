package admin

import (
	"context"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// What needs attention, and since when.
const (
	triedWithin   = time.Hour           // a refused token is being tried if somebody tried it so recently
	endsWithin    = 14 * 24 * time.Hour // a token ends soon
	usedWithin    = 30 * 24 * time.Hour // whoever uses a token misses it when it ends
	unusedAfter   = 7 * 24 * time.Hour  // a token should have been used
	idleAfter     = 90 * 24 * time.Hour // nobody uses a token any more, where the org's policy does not say otherwise
	extendWithin  = 2 * time.Hour       // the end of a token that is replaced and still used is near
	quietAtLeast  = time.Hour           // a token that is replaced is not used any more
	proxiedWithin = time.Hour           // all clients seem to have one address
	refusedWithin = 24 * time.Hour      // a rule of a guard refuses: since the UTC day of so long ago began
)

// maxAttention is how many rows of a section are counted; maxTries how many refusals
// are looked through for tokens that are being tried.
const (
	maxAttention = 1000
	maxTries     = 5000
)

// Every client seems to have the address of a proxy if of so many of the newest tokens
// those that were used lately, so many at the least, nearly all were used from one address.
const (
	proxyTokens = 5000
	proxyLeast  = 3
	proxyShare  = 95 // in 100
)

// An AttentionFilter picks rows; zero fields pick all.
type AttentionFilter struct {
	Section hallpass.AttentionSection // only those of this one
	After   hallpass.AttentionCursor  // of Section: only those after this one
	Limit   int                       // of rows in a section, at least 1
}

// An AttentionPage is some rows of one section.
type AttentionPage struct {
	Section hallpass.AttentionSection
	Total   int  // in the section, after the filter's After
	More    bool // there are more than Total
	Rows    []hallpass.AttentionRow
	Next    hallpass.AttentionCursor // of the last row; zero: there is no row after it
}

// Attention returns what needs doing in the caller's org, section by section, the most
// urgent first. Sections that the caller may not read are left out.
func (a *Admin) Attention(ctx context.Context, c hallpass.Caller, f AttentionFilter) (pages []AttentionPage, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		s := attention{Tx: tx, admin: a, caller: c, f: f, now: a.now(), among: readable(c)}
		pages = nil
		for _, section := range hallpass.AttentionSections() {
			if f.Section != "" && f.Section != section {
				continue
			}
			page, err := s.section(section)
			if err != nil {
				return err
			}
			if page != nil {
				page.Section = section
				pages = append(pages, *page)
			}
		}
		return nil
	})
	return pages, err
}

// attention reads one answer.
type attention struct {
	*store.Tx
	admin  *Admin
	caller hallpass.Caller
	f      AttentionFilter
	now    time.Time
	among  []hallpass.ServiceAccountID
}

// section returns a page of the section, nil if the caller may not read it.
func (s attention) section(section hallpass.AttentionSection) (*AttentionPage, error) {
	switch section {
	case hallpass.AttentionFailing:
		return s.failing()
	case hallpass.AttentionAPIs:
		return s.apis()
	case hallpass.AttentionOverlaps:
		return s.overlaps()
	case hallpass.AttentionNoOwner:
		return s.ownerless()
	case hallpass.AttentionMorePower:
		return s.morePower()
	case hallpass.AttentionChannels:
		return s.channels()
	case hallpass.AttentionRefusals:
		return s.refusals()
	case hallpass.AttentionProxy:
		return s.proxy()
	}
	actions, queries, err := s.working(section)
	if err != nil {
		return nil, err
	}
	page, err := s.tokens(section, actions, queries...)
	if err == nil && section == hallpass.AttentionNeverEnds {
		for i := range page.Rows {
			page.Rows[i].Seconds = s.admin.usualLife()
		}
	}
	return page, err
}

// working returns the queries for the tokens of a section that work, and what is right for
// those of each; none for another section.
func (s attention) working(section hallpass.AttentionSection) (actions []hallpass.AttentionAction, queries []store.WorkingTokens, err error) {
	ago := func(d time.Duration) time.Time { return s.now.Add(-d) }
	one := func(do hallpass.AttentionAction, q store.WorkingTokens) {
		q.Org, q.Now, q.Among, q.Awake = s.caller.Org, s.now, s.among, section
		actions, queries = append(actions, do), append(queries, q)
	}
	switch section {
	case hallpass.AttentionExpiring:
		soon := store.WorkingTokens{EndAfter: s.now, EndBefore: s.now.Add(endsWithin), MadeFor: shortLived, PastHalf: true} // what replaces a token by one that lives as long is enough
		used, unused := soon, soon
		used.UsedSince, unused.Unused = ago(usedWithin), ago(usedWithin)
		unused.Fresh = ago(unusedAfter) // whoever has just made a token is about to use it
		one(hallpass.ActionRotate, used)
		one(hallpass.ActionLetEnd, unused)
	case hallpass.AttentionNeverUsed:
		one(hallpass.ActionRevoke, store.WorkingTokens{NeverUsed: true, MadeBefore: ago(unusedAfter)})
	case hallpass.AttentionIdle:
		idle := idleAfter
		p, err := s.StalePolicy(s.caller.Org)
		if err != nil {
			return nil, nil, err
		}
		if p.On() {
			idle = time.Duration(p.AfterDays) * 24 * time.Hour
		}
		one(hallpass.ActionPause, store.WorkingTokens{UsedBefore: ago(idle)})
	case hallpass.AttentionNeverEnds:
		one(hallpass.ActionSetEnd, store.WorkingTokens{NeverEnd: true})
	case hallpass.AttentionAboveLimit:
		if latest := s.admin.o.TokenPolicy.Latest(s.now); !latest.IsZero() {
			one(hallpass.ActionRotate, store.WorkingTokens{EndAfter: latest})
		}
	}
	return actions, queries, nil
}

// usualLife returns the lifetime, in seconds, of a token that replaces one which never ends.
func (a *Admin) usualLife() int64 {
	usual := int64(90 * 24 * time.Hour / time.Second)
	if longest := a.o.TokenPolicy.Longest(); longest > 0 {
		return min(usual, longest)
	}
	return usual
}

// limit returns how many rows to look for, so that they can be counted and it is known
// whether there are more.
func (s attention) limit() int { return max(maxAttention, s.f.Limit) + 1 }

// count notes in the page how many rows were found, and returns how many of them are
// shown.
func (s attention) count(p *AttentionPage, found int) (shown int) {
	p.Total, p.More = min(found, s.limit()-1), found >= s.limit()
	return min(found, s.f.Limit)
}

// tokens returns a page of tokens that work: those of the first query, then those of
// the next. The action of the same number is right for each.
func (s attention) tokens(section hallpass.AttentionSection, actions []hallpass.AttentionAction, queries ...store.WorkingTokens) (*AttentionPage, error) {
	var ids []hallpass.TokenID
	of := make(map[hallpass.TokenID]int)
	for i, q := range queries {
		after := s.f.After
		if int64(i) < after.First {
			continue
		}
		if int64(i) == after.First {
			q.After, q.AfterEnd = hallpass.TokenID(after.ID), time.UnixMicro(after.Second)
		}
		q.Limit = s.limit() - len(ids)
		some, err := s.WorkingTokenIDs(q)
		if err != nil {
			return nil, err
		}
		for _, id := range some {
			of[id] = i
		}
		if ids = append(ids, some...); len(ids) >= s.limit() {
			break
		}
	}
	var p AttentionPage
	shown := s.count(&p, len(ids))
	rows, err := s.rows(section, ids[:shown])
	if err != nil {
		return nil, err
	}
	for i := range rows {
		rows[i].Action = actions[of[rows[i].Token.ID]]
	}
	p.Rows = rows
	if shown > 0 && shown < len(ids) {
		last := rows[shown-1].Token
		p.Next = hallpass.AttentionCursor{First: int64(of[last.ID]), ID: int64(last.ID)}
		if !queries[of[last.ID]].EndAfter.IsZero() {
			p.Next.Second = last.ExpiresAt.UnixMicro()
		}
	}
	return &p, nil
}

// rows returns a row of the section for each of the tokens, which exist.
func (s attention) rows(section hallpass.AttentionSection, ids []hallpass.TokenID) ([]hallpass.AttentionRow, error) {
	tokens, err := s.TokensByID(s.caller.Org, ids)
	if err != nil {
		return nil, err
	}
	accounts, err := s.accountsOf(tokens)
	rows := make([]hallpass.AttentionRow, 0, len(ids))
	for _, id := range ids {
		t := tokens[id]
		rows = append(rows, section.Row(t, accounts[t.ServiceAccount], ""))
	}
	return rows, err
}

func (s attention) accountsOf(tokens map[hallpass.TokenID]hallpass.Token) (map[hallpass.ServiceAccountID]hallpass.ServiceAccount, error) {
	var ids []hallpass.ServiceAccountID
	for _, t := range tokens {
		ids = append(ids, t.ServiceAccount)
	}
	slices.Sort(ids)
	return s.ServiceAccountsByID(s.caller.Org, slices.Compact(ids))
}

// page returns a page of rows that are all in memory, in their order, without those
// that are snoozed. key returns a row's key; keys rise.
func (s attention) page(rows []hallpass.AttentionRow, key func(hallpass.AttentionRow) hallpass.AttentionCursor) (*AttentionPage, error) {
	list, err := s.Snoozes(s.caller.Org, s.now)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(rows, func(r hallpass.AttentionRow) bool {
		return !s.f.After.IsZero() && key(r).Compare(s.f.After) <= 0 ||
			slices.ContainsFunc(list, func(z hallpass.Snooze) bool { return z.Section == r.Section && z.Subject == r.Subject })
	})
	slices.SortFunc(rows, func(x, y hallpass.AttentionRow) int { return key(x).Compare(key(y)) })
	var p AttentionPage
	shown := s.count(&p, len(rows))
	p.Rows = rows[:shown]
	if shown > 0 && shown < len(rows) {
		p.Next = key(rows[shown-1])
	}
	return &p, nil
}

// failing returns the tokens that are tried. The latest try comes first.
func (s attention) failing() (*AttentionPage, error) {
	found, err := s.tried()
	if err != nil {
		return nil, err
	}
	rows := make([]hallpass.AttentionRow, 0, len(found))
	for _, r := range found {
		rows = append(rows, r)
	}
	return s.page(rows, func(r hallpass.AttentionRow) hallpass.AttentionCursor {
		return hallpass.AttentionCursor{First: math.MaxInt64 - r.Last.UnixMicro(), ID: int64(r.Token.ID)} // the latest first
	})
}

// tried returns the tokens that somebody tried within the hour and that are still
// refused for the same reason, each with its row.
func (s attention) tried() (map[hallpass.TokenID]hallpass.AttentionRow, error) {
	tries, err := s.AuditEntries(hallpass.AuditFilter{
		Org: s.caller.Org, Action: hallpass.TokenVerify, Outcome: hallpass.Refused, From: s.now.Add(-triedWithin), Limit: maxTries,
	})
	if err != nil {
		return nil, err
	}
	var ids []hallpass.TokenID
	for _, e := range tries.Entries {
		ids = append(ids, e.Token)
	}
	slices.Sort(ids)
	tokens, err := s.TokensByID(s.caller.Org, slices.Compact(ids))
	if err != nil {
		return nil, err
	}
	accounts, err := s.accountsOf(tokens)
	if err != nil {
		return nil, err
	}
	same, err := s.namesakes(tokens)
	if err != nil {
		return nil, err
	}
	successors, err := s.successors(tokens)
	if err != nil {
		return nil, err
	}
	found := make(map[hallpass.TokenID]hallpass.AttentionRow)
	for _, e := range tries.Entries {
		t, known := tokens[e.Token]
		account := accounts[t.ServiceAccount]
		if !known || !s.mayRead(t.ServiceAccount) {
			continue
		}
		do := remedy(t, account, e, s.now)
		if do == hallpass.ActionShowTries {
			do = same.instead(t, e)
		}
		if _, exists := successors[t.Rotation.Successor]; do == hallpass.ActionShowSuccessor && t.Rotation.Successor != 0 && !exists {
			do = hallpass.ActionReissue // it was deleted
		}
		if do == "" {
			continue
		}
		row, seen := found[t.ID]
		if !seen {
			row = hallpass.AttentionFailing.Row(t, account, do)
			row.Reason, row.Last, row.From = e.Reason, e.At, e.From
		}
		row.Since = e.At
		row.Count += e.Count
		found[t.ID] = row
	}
	return found, nil
}

// Tried returns the tokens that the caller may read and that somebody tried within the
// hour although they are refused, each with the row of what needs doing; also those that
// are put off.
func (a *Admin) Tried(ctx context.Context, c hallpass.Caller) (found map[hallpass.TokenID]hallpass.AttentionRow, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		found, err = attention{Tx: tx, admin: a, caller: c, now: a.now(), among: readable(c)}.tried()
		return err
	})
	return found, err
}

// namesakes are when the tokens that work were made, by account and folded name: of
// several the latest.
type namesakes map[hallpass.ServiceAccountID]map[string]time.Time

// namesakes returns those of the accounts of the tokens that were revoked.
func (s attention) namesakes(tokens map[hallpass.TokenID]hallpass.Token) (namesakes, error) {
	made := make(namesakes)
	for _, t := range tokens {
		if t.State(s.now, false) == hallpass.TokenRevoked {
			made[t.ServiceAccount] = make(map[string]time.Time)
		}
	}
	if len(made) == 0 {
		return made, nil
	}
	list, err := s.WorkingNames(s.caller.Org, slices.Sorted(maps.Keys(made)), s.now)
	for _, n := range list {
		if key := hallpass.NameKey(n.Name); n.Made.After(made[n.Account][key]) {
			made[n.Account][key] = n.Made
		}
	}
	return made, err
}

// instead returns what to do about the try e of a token that was revoked: look who tries it
// if somebody revoked it, create another if the policy for unused tokens did, unless one of
// the same name works. Then whoever has tried the old one since needs that.
func (n namesakes) instead(t hallpass.Token, e hallpass.AuditEntry) hallpass.AttentionAction {
	switch at := n[t.ServiceAccount][hallpass.NameKey(t.Name)]; {
	case at.IsZero() && t.Ended == hallpass.EndedAsStale:
		return hallpass.ActionCreate
	case at.IsZero():
		return hallpass.ActionShowTries
	case !e.At.After(at):
		return ""
	}
	return hallpass.ActionShowSuccessor
}

// successors returns the tokens that replace the others, by ID, but for those that were
// deleted.
func (s attention) successors(tokens map[hallpass.TokenID]hallpass.Token) (map[hallpass.TokenID]hallpass.Token, error) {
	var ids []hallpass.TokenID
	for _, t := range tokens {
		if t.Rotation.Successor != 0 {
			ids = append(ids, t.Rotation.Successor)
		}
	}
	return s.TokensByID(s.caller.Org, ids)
}

func (s attention) mayRead(id hallpass.ServiceAccountID) bool {
	return s.among == nil || slices.Contains(s.among, id)
}

// remedy returns what to do about a token that was refused: nothing ("") if it would
// not be refused for that reason now.
func remedy(t hallpass.Token, account hallpass.ServiceAccount, e hallpass.AuditEntry, now time.Time) hallpass.AttentionAction {
	state := t.State(now, account.Disabled)
	for _, r := range []struct {
		reason string
		state  hallpass.TokenState
		do     hallpass.AttentionAction
	}{
		{"api-key.expired", hallpass.TokenExpired, hallpass.ActionReissue},
		{"api-key.revoked", hallpass.TokenRevoked, hallpass.ActionShowTries},
		{"api-key.rotated", hallpass.TokenRotated, hallpass.ActionShowSuccessor},
		{"api-key.paused", hallpass.TokenPaused, hallpass.ActionResume},
		{"identity.disabled", hallpass.TokenBlocked, hallpass.ActionEnable},
	} {
		if e.Reason == r.reason && state == r.state {
			return r.do
		}
	}
	if e.Reason == "api-key.network" && state.Works() && len(t.Limits.Networks) > 0 && !hallpass.InNetworks(t.Limits.Networks, e.From.Address) {
		return hallpass.ActionSetNetworks
	}
	return ""
}

// overlaps returns the tokens that another replaces and that nobody uses any more, or
// that are still used shortly before their end; those whose successor has ended, so that
// nothing works when they end; and the successors that are paused for longer.
func (s attention) overlaps() (*AttentionPage, error) {
	tokens, err := s.OverlappingTokens(s.caller.Org, s.now, s.among, maxTries)
	if err != nil {
		return nil, err
	}
	byID := make(map[hallpass.TokenID]hallpass.Token, len(tokens))
	for _, t := range tokens {
		byID[t.ID] = t
	}
	accounts, err := s.accountsOf(byID)
	if err != nil {
		return nil, err
	}
	successors, err := s.successors(byID)
	if err != nil {
		return nil, err
	}
	var rows []hallpass.AttentionRow
	for _, t := range tokens {
		next := successors[t.Rotation.Successor]
		do := overlap(t, next, s.now)
		if do == hallpass.ActionResume {
			t = next
		}
		if do != "" && !accounts[t.ServiceAccount].Disabled {
			rows = append(rows, hallpass.AttentionOverlaps.Row(t, accounts[t.ServiceAccount], do))
		}
	}
	return s.page(rows, func(r hallpass.AttentionRow) hallpass.AttentionCursor {
		return hallpass.AttentionCursor{First: max(r.Token.Rotation.CloseAt.UnixMicro(), 0), ID: int64(r.Token.ID)}
	})
}

// overlap returns what to do about a token that next replaces, "" for nothing. To resume
// is about next.
func overlap(t, next hallpass.Token, now time.Time) hallpass.AttentionAction {
	r := t.Rotation
	switch {
	case !t.Replaced(now):
		return hallpass.ActionRotate
	case next.Pause.Holds(now) && !next.Replaced(now) && (next.Pause.Until.IsZero() || !t.Live(next.Pause.Until)):
		return hallpass.ActionResume
	case next.Pause.Holds(now): // what is right is known when that is over
		return ""
	}
	last := r.At
	if t.LastUse.At.After(last) {
		last = t.LastUse.At
	}
	switch {
	case now.Sub(last) >= max(r.Quiet, quietAtLeast):
		return hallpass.ActionRetire
	case last.After(r.At) && !r.CloseAt.IsZero() && r.CloseAt.Sub(now) <= extendWithin:
		return hallpass.ActionExtend
	}
	return ""
}

func (s attention) ownerless() (*AttentionPage, error) {
	ids, err := s.OwnerlessAccounts(s.caller.Org, s.now, s.among, hallpass.AttentionNoOwner, hallpass.ServiceAccountID(s.f.After.ID), s.limit())
	if err != nil {
		return nil, err
	}
	return s.accounts(hallpass.AttentionNoOwner, hallpass.ActionSetOwner, ids)
}

// morePower returns the accounts that could go on with a lower role.
func (s attention) morePower() (*AttentionPage, error) {
	list, err := s.SpareRolesOf(s.caller.Org, s.now, s.among, hallpass.AttentionMorePower, hallpass.ServiceAccountID(s.f.After.ID), s.limit())
	if err != nil {
		return nil, err
	}
	ids := make([]hallpass.ServiceAccountID, len(list))
	for i, r := range list {
		ids[i] = r.Account
	}
	p, err := s.accounts(hallpass.AttentionMorePower, hallpass.ActionLowerRole, ids)
	if err != nil {
		return nil, err
	}
	for i := range p.Rows {
		p.Rows[i].Lower = list[i].Enough
	}
	return p, nil
}

// accounts returns a page of the accounts, which come by ID.
func (s attention) accounts(section hallpass.AttentionSection, do hallpass.AttentionAction, ids []hallpass.ServiceAccountID) (*AttentionPage, error) {
	var p AttentionPage
	shown := s.count(&p, len(ids))
	accounts, err := s.ServiceAccountsByID(s.caller.Org, ids[:shown])
	for _, id := range ids[:shown] {
		p.Rows = append(p.Rows, hallpass.AttentionRow{
			Section: section, Action: do, Account: accounts[id],
			Subject: hallpass.Subject{Kind: hallpass.AccountSubject, ID: int64(id)},
		})
	}
	if shown > 0 && shown < len(ids) {
		p.Next = hallpass.AttentionCursor{ID: int64(ids[shown-1])}
	}
	return &p, err
}

// proxy returns a row if tokens are limited to networks, no proxy is trusted to tell the
// addresses of clients, and nearly all tokens were used from one private address of late.
func (s attention) proxy() (*AttentionPage, error) {
	if !s.caller.Can(hallpass.OrgsWrite, "") {
		return nil, nil
	}
	if s.admin.o.TrustsProxies {
		return &AttentionPage{}, nil
	}
	has, err := s.HasNetworks(s.caller.Org)
	if err != nil || !has {
		return &AttentionPage{}, err
	}
	uses, err := s.AddressUses(s.caller.Org, s.now.Add(-proxiedWithin), proxyTokens)
	if err != nil {
		return nil, err
	}
	address := theProxy(uses)
	if address == "" || s.direct(address) {
		return &AttentionPage{}, nil
	}
	return s.page([]hallpass.AttentionRow{{
		Section: hallpass.AttentionProxy, Action: hallpass.ActionTrustProxy, From: hallpass.From{Address: address},
		Subject: hallpass.Subject{Kind: hallpass.OrgSubject, ID: int64(s.caller.Org)},
	}}, subjectKey)
}

// direct reports whether the clients that have the address run on this machine, as those of
// somebody who tries Hallpass do: no request of theirs tells that it came through a proxy.
func (s attention) direct(address string) bool {
	a, err := netip.ParseAddr(address)
	return err == nil && a.Unmap().IsLoopback() && s.admin.o.Proxied != nil && !s.admin.o.Proxied()
}

// theProxy returns the private address from which nearly all tokens were used, "" if there
// is none. Most tokens come first.
func theProxy(uses []store.AddressUse) string {
	var sum int64
	for _, u := range uses {
		sum += u.Tokens
	}
	if sum < proxyLeast || uses[0].Tokens*100 < sum*proxyShare {
		return ""
	}
	address, err := netip.ParseAddr(uses[0].Address)
	if err != nil || !address.Unmap().IsPrivate() && !address.Unmap().IsLoopback() {
		return ""
	}
	return uses[0].Address
}

// channels returns the channels of notices that do not work.
func (s attention) channels() (*AttentionPage, error) {
	if !s.caller.Can(hallpass.OrgsWrite, "") {
		return nil, nil
	}
	list, err := s.FailingChannels(s.caller.Org, s.now.Add(-usedWithin))
	if err != nil {
		return nil, err
	}
	rows := make([]hallpass.AttentionRow, 0, len(list))
	for _, c := range list {
		r := hallpass.AttentionRow{
			Section: hallpass.AttentionChannels, Action: hallpass.ActionFixChannel, Channel: c, Since: c.FailingSince, Reason: c.OffReason,
			Subject: hallpass.Subject{Kind: hallpass.ChannelSubject, ID: int64(c.ID)},
		}
		if r.Reason == "" {
			r.Reason = c.LastError
		}
		if r.Reason == "" {
			r.Reason = "Notices were given up"
		}
		rows = append(rows, r)
	}
	return s.page(rows, subjectKey)
}

// apis returns the guards whose APIs fail.
func (s attention) apis() (*AttentionPage, error) {
	if !s.caller.Can(hallpass.GuardsRead, "") {
		return nil, nil
	}
	list, err := s.admin.failingAPIs(s.Tx, s.caller.Org, 0)
	if err != nil {
		return nil, err
	}
	rows := make([]hallpass.AttentionRow, 0, len(list))
	for _, f := range list {
		if s.caller.Can(hallpass.GuardsRead, hallpass.Guard{Name: f.Name}.Scope()) {
			rows = append(rows, hallpass.AttentionRow{
				Section: hallpass.AttentionAPIs, Action: hallpass.ActionShowGuard, Guard: f.Name, Since: f.Since, Last: f.Last, API: f,
				Subject: hallpass.Subject{Kind: hallpass.GuardSubject, ID: int64(f.Guard)},
			})
		}
	}
	return s.page(rows, subjectKey)
}

// failingAPIs returns the APIs behind guards of the org that fail; of one guard, unless that is 0.
func (a *Admin) failingAPIs(tx *store.Tx, org hallpass.OrgID, guard hallpass.GuardID) ([]hallpass.FailingAPI, error) {
	return tx.FailingAPIs(org, guard, hallpass.FailingShare, hallpass.LeastFailed, a.now().Add(-hallpass.FailingWithin))
}

// refusals returns the rules of guards that refused tokens since yesterday began.
func (s attention) refusals() (*AttentionPage, error) {
	if !s.caller.Can(hallpass.GuardsRead, "") {
		return nil, nil
	}
	list, err := s.GuardRefusals(s.caller.Org, s.now.Add(-refusedWithin).Truncate(24*time.Hour))
	if err != nil {
		return nil, err
	}
	rows := make([]hallpass.AttentionRow, 0, len(list))
	for _, r := range list {
		if !s.caller.Can(hallpass.GuardsRead, hallpass.Guard{Name: r.Guard}.Scope()) {
			continue
		}
		r.Section, r.Action = hallpass.AttentionRefusals, hallpass.ActionShowGuard
		rows = append(rows, r)
	}
	return s.page(rows, subjectKey)
}

func subjectKey(r hallpass.AttentionRow) hallpass.AttentionCursor {
	return hallpass.AttentionCursor{Second: int64(r.Subject.Part), ID: r.Subject.ID}
}

// Snoozes returns what is put off in the caller's org.
func (a *Admin) Snoozes(ctx context.Context, c hallpass.Caller) (list []hallpass.Snooze, err error) {
	err = a.read(ctx, c, need{action: hallpass.ServiceAccountsRead}, func(tx *store.Tx) error {
		list, err = tx.Snoozes(c.Org, a.now())
		if err != nil {
			return err
		}
		snoozed := make([]hallpass.Subject, len(list))
		for i, z := range list {
			snoozed[i] = z.Subject
		}
		found, err := subjectsOf(tx, c.Org, snoozed...)
		list = slices.DeleteFunc(list, func(z hallpass.Snooze) bool {
			read, _, exists := found.needs(z.Subject)
			return !exists || read.authorize(c) != nil
		})
		return err
	})
	return list, err
}

// Snooze puts a row of the page of what needs doing off for a while: 30 days, if that
// is zero. Whoever may not change the subject is Denied; a subject that the caller's org
// does not have is NotFound, one that the section has no rows of Invalid.
func (a *Admin) Snooze(ctx context.Context, c hallpass.Caller, section hallpass.AttentionSection, subject hallpass.Subject, d time.Duration, reason string) (z hallpass.Snooze, err error) {
	if d == 0 {
		d = hallpass.SnoozeFor
	}
	if d < 0 || d > hallpass.MaxSnooze {
		return z, hallpass.Invalidf("days", "days is not between 1 and 90")
	}
	if err := hallpass.TidyReason("reason", &reason); err != nil {
		return z, err
	}
	if reason == "" {
		return z, hallpass.Invalidf("reason", "reason is missing: say why this can wait")
	}
	now := a.now()
	err = a.changeSnooze(ctx, c, section, subject, "attention.snooze", func(t *Turn) error {
		z = hallpass.Snooze{Org: t.Caller.Org, Section: section, Subject: subject, Until: now.Add(d), Reason: reason, At: now, By: t.Caller.Principal.Login}
		if err := t.SetSnooze(z); err != nil {
			return err
		}
		return t.Audit(string(subject.Kind), subject.Number(), string(section)+" until "+z.Until.Format(time.RFC3339)+": "+reason)
	})
	return z, err
}

// EndSnooze lets the row come back. NotFound when it is not snoozed.
func (a *Admin) EndSnooze(ctx context.Context, c hallpass.Caller, section hallpass.AttentionSection, subject hallpass.Subject) error {
	return a.changeSnooze(ctx, c, section, subject, "attention.wake", func(t *Turn) error {
		if err := t.DeleteSnooze(t.Caller.Org, section, subject); err != nil {
			return err
		}
		return t.Audit(string(subject.Kind), subject.Number(), string(section))
	})
}

func (a *Admin) changeSnooze(ctx context.Context, c hallpass.Caller, section hallpass.AttentionSection, subject hallpass.Subject, action string, fn func(*Turn) error) error {
	if !slices.Contains(hallpass.AttentionSections(), section) {
		return hallpass.Invalidf("section", "there is no section of that name")
	}
	if section.Subjects() != subject.Kind {
		return hallpass.Invalidf("subject", "the rows of %s are about a %s", section, section.Subjects())
	}
	return a.change(ctx, c, need{action: hallpass.ServiceAccountsRead}, action, func(t *Turn) error {
		found, err := subjectsOf(t.Tx, t.Caller.Org, subject)
		if err != nil {
			return err
		}
		_, write, exists := found.needs(subject)
		if !exists {
			return errNoSubject[subject.Kind]
		}
		if err := write.authorize(t.Caller); err != nil {
			return err
		}
		return fn(t)
	})
}
