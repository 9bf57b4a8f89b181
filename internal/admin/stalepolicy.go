package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TokenPolicyOf returns what the caller's org does about tokens that nobody uses.
// Whoever is in the org may know it; to others it is NotFound.
func (a *Admin) TokenPolicyOf(ctx context.Context, c hallpass.Caller) (p hallpass.StalePolicy, err error) {
	if c.OrgMissing {
		return p, errOrgNotFound
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		if p, err = policyOf(tx, c.Org); err == nil {
			p.Exempt, err = shownExempt(tx, c.Org, p.Exempt)
		}
		return err
	})
	return p, err
}

// SetTokenPolicy sets what the caller's org does about tokens that nobody uses. A policy
// that says the same as the one before changes nothing: its age counts on.
func (a *Admin) SetTokenPolicy(ctx context.Context, c hallpass.Caller, p hallpass.StalePolicy) (hallpass.StalePolicy, error) {
	if err := p.Tidy(); err != nil {
		return p, err
	}
	err := a.change(ctx, c, need{action: hallpass.OrgsWrite}, "org.token-policy", func(t *Turn) error {
		if _, err := t.Org(t.Caller.Org); err != nil {
			return err
		}
		was, err := policyOf(t.Tx, t.Caller.Org)
		if err != nil {
			return err
		}
		shown, err := resolveExempt(t.Tx, t.Caller.Org, &p)
		if err != nil {
			return err
		}
		defer func() { p.Exempt = shown }()
		if p.Same(was) {
			p = was
			return t.Audit("org", idText(p.Org), "nothing changed")
		}
		now := a.now()
		p.Org, p.UpdatedAt, p.UpdatedBy = t.Caller.Org, now, t.Caller.Principal.Login
		if err := t.SetStalePolicy(p); err != nil {
			return err
		}
		told := p
		told.Exempt = shown
		what := policyWords(told)
		err = t.Notify(hallpass.Notice{
			Kind: hallpass.NoticePolicyChanged, Org: p.Org, At: now, Mark: strconv.FormatInt(now.UnixMicro(), 10), Actor: p.UpdatedBy, Reason: what,
		})
		if err != nil {
			return err
		}
		return t.Audit("org", idText(p.Org), what)
	})
	return p, err
}

// policyWords says in a sentence what the policy does.
func policyWords(p hallpass.StalePolicy) string {
	if !p.On() {
		return "nothing happens to tokens that nobody uses"
	}
	days := make([]string, len(p.WarnDays))
	for i, d := range p.WarnDays {
		days[i] = strconv.Itoa(d)
	}
	what := fmt.Sprintf("tokens that nobody used for %d days: warnings %s days before", p.AfterDays, strings.Join(days, ", "))
	if p.Pause {
		what += ", then paused"
	}
	if p.RevokeDays > 0 {
		what += fmt.Sprintf(", revoked %d days later", p.RevokeDays)
	}
	if len(p.Exempt) > 0 {
		what += "; not " + strings.Join(p.Exempt, ", ")
	}
	return what
}

// A StaleToken is a token with what a policy will do to it.
type StaleToken struct {
	Token   hallpass.Token
	Account hallpass.ServiceAccount
	Steps   []hallpass.StaleStep
}

// A StalePreview is what a policy would do.
type StalePreview struct {
	Policy hallpass.StalePolicy // as it would be stored now
	Tokens []StaleToken         // by ID
	Next   hallpass.TokenID     // go on after this one; zero: there are no more
}

// previewRead is how many tokens a preview reads at most for one page.
const previewRead = 5000

// PreviewTokenPolicy returns what the policy would do until the time, if nobody used or
// resumed a token meanwhile, to up to limit tokens after the one given. A policy that
// says the same as the one in force has its age.
func (a *Admin) PreviewTokenPolicy(ctx context.Context, c hallpass.Caller, p hallpass.StalePolicy, until time.Time, after hallpass.TokenID, limit int) (preview StalePreview, err error) {
	if err := p.Tidy(); err != nil {
		return preview, err
	}
	err = a.read(ctx, c, need{action: hallpass.OrgsWrite}, func(tx *store.Tx) error {
		was, err := policyOf(tx, c.Org)
		if err != nil {
			return err
		}
		shown, err := resolveExempt(tx, c.Org, &p)
		if err != nil {
			return err
		}
		now := a.now()
		p.Org, p.UpdatedAt, p.UpdatedBy = c.Org, now, c.Principal.Login
		if p.Same(was) {
			p = was
		}
		preview = StalePreview{Policy: p}
		preview.Policy.Exempt = shown
		if !p.On() || !c.Can(hallpass.ServiceAccountsRead, "") {
			return nil
		}
		list, err := tx.StaleTokens(c.Org, now, p.WarnsFrom(until), readable(c), after, previewRead)
		if err != nil {
			return err
		}
		accounts, err := accountsOfStale(tx, c.Org, list)
		if err != nil {
			return err
		}
		for _, s := range list {
			if len(preview.Tokens) == limit {
				preview.Next = preview.Tokens[limit-1].Token.ID
				return nil
			}
			account := accounts[s.Token.ServiceAccount]
			if steps := p.Future(s.Token, account, s.Staleness, now, until); len(steps) > 0 {
				preview.Tokens = append(preview.Tokens, StaleToken{s.Token, account, steps})
			}
		}
		if len(list) == previewRead {
			preview.Next = list[len(list)-1].Token.ID
		}
		return nil
	})
	return preview, err
}

func accountsOfStale(tx *store.Tx, org hallpass.OrgID, list []store.StaleToken) (map[hallpass.ServiceAccountID]hallpass.ServiceAccount, error) {
	ids := make([]hallpass.ServiceAccountID, 0, len(list))
	for _, s := range list {
		ids = append(ids, s.Token.ServiceAccount)
	}
	slices.Sort(ids)
	return tx.ServiceAccountsByID(org, slices.Compact(ids))
}

// Sizes of the work on stale tokens: how many are read at once, and how many changed in
// one transaction, which holds others up.
const (
	staleRead  = 500
	staleWrite = 50
)

// ApplyTokenPolicies does what the orgs' policies say about tokens that nobody uses, as
// far as it is due: once more, it does nothing more.
func (a *Admin) ApplyTokenPolicies(ctx context.Context) error {
	var policies []hallpass.StalePolicy
	err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
		policies, err = tx.StalePolicies()
		return err
	})
	for _, p := range policies {
		if err == nil {
			err = errors.Join(a.pinPolicy(ctx, p.Org), a.applyPolicy(ctx, p))
		}
	}
	if err != nil {
		return err
	}
	return a.db.Write(ctx, func(tx *store.Tx) error { return tx.DeleteOverSnoozes(a.now()) })
}

func (a *Admin) applyPolicy(ctx context.Context, p hallpass.StalePolicy) error {
	for after := hallpass.TokenID(0); ; {
		var list []store.StaleToken
		var due []hallpass.TokenID
		err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
			now := a.now()
			if p, err = policyOf(tx, p.Org); err != nil {
				return err
			}
			if list, err = tx.StaleTokens(p.Org, now, p.WarnsFrom(now), nil, after, staleRead); err != nil {
				return err
			}
			accounts, err := accountsOfStale(tx, p.Org, list)
			due = nil
			for _, s := range list {
				step := p.Step(s.Token, accounts[s.Token.ServiceAccount], s.Staleness, now).Due(now)
				if step.Act != hallpass.StaleNothing || step.Next != s.Staleness {
					due = append(due, s.Token.ID)
				}
			}
			return err
		})
		if err != nil {
			return err
		}
		for some := range slices.Chunk(due, staleWrite) {
			if err := a.db.Write(ctx, func(tx *store.Tx) error { return a.stepTokens(tx, p.Org, some) }); err != nil {
				return err
			}
		}
		if len(list) < staleRead {
			return nil
		}
		after = list[len(list)-1].Token.ID
	}
}

// stepTokens does what is due about the tokens, as they are now and as the policy is
// now.
func (a *Admin) stepTokens(tx *store.Tx, org hallpass.OrgID, ids []hallpass.TokenID) error {
	p, err := policyOf(tx, org)
	if err != nil || !p.On() {
		return err
	}
	list, err := tx.StaleTokensByID(org, ids)
	if err != nil {
		return err
	}
	accounts, err := accountsOfStale(tx, org, list)
	if err != nil {
		return err
	}
	now := a.now()
	steps := make([]hallpass.StaleStep, len(list))
	for i, s := range list {
		step := p.Step(s.Token, accounts[s.Token.ServiceAccount], s.Staleness, now).Due(now)
		steps[i] = step
		if step.Act != hallpass.StaleNothing && step.Act != hallpass.StaleWarn {
			if err := tx.Change(hallpass.Change{Kind: hallpass.TokenChanged, ID: int64(s.Token.ID), Hash: s.Token.Hash}); err != nil {
				return err
			}
		}
	}
	for i, s := range list {
		if err := a.stepToken(tx, s, accounts[s.Token.ServiceAccount], steps[i], now); err != nil {
			return err
		}
	}
	return nil
}

// stepToken does the step about one token, writes the audit entry of it and its notice.
func (a *Admin) stepToken(tx *store.Tx, s store.StaleToken, account hallpass.ServiceAccount, step hallpass.StaleStep, now time.Time) error {
	if step.Next != s.Staleness {
		if err := tx.SetStaleness(s.Token.ID, step.Next); err != nil {
			return err
		}
	}
	t, why, action := s.Token, step.Words(latestUse(s.Token)), "token.stale"
	switch step.Act {
	case hallpass.StaleNothing:
		return nil
	case hallpass.StalePause:
		t.Pause, action = hallpass.Pause{Since: now, Reason: "stale: " + why}, "token.pause"
	case hallpass.StaleResume:
		t.Pause, action = hallpass.Pause{}, "token.resume"
	case hallpass.StaleRevoke:
		t.RevokedAt, t.Ended, action = now, hallpass.EndedAsStale, "token.revoke"
	}
	if action != "token.stale" {
		if err := tx.UpdateToken(t); err != nil {
			return err
		}
	}
	entry := a.entry(hallpass.Caller{}, action, target("token", int64(t.ID)))
	entry.At, entry.Org, entry.Reason = now, t.Org, why
	if _, err := tx.Audit(entry); err != nil {
		return err
	}
	n := hallpass.TokenNotice(hallpass.NoticeStale, t, account, now)
	begun := s.Staleness.Warned // when what the step is part of began
	if step.Act == hallpass.StaleWarn {
		begun = step.Next.Warned
	}
	n.Mark = fmt.Sprintf("%s-%d of %d", step.Act, step.Days, max(begun.UnixMicro(), s.Staleness.Since.UnixMicro()))
	n.Days, n.Reason = step.Days, why
	return tx.Notify(n)
}

// latestUse returns since when nobody has used the token.
func latestUse(t hallpass.Token) time.Time {
	if t.LastUse.At.IsZero() {
		return t.CreatedAt
	}
	return t.LastUse.At
}
