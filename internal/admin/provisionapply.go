package admin

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// apply makes the steps: first it declares all changes, then it makes them.
func (p *provisioning) apply(steps []hallpass.ProvisionStep) error {
	guard, err := p.NextGuard()
	if err != nil {
		return err
	}
	for _, s := range steps {
		if s.Do == "" {
			continue
		}
		changes := provisionChanges(s)
		if s.Do == hallpass.ProvisionCreate && s.Want.Noun == hallpass.DeclaredGuard {
			changes, guard = []hallpass.Change{changed(hallpass.GuardChanged, guard)}, guard+1
		}
		for _, c := range changes {
			if err := p.Change(c); err != nil {
				return err
			}
		}
	}
	for _, s := range steps {
		var err error
		switch s.Do {
		case "":
		case hallpass.ProvisionRelease:
			err = p.release(s)
		case hallpass.ProvisionDisable, hallpass.ProvisionDelete:
			err = p.end(s)
		default:
			err = p.makeTrue(s)
		}
		if err != nil {
			return located(s.Want, err)
		}
	}
	return nil
}

// provisionChanges returns whom the step concerns that remembers something; a thing that
// is made concerns nobody.
func provisionChanges(s hallpass.ProvisionStep) []hallpass.Change {
	if !s.Have.There() || s.Do == hallpass.ProvisionRelease {
		return nil
	}
	switch s.Have.Noun {
	case hallpass.DeclaredOrg:
		return []hallpass.Change{changed(hallpass.OrgChanged, s.Have.In)}
	case hallpass.DeclaredRole, hallpass.DeclaredTeam:
		return permissionsChanged(s.Have.In)
	case hallpass.DeclaredAccount:
		return []hallpass.Change{changed(hallpass.ServiceAccountChanged, s.Have.Account.ID)}
	case hallpass.DeclaredToken:
		return tokenChanged(s.Have.Token)
	}
	return []hallpass.Change{changed(hallpass.GuardChanged, s.Have.Guard.ID)}
}

// A provisionTurn is one step while it is made.
type provisionTurn struct {
	*Turn
	p    *provisioning
	step hallpass.ProvisionStep
	now  time.Time
}

// turn returns the turn of a step, whose actor is the file.
func (p *provisioning) turn(s hallpass.ProvisionStep, org hallpass.OrgID) *provisionTurn {
	file := hallpass.Principal{Login: "file:" + s.File()}
	return &provisionTurn{
		&Turn{Tx: p.Tx, Caller: hallpass.Caller{Org: org, Principal: file, Role: hallpass.RoleAdmin}, admin: p.admin, org: org, file: true},
		p, s, p.admin.now(),
	}
}

// makeTrue makes the thing of the step as its file declares it.
func (p *provisioning) makeTrue(s hallpass.ProvisionStep) error {
	org, err := p.orgOf(s.Want)
	if err != nil {
		return err
	}
	t := p.turn(s, org)
	set := map[hallpass.DeclaredNoun]func() (string, error){
		hallpass.DeclaredOrg: t.setOrg, hallpass.DeclaredRole: t.setRole, hallpass.DeclaredTeam: t.setTeam,
		hallpass.DeclaredAccount: t.setAccount, hallpass.DeclaredToken: t.setToken, hallpass.DeclaredGuard: t.setGuard,
	}[s.Want.Noun]
	id, err := set()
	if err != nil {
		return err
	}
	noun := auditNouns[s.Want.Noun]
	if s.Want.Noun != hallpass.DeclaredToken || s.Do != hallpass.ProvisionRotate { // a rotation has entries of its own
		if err := t.Audit(noun, id, t.told()); err != nil {
			return err
		}
	}
	return t.note(hallpass.Provisioned{
		Section: s.Want.Section, Org: t.org, Target: noun + ":" + id, File: s.Want.File, Hash: s.Want.Token.Hash,
		Stopped: s.Want.Account.Disabled && s.Note == "", // a person's stop is not the file's
	})
}

// told returns what the audit says of the step.
func (t *provisionTurn) told() string {
	parts := []string{"[" + t.step.Section() + "]"}
	switch t.step.Do {
	case hallpass.ProvisionCreate:
		parts = append(parts, "name "+t.step.Want.Title())
	case hallpass.ProvisionAdopt:
		parts = append(parts, "from now on the file declares it")
		if t.step.Brings != "" {
			parts = append(parts, "it brings along "+t.step.Brings)
		}
	case hallpass.ProvisionDisable, hallpass.ProvisionDelete:
		parts = append(parts, "no file declares it any more")
	}
	for _, c := range t.step.Changes {
		parts = append(parts, fmt.Sprintf("%s %q", c.Name, c.Now))
	}
	return strings.Join(parts, ", ")
}

// note notes what the section is about from now on.
func (t *provisionTurn) note(row hallpass.Provisioned) error {
	if before := t.step.Have.Applied.Section; before != "" && before != row.Section {
		if err := t.ForgetProvisioned(before); err != nil {
			return err
		}
	}
	t.p.applied[row.Section], t.p.as[thing{row.Org, row.Target}] = row, row.Section
	return t.SetProvisioned(row)
}

func (t *provisionTurn) setOrg() (string, error) {
	if t.step.Have.There() {
		o, err := t.Org(t.step.Have.In)
		if err != nil {
			return "", err
		}
		t.Action, o.Name, o.UpdatedAt = "org.update", t.step.Want.Name, t.now
		return idText(o.ID), t.UpdateOrg(o)
	}
	o, err := t.CreateOrg(hallpass.Org{Name: t.step.Want.Name, CreatedAt: t.now, UpdatedAt: t.now})
	t.Action, t.org = "org.create", o.ID
	return idText(o.ID), err
}

func (t *provisionTurn) setRole() (string, error) {
	r, was := t.step.Want.Role, t.step.Have.Role
	r.Org, r.Permissions, r.UpdatedAt = t.org, uniquePermissions(r.Permissions), t.now
	if !t.step.Have.There() {
		t.Action, r.Version, r.CreatedAt = "role.create", 1, t.now
		return r.UID, t.CreateRole(r)
	}
	t.Action, r.UID, r.Version, r.CreatedAt, r.Hidden = "role.update", was.UID, was.Version+1, was.CreatedAt, was.Hidden
	return r.UID, t.UpdateRole(r)
}

func (t *provisionTurn) setTeam() (id string, err error) {
	team, was := t.step.Want.Team, t.step.Have.Team
	team.Org, team.UpdatedAt = t.org, t.now
	if t.step.Have.There() {
		t.Action, team.ID = "team.update", was.ID
		err = t.UpdateTeam(team)
	} else {
		t.Action, team.UID, team.CreatedAt = "team.create", t.step.Want.Key, t.now
		team, err = t.CreateTeam(team)
	}
	if err == nil {
		err = t.syncRoles(hallpass.Grantee{Kind: hallpass.ToTeam, ID: int64(team.ID)}, t.step.Want.Roles)
	}
	if err == nil {
		err = t.syncGroups(team.ID, t.step.Want.Groups)
	}
	return idText(team.ID), err
}

// syncRoles gives the grantee exactly these roles.
func (t *provisionTurn) syncRoles(to hallpass.Grantee, names []string) error {
	now, err := t.AssignmentsTo(t.org, to)
	if err != nil {
		return err
	}
	for _, as := range now {
		if !slices.Contains(names, t.p.roleName(as)) {
			if _, err := t.Unassign(as); err != nil {
				return err
			}
		}
	}
	for _, name := range names {
		if _, err := t.Assign(t.assignment(to, name), t.now); err != nil {
			return err
		}
	}
	return nil
}

// assignment returns that the grantee has the role, which is a fixed one or declared.
func (t *provisionTurn) assignment(to hallpass.Grantee, name string) store.Assignment {
	for _, r := range hallpass.FixedRoles() {
		if r.Name == name {
			return store.Assignment{Org: t.org, To: to, RoleUID: r.UID}
		}
	}
	_, uid, _ := strings.Cut(t.p.applied[string(hallpass.DeclaredRole)+"."+name].Target, ":")
	return store.Assignment{Org: t.org, To: to, RoleOrg: t.org, RoleUID: uid}
}

// syncGroups matches the team with exactly these outside groups.
func (t *provisionTurn) syncGroups(id hallpass.TeamID, groups []string) error {
	now, err := t.TeamGroups(id)
	if err != nil {
		return err
	}
	for _, g := range now {
		if !slices.Contains(groups, g) {
			if err := t.DeleteTeamGroup(id, g); err != nil {
				return err
			}
		}
	}
	for _, g := range groups {
		if !slices.Contains(now, g) {
			if err := t.AddTeamGroup(id, g); err != nil {
				return err
			}
		}
	}
	return nil
}

func (t *provisionTurn) setAccount() (id string, err error) {
	a, was := t.step.Want.Account, t.step.Have.Account
	a.Org, a.UpdatedAt = t.org, t.now
	if t.step.Have.There() {
		t.Action, _ = describe(was, a)
		a.ID, a.UID, a.Login, a.CreatedAt, a.CreatedBy = was.ID, was.UID, was.Login, was.CreatedAt, was.CreatedBy
		err = t.UpdateServiceAccount(a)
	} else {
		t.Action, a.Login, a.CreatedAt, a.CreatedBy = "serviceaccount.create", hallpass.ServiceAccountLogin(t.org, a.Name), t.now, t.Caller.Principal.Login
		a, err = t.CreateServiceAccount(a)
	}
	if err == nil && !equalTexts(t.step.Want.Roles, t.step.Have.Roles) {
		err = t.syncRoles(accountGrantee(a), t.step.Want.Roles)
	}
	if err == nil && !equalTexts(t.step.Want.Teams, t.step.Have.Teams) {
		err = t.syncTeams(int64(a.ID), t.step.Want.Teams)
	}
	return idText(a.ID), err
}

// equalTexts reports whether two lists hold the same texts.
func equalTexts(a, b []string) bool {
	sorted := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(sorted(a), sorted(b))
}

// syncTeams puts the account in exactly these teams. Where it is the team's admin, it
// stays so.
func (t *provisionTurn) syncTeams(account int64, keys []string) error {
	now, err := t.TeamsOf(t.org, account)
	if err != nil {
		return err
	}
	var in []string
	for _, team := range now {
		key := t.p.teamName(team)
		if in = append(in, key); slices.Contains(keys, key) {
			continue
		}
		if err := t.DeleteTeamMember(team.ID, account); err != nil {
			return err
		}
	}
	for _, key := range keys {
		if slices.Contains(in, key) {
			continue
		}
		_, text, _ := strings.Cut(t.p.applied[string(hallpass.DeclaredTeam)+"."+key].Target, ":")
		id, _ := hallpass.ParseID(text) // a team that is applied has one
		m := hallpass.TeamMember{Team: hallpass.TeamID(id), JoinedAt: t.now}
		m.Principal.ID = account
		if _, err := t.SetTeamMember(t.org, m); err != nil {
			return err
		}
	}
	return nil
}

func (t *provisionTurn) setGuard() (string, error) {
	g := t.step.Want.Guard
	g.Org, g.ManagedBy = t.org, hallpass.ManagedByAPI
	var err error
	if t.step.Have.There() {
		t.Action = "guard.update"
		_, err = t.admin.updateGuard(t.Tx, t.step.Have.Guard, g)
	} else {
		t.Action = "guard.create"
		_, err = t.admin.createGuard(t.Tx, g)
	}
	return g.Name, err
}

// setToken makes or changes a token, or has another one replace it.
func (t *provisionTurn) setToken() (id string, err error) {
	token, was := t.step.Want.Token, t.step.Have.Token
	if t.step.Do == hallpass.ProvisionCreate || t.step.Do == hallpass.ProvisionRotate {
		return t.makeToken(token, was)
	}
	token.ID, token.Org, token.ServiceAccount, token.Hash, token.CreatedAt, token.CreatedBy = was.ID, was.Org, was.ServiceAccount, was.Hash, was.CreatedAt, was.CreatedBy
	token.LastFour = cmp.Or(was.LastFour, token.LastFour)
	token.Rotation, token.LastUse, token.Pause = was.Rotation, was.LastUse, was.Pause
	if t.step.Have.Applied.Stopped {
		token.Pause = hallpass.Pause{}
	}
	if token.Limits, err = t.admin.limitsOf(t.Tx, t.step.Have.Account, token.Limits); err != nil {
		return "", err
	}
	t.Action = "token.update"
	if token.Name != was.Name {
		return idText(token.ID), t.RenameToken(token, t.now)
	}
	return idText(token.ID), t.UpdateToken(token)
}

// makeToken makes the declared token, which replaces was if that is there.
func (t *provisionTurn) makeToken(token, was hallpass.Token) (string, error) {
	_, text, _ := strings.Cut(t.p.applied[t.step.Want.Of].Target, ":")
	account, _ := hallpass.ParseID(text) // an account that is applied has one
	owner, err := t.ServiceAccount(t.org, hallpass.ServiceAccountID(account))
	if err != nil {
		return "", err
	}
	token.Org, token.ServiceAccount, token.CreatedAt, token.CreatedBy = t.org, owner.ID, t.now, t.Caller.Principal.Login
	if token.Limits, err = t.admin.limitsOf(t.Tx, owner, token.Limits); err != nil {
		return "", err
	}
	t.Action = "token.create"
	if t.step.Do == hallpass.ProvisionCreate {
		made, err := t.CreateToken(token)
		return idText(made.ID), err
	}
	in := Rotate{}
	if err := in.tidy(t.admin.o.RotationGrace); err != nil {
		return "", err
	}
	token.Rotation = hallpass.Rotation{Chain: was.Rotation.First(was.ID), Generation: max(was.Rotation.Generation, 1) + 1, Predecessor: was.ID}
	t.Action = "token.rotate"
	made, _, err := t.replaceDeclared(was, token, in)
	return idText(made.ID), err
}

// release notes that no file declares the thing any more.
func (p *provisioning) release(s hallpass.ProvisionStep) error {
	row := s.Have.Applied
	row.File = ""
	if !s.Have.There() && s.Have.Noun != hallpass.DeclaredToken { // a secret that has ended is remembered
		return p.ForgetProvisioned(row.Section)
	}
	return p.SetProvisioned(row)
}
