package admin

import (
	"errors"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// present returns the thing of the section as it is, and the zero Target if it is not
// there. One that no file declared is found by its uid, else by its name; a token by its
// hash.
func (p *provisioning) present(d hallpass.Declaration) (hallpass.Present, error) {
	org, err := p.orgOf(d)
	if err != nil {
		return hallpass.Present{}, err
	}
	if row := p.applied[d.Section]; row.Section != "" && d.Noun != hallpass.DeclaredOrg && row.Org != org {
		return hallpass.Present{}, d.Wrong("org", errors.New("the org of a section cannot change: give the section another key"))
	}
	return p.presentAs(d, org)
}

// orgOf returns the org that the section is in, or is; 0 if that is not there.
func (p *provisioning) orgOf(d hallpass.Declaration) (hallpass.OrgID, error) {
	if d.Noun != hallpass.DeclaredOrg {
		if d.Org == "" {
			return hallpass.FirstOrg, nil
		}
		d = p.wanted[string(hallpass.DeclaredOrg)+"."+d.Org]
	}
	if row := p.applied[d.Section]; row.Section != "" {
		return row.Org, nil
	}
	o, err := p.OrgByName(d.Name)
	if hallpass.KindOf(err) == hallpass.NotFound {
		return 0, nil
	}
	return o.ID, err
}

// presentAs is present for a section whose org is known.
func (p *provisioning) presentAs(d hallpass.Declaration, org hallpass.OrgID) (hallpass.Present, error) {
	now := hallpass.Present{Applied: p.applied[d.Section], In: org}
	now.Section, now.Noun, now.Key, now.Of = d.Section, d.Noun, d.Key, d.Of
	if org == 0 {
		return now, nil
	}
	_, id, _ := strings.Cut(now.Applied.Target, ":")
	read := map[hallpass.DeclaredNoun]func(*hallpass.Present, hallpass.Declaration, string) (string, error){
		hallpass.DeclaredOrg: p.presentOrg, hallpass.DeclaredRole: p.presentRole, hallpass.DeclaredTeam: p.presentTeam,
		hallpass.DeclaredAccount: p.presentAccount, hallpass.DeclaredToken: p.presentToken, hallpass.DeclaredGuard: p.presentGuard,
	}[d.Noun]
	id, err := read(&now, d, id)
	if errors.Is(err, hallpass.NotFound) || err == nil && id == "" {
		return now, nil
	}
	now.Target = auditNouns[d.Noun] + ":" + id
	if other := p.as[thing{org, now.Target}]; other != "" && other != d.Section {
		if _, declared := p.wanted[other]; declared {
			return now, conflicting("it is the " + d.Noun.Words() + " of [" + other + "]")
		}
		now.Applied = p.applied[other] // it had another key
		delete(p.applied, other)
	}
	p.as[thing{org, now.Target}] = d.Section
	return now, err
}

// conflicting returns the Conflict that something else keeps a section from being applied.
func conflicting(why string) error {
	return &hallpass.Error{Kind: hallpass.Conflict, ID: "provisioning.conflict", Message: why}
}

// auditNouns are the nouns of files as audit entries write them.
var auditNouns = map[hallpass.DeclaredNoun]string{
	hallpass.DeclaredOrg: "org", hallpass.DeclaredRole: "role", hallpass.DeclaredTeam: "team",
	hallpass.DeclaredAccount: "serviceaccount", hallpass.DeclaredToken: "token", hallpass.DeclaredGuard: "guard",
}

func (p *provisioning) presentOrg(now *hallpass.Present, _ hallpass.Declaration, _ string) (string, error) {
	o, err := p.Org(now.In)
	now.Name = o.Name
	return idText(now.In), err
}

func (p *provisioning) presentRole(now *hallpass.Present, d hallpass.Declaration, uid string) (string, error) {
	list, err := onShelf(p.stock.roles, now.In, func() ([]hallpass.NamedRole, error) {
		list, err := p.Roles(now.In)
		return slices.DeleteFunc(list, hallpass.NamedRole.Global), err
	}, func(r hallpass.NamedRole) handle { return handle{r.UID, r.UID, r.Name} })
	now.Role = list.pick(handle{uid, d.Key, d.Role.Name})
	return now.Role.UID, err
}

func (p *provisioning) presentTeam(now *hallpass.Present, d hallpass.Declaration, id string) (string, error) {
	list, err := onShelf(p.stock.teams, now.In, func() ([]hallpass.Team, error) {
		list, _, err := p.Teams(now.In, "", 0, 0)
		return list, err
	}, func(t hallpass.Team) handle { return handle{idText(t.ID), t.UID, t.Name} })
	if err != nil {
		return "", err
	}
	now.Team = list.pick(handle{id, d.Key, d.Team.Name})
	if now.Team.ID == 0 {
		return "", nil
	}
	if now.Groups, err = p.TeamGroups(now.Team.ID); err == nil {
		now.Roles, err = p.roleNames(now.In, hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(now.Team.ID)})
	}
	return idText(now.Team.ID), err
}

// roleNames returns the roles that the grantee was given in the org, as files name them.
func (p *provisioning) roleNames(org hallpass.OrgID, to hallpass.Grantee) (names []string, err error) {
	list, err := p.AssignmentsTo(org, to)
	for _, as := range list {
		names = append(names, p.roleName(as))
	}
	return names, err
}

// roleName returns the role as files name it, "uid:UID" if no file declares it.
func (p *provisioning) roleName(as store.Assignment) string {
	if r, fixed := hallpass.FixedRole(as.RoleUID); fixed {
		return r.Name
	}
	if key := p.keyOf(hallpass.DeclaredRole, as.RoleOrg, as.RoleUID); key != "" {
		return key
	}
	return "uid:" + as.RoleUID
}

// keyOf returns the key of the section that is about the thing; "" if there is none.
func (p *provisioning) keyOf(noun hallpass.DeclaredNoun, org hallpass.OrgID, id string) string {
	key, _ := strings.CutPrefix(p.as[thing{org, auditNouns[noun] + ":" + id}], string(noun)+".")
	return key
}

func (p *provisioning) presentAccount(now *hallpass.Present, d hallpass.Declaration, id string) (string, error) {
	list, err := onShelf(p.stock.accounts, now.In, func() ([]hallpass.ServiceAccount, error) { return p.AccountsAmong(now.In, nil) },
		func(a hallpass.ServiceAccount) handle { return handle{idText(a.ID), a.UID, a.Name} })
	if err != nil {
		return "", err
	}
	now.Account = list.pick(handle{id, d.Key, d.Account.Name})
	if now.Account.ID == 0 {
		return "", nil
	}
	if now.Roles, err = p.roleNames(now.In, accountGrantee(now.Account)); err != nil {
		return "", err
	}
	teams, err := p.TeamsOf(now.In, int64(now.Account.ID))
	for _, t := range teams {
		now.Teams = append(now.Teams, p.teamName(t))
	}
	return idText(now.Account.ID), err
}

func accountGrantee(a hallpass.ServiceAccount) hallpass.Grantee {
	return hallpass.Grantee{Kind: hallpass.ToPrincipal, ID: int64(a.ID)}
}

// teamName returns the team as files name it, "uid:UID" if no file declares it.
func (p *provisioning) teamName(t hallpass.Team) string {
	if key := p.keyOf(hallpass.DeclaredTeam, t.Org, idText(t.ID)); key != "" {
		return key
	}
	return "uid:" + t.UID
}

func (p *provisioning) presentToken(now *hallpass.Present, d hallpass.Declaration, id string) (string, error) {
	var err error
	if n, known := hallpass.ParseID(id); known {
		now.Token, err = p.OrgToken(now.In, hallpass.TokenID(n))
	} else {
		now.Token, err = p.TokenByHash(d.Token.Hash)
	}
	if err != nil {
		return "", err
	}
	account, err := p.ServiceAccount(now.In, now.Token.ServiceAccount)
	if errors.Is(err, hallpass.NotFound) || err == nil && d.Of != "" && p.as[thing{now.In, target(auditNouns[hallpass.DeclaredAccount], int64(account.ID))}] != d.Of {
		return "", conflicting("a token of another account has this secret")
	}
	now.Account, now.Expired = account, now.Token.Expired(p.admin.now())
	now.Revoked = !now.Token.RevokedAt.IsZero()
	return idText(now.Token.ID), err
}

func (p *provisioning) presentGuard(now *hallpass.Present, d hallpass.Declaration, _ string) (string, error) {
	if p.guards == nil {
		list, err := p.AllGuards()
		if err != nil {
			return "", err
		}
		p.guards = make(map[string]hallpass.Guard)
		for _, g := range list {
			p.guards[g.Name] = g
		}
	}
	g, there := p.guards[d.Key]
	if !there {
		return "", nil
	}
	now.Guard = g
	if now.Guard.ManagedBy == hallpass.ManagedByConfig {
		return "", now.Guard.LockedError()
	}
	if now.Guard.Org != now.In {
		return "", conflicting("a guard of another org has this name")
	}
	return now.Guard.Name, nil
}
