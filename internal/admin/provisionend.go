package admin

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// end disables or deletes a thing that no file declares any more.
func (p *provisioning) end(s hallpass.ProvisionStep) error {
	t := p.turn(s, s.Have.In)
	row := s.Have.Applied
	_, id, _ := strings.Cut(s.Have.Target, ":")
	noun := auditNouns[s.Have.Noun]
	var err error
	if s.Do == hallpass.ProvisionDelete {
		t.Action = noun + ".delete"
		err = t.delete()
	} else {
		row.Stopped, err = t.disable()
	}
	if err == nil && t.Action != "" {
		err = t.Audit(noun, id, t.told())
	}
	if err != nil {
		return err
	}
	if row.File = ""; s.Do == hallpass.ProvisionDelete && s.Have.Noun != hallpass.DeclaredToken { // a secret that has ended is remembered
		return t.ForgetProvisioned(row.Section)
	}
	return t.SetProvisioned(row)
}

// delete removes the thing for good.
func (t *provisionTurn) delete() error {
	switch have := t.step.Have; have.Noun {
	case hallpass.DeclaredRole:
		return t.DeleteRole(have.In, have.Role.UID)
	case hallpass.DeclaredTeam:
		return t.DeleteTeam(have.In, have.Team.ID)
	case hallpass.DeclaredAccount:
		return t.DeleteServiceAccount(have.In, have.Account.ID)
	case hallpass.DeclaredToken:
		return t.DeleteToken(have.In, have.Token.ServiceAccount, have.Token.ID)
	default:
		return t.DeleteGuard(have.In, have.Guard.ID)
	}
}

// undeclared is why a token waits that no file declares any more.
const undeclared = "no provisioning file declares it any more"

// disable has the thing give nothing any more, and reports whether it was this that
// disabled it.
func (t *provisionTurn) disable() (did bool, err error) {
	switch have := t.step.Have; have.Noun {
	case hallpass.DeclaredRole:
		t.Action = "role.update"
		r := have.Role
		r.Permissions, r.Version, r.UpdatedAt = nil, r.Version+1, t.now
		return true, t.UpdateRole(r)
	case hallpass.DeclaredTeam:
		t.Action = "team.update"
		if err := t.syncRoles(hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(have.Team.ID)}, nil); err != nil {
			return false, err
		}
		return true, t.syncGroups(have.Team.ID, nil)
	case hallpass.DeclaredAccount:
		if have.Account.Disabled {
			return have.Applied.Stopped, nil
		}
		t.Action = "serviceaccount.disable"
		a := have.Account
		a.Disabled, a.UpdatedAt = true, t.now
		return true, t.UpdateServiceAccount(a)
	case hallpass.DeclaredToken:
		if have.Token.Pause.Holds(t.now) {
			return have.Applied.Stopped, nil
		}
		t.Action = "token.pause"
		token := have.Token
		token.Pause = hallpass.Pause{Since: t.now, Reason: undeclared}
		return true, t.UpdateToken(token)
	default:
		t.Action = "guard.update"
		g := have.Guard
		g.Suspended, g.Version, g.UpdatedAt = hallpass.SuspendedUndeclared, g.Version+1, t.now
		return true, t.UpdateGuard(g)
	}
}
