package admin

import (
	"context"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// policyOf returns the policy of the org, in which accounts that are exempt stand by their
// IDs.
func policyOf(tx *store.Tx, org hallpass.OrgID) (hallpass.StalePolicy, error) {
	p, err := tx.StalePolicy(org)
	if err == nil {
		p.Exempt, _, err = pinExempt(tx, org, p.Exempt)
	}
	return p, err
}

// pinExempt returns the exemptions with accounts by their IDs: an ID is never given twice,
// while a name can be taken by whoever may rename an account. What names no account is
// left out and returned beside. An ID counts before a login, and a login before a name.
func pinExempt(tx *store.Tx, org hallpass.OrgID, exempt []string) (pinned, gone []string, err error) {
	for _, e := range exempt {
		name, ok := hallpass.ExemptedAccount(e)
		if !ok {
			pinned = append(pinned, e)
			continue
		}
		list, err := tx.ServiceAccountsNamed(org, name)
		if err != nil {
			return nil, nil, err
		}
		if len(list) == 0 {
			gone = append(gone, e)
		}
		for _, id := range list {
			if e := hallpass.ExemptAccount(idText(id)); !slices.Contains(pinned, e) {
				pinned = append(pinned, e)
			}
		}
	}
	return pinned, gone, nil
}

// resolveExempt has the accounts that a new policy exempts stand by their IDs, and returns
// them as they are shown. An account that is not there is Invalid: whoever made one with
// that name later would be exempt.
func resolveExempt(tx *store.Tx, org hallpass.OrgID, p *hallpass.StalePolicy) (shown []string, err error) {
	pinned, gone, err := pinExempt(tx, org, p.Exempt)
	if err == nil && len(gone) > 0 {
		err = hallpass.Invalidf("exempt", "exempt[%d]: no service account has this login, name or ID", slices.Index(p.Exempt, gone[0]))
	}
	if err != nil {
		return nil, err
	}
	p.Exempt = pinned
	return shownExempt(tx, org, pinned)
}

// shownExempt returns the exemptions with accounts by their logins, which never change.
func shownExempt(tx *store.Tx, org hallpass.OrgID, exempt []string) ([]string, error) {
	shown := slices.Clone(exempt)
	for i, e := range shown {
		text, is := hallpass.ExemptedAccount(e)
		id, ok := hallpass.ParseID(text)
		if !is || !ok {
			continue
		}
		account, err := tx.ServiceAccount(org, hallpass.ServiceAccountID(id))
		if err != nil {
			return nil, err
		}
		shown[i] = hallpass.ExemptAccount(account.Login)
	}
	return shown, nil
}

// pinPolicy stores the exemptions of a policy by IDs, if they are not yet: an earlier
// version stored them as they were written. The policy keeps its age. What names no
// account any more goes, and the audit has it. It writes only if there is something to
// write: it runs every hour, for every org.
func (a *Admin) pinPolicy(ctx context.Context, org hallpass.OrgID) error {
	var p hallpass.StalePolicy
	var pinned, gone []string
	read := func(tx *store.Tx) (err error) {
		if p, err = tx.StalePolicy(org); err == nil {
			pinned, gone, err = pinExempt(tx, org, p.Exempt)
		}
		return err
	}
	if err := a.db.Read(ctx, read); err != nil || slices.Equal(pinned, p.Exempt) {
		return err
	}
	return a.db.Write(ctx, func(tx *store.Tx) error {
		if err := read(tx); err != nil || slices.Equal(pinned, p.Exempt) {
			return err
		}
		was := p.Exempt
		p.Exempt = pinned
		if err := tx.SetStalePolicy(p); err != nil {
			return err
		}
		entry := a.entry(hallpass.Caller{Org: org}, "org.token-policy", target("org", int64(org)))
		entry.Reason = "exempt by ID from now on: " + strings.Join(was, ", ") + " are " + strings.Join(pinned, ", ")
		if len(gone) > 0 {
			entry.Reason += "; there is no account any more for " + strings.Join(gone, ", ")
		}
		_, err := tx.Audit(entry)
		return err
	})
}

var errExemptOwner = &hallpass.Error{
	Kind: hallpass.Denied, ID: "token-policy.exempt-owner", Needs: string(hallpass.OrgsWrite),
	Message: "The policy for unused tokens exempts this owner: whoever names it needs the permission " + string(hallpass.OrgsWrite),
}

// mayOwn returns a Denied error if the owner is one that the org's policy exempts, the
// owner before was another, and the caller may not set the policy: nobody else exempts a
// token from it.
func (t *Turn) mayOwn(before, owner string) error {
	p, err := t.StalePolicy(t.Caller.Org)
	if err != nil || !p.ExemptsOwner(owner) || p.ExemptsOwner(before) || t.Caller.Can(hallpass.OrgsWrite, "") {
		return err
	}
	return errExemptOwner
}
