package admin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/secret"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A SignedIn is a user who was signed in, with the session and its id, which exists
// nowhere else.
type SignedIn struct {
	Caller  hallpass.Caller
	Session hallpass.Session
	ID      secret.Text
}

// SignInOutside signs in the person whom an outside issuer proved. Within one
// transaction it finds or makes their user, takes over what the policy takes from the
// issuer, and makes the session. The error is Denied, with a text for the person, if
// they may not.
//
// What it gives is given by whoever set up the policy, and by the issuer: nobody here
// gives it, and no rule of delegation holds.
func (a *Admin) SignInOutside(ctx context.Context, u hallpass.OutsideUser, from hallpass.From) (in SignedIn, err error) {
	in.ID = secret.NewSession()
	var who hallpass.Caller
	if err = a.o.SignIn.Admits(u); err == nil {
		err = a.db.Write(ctx, func(tx *store.Tx) error {
			arriving, err := a.arrive(tx, u)
			who = a.asCaller(arriving.user, from)
			if err != nil {
				return err
			}
			return a.letIn(tx, &arriving, from, &in)
		})
	}
	if hallpass.KindOf(err) == hallpass.Denied {
		var refusal *hallpass.Error
		errors.As(err, &refusal)
		entry := a.entry(who, "session.create", "identity:"+u.Subject)
		entry.Org, entry.From, entry.Outcome, entry.Reason = hallpass.FirstOrg, from, hallpass.Refused, refusal.ID
		a.db.RecordAudit(entry)
	}
	return in, err
}

// UserIdentities returns by which names of outside issuers the user signs in, the oldest
// first.
func (a *Admin) UserIdentities(ctx context.Context, c hallpass.Caller, id hallpass.UserID) ([]hallpass.Identity, error) {
	return a.identities(ctx, c, onUser(hallpass.UsersRead, id), id)
}

// Identities is UserIdentities for the user who calls.
func (a *Admin) Identities(ctx context.Context, c hallpass.Caller) ([]hallpass.Identity, error) {
	return a.identities(ctx, c, self, c.User())
}

func (a *Admin) identities(ctx context.Context, c hallpass.Caller, n need, id hallpass.UserID) (list []hallpass.Identity, err error) {
	err = a.read(ctx, c, n, func(tx *store.Tx) error {
		list, err = tx.Identities(id)
		return err
	})
	return list, err
}

// asCaller returns the user as who does what the sign-in does.
func (a *Admin) asCaller(u hallpass.User, from hallpass.From) hallpass.Caller {
	c := hallpass.Caller{From: from, Org: hallpass.FirstOrg}
	if u.ID != 0 {
		c.Principal = hallpass.Principal{Kind: hallpass.UserPrincipal, ID: int64(u.ID), Login: u.Login}
	}
	return c
}

// An arrival is what a sign-in changes. It is decided before anything is written.
type arrival struct {
	outside hallpass.OutsideUser
	user    hallpass.User  // as it will be; without ID: a new one
	known   bool           // the identity is stored
	claimed bool           // the user was found by the address: no way in from before works any more
	touched bool           // an existing user has other data
	member  *hallpass.Role // the role in the first org that it gets; nil: it stays as it is
	join    []store.GroupMatch
	leave   []hallpass.TeamID
	says    []string // what the audit tells of the changes
}

// arrive reads and decides.
func (a *Admin) arrive(tx *store.Tx, outside hallpass.OutsideUser) (arrival, error) {
	ar := arrival{outside: outside}
	err := a.match(tx, &ar)
	switch {
	case err != nil:
		return ar, err
	case ar.user.Disabled:
		return ar, &hallpass.Error{Kind: hallpass.Denied, ID: "federation.disabled", Message: "Your user is disabled here"}
	case ar.user.ID == 0:
		return ar, a.settle(tx, &ar)
	}
	for _, step := range []func(*store.Tx, *arrival) error{a.takeNames, a.takeServerAdmin, a.takeRole, a.takeTeams} {
		if err := step(tx, &ar); err != nil {
			return ar, err
		}
	}
	return ar, nil
}

// match finds the user: by the identity, or by the proven address where the policy says
// so. Otherwise it is to be a new one.
func (a *Admin) match(tx *store.Tx, ar *arrival) error {
	identity, err := tx.Identity(ar.outside.Issuer, ar.outside.Subject)
	if err == nil {
		ar.known = true
		ar.user, err = tx.User(identity.User)
		return err
	}
	if hallpass.KindOf(err) != hallpass.NotFound {
		return err
	}
	if a.o.SignIn.ByEmail && ar.outside.EmailProven && ar.outside.Email != "" {
		if found, err := ar.findByEmail(tx); found || err != nil {
			return err
		}
	}
	if !a.o.SignIn.SignUp {
		return &hallpass.Error{Kind: hallpass.Denied, ID: "federation.no-user", Message: "You have no user here, and nobody gets one by signing in: ask whoever runs this server"}
	}
	return nil
}

// findByEmail finds the user with the proven address. A server admin is never found: an
// address is not enough to be one. Neither is who has an identity of the issuer: that is
// somebody else. Who has the address here may have given it to themselves, so that another
// person signs in as the user whom they know a way into: every way in from before ends.
func (ar *arrival) findByEmail(tx *store.Tx) (found bool, err error) {
	u, err := tx.UserByEmail(ar.outside.Email)
	if hallpass.KindOf(err) == hallpass.NotFound || err == nil && u.ServerAdmin {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	list, err := tx.Identities(u.ID)
	if err != nil || slices.ContainsFunc(list, func(i hallpass.Identity) bool { return i.Issuer == ar.outside.Issuer }) {
		return false, err
	}
	u.PasswordHash = ""
	ar.user, ar.claimed, ar.touched = u, true, true
	ar.says = append(ar.says, "found by the address "+u.Email+", no password and no session from before")
	return true, nil
}

// settle decides how a new user begins.
func (a *Admin) settle(tx *store.Tx, ar *arrival) error {
	login, email, err := ar.outside.Names()
	if err != nil {
		return err
	}
	name := ar.outside.Name
	if hallpass.ValidateText("name", name, hallpass.MaxName) != nil {
		name = ""
	}
	if err := tidyIdentity(&login, &email, name); err != nil {
		return &hallpass.Error{Kind: hallpass.Denied, ID: "federation.no-login", Message: "The provider tells a login name for you that nobody can have here", Err: err}
	}
	for _, key := range []string{login, email} {
		taken, err := tx.LoginTaken(0, key)
		if err != nil {
			return err
		}
		if taken {
			return &hallpass.Error{
				Kind: hallpass.Denied, ID: "federation.login-taken",
				Message: "Somebody has the login or address " + key + " here already, and it may not be you: ask whoever runs this server",
			}
		}
	}
	now := a.now()
	ar.user = hallpass.User{UID: secret.NewUID(), Login: login, Email: email, Name: name, CreatedAt: now, UpdatedAt: now}
	if err := a.takeServerAdmin(tx, ar); err != nil {
		return err
	}
	return a.settleInOrg(tx, ar)
}

// settleInOrg decides what a new user is in the first org.
func (a *Admin) settleInOrg(tx *store.Tx, ar *arrival) error {
	if _, err := tx.Org(hallpass.FirstOrg); hallpass.KindOf(err) == hallpass.NotFound {
		return nil
	} else if err != nil {
		return err
	}
	role := a.roleOf(ar.outside)
	ar.user.Org, ar.member = hallpass.FirstOrg, &role
	if !a.o.SignIn.Teams {
		return nil
	}
	matches, err := tx.OrgGroupMatches(hallpass.FirstOrg)
	ar.join = joined(matches, ar.outside.Groups)
	return err
}

// roleOf returns the role that the issuer gives, or that of who gets none from it.
func (a *Admin) roleOf(u hallpass.OutsideUser) hallpass.Role {
	if a.o.SignIn.Role && u.HasRole {
		return u.Role
	}
	return hallpass.RoleViewer
}

// takeNames takes over the name and the address. One that nobody can have, or that
// somebody else has, is left there.
func (a *Admin) takeNames(tx *store.Tx, ar *arrival) error {
	if name := ar.outside.Name; name != "" && name != ar.user.Name && hallpass.ValidateText("name", name, hallpass.MaxName) == nil {
		ar.change(&ar.user.Name, name, "name")
	}
	email := ar.outside.Email
	if !ar.outside.EmailProven || email == ar.user.Email || hallpass.TidyLogin("email", &email) != nil {
		return nil
	}
	taken, err := tx.LoginTaken(ar.user.ID, email)
	if err == nil && !taken && email != ar.user.Email {
		ar.change(&ar.user.Email, email, "email")
	}
	return err
}

// change gives the user another text.
func (ar *arrival) change(field *string, to, what string) {
	ar.touched, ar.says = true, append(ar.says, what+" "+to)
	*field = to
}

// takeServerAdmin makes the user a server admin, or ends that. The last one stays one.
func (a *Admin) takeServerAdmin(tx *store.Tx, ar *arrival) error {
	is := ar.outside.ServerAdmin
	if !a.o.SignIn.ServerAdmins || is == ar.user.ServerAdmin {
		return nil
	}
	if !is {
		if err := lastServerAdmin(tx, ar.user); errors.Is(err, errLastAdmin) {
			return nil
		} else if err != nil {
			return err
		}
	}
	ar.user.ServerAdmin, ar.touched = is, true
	ar.says = append(ar.says, map[bool]string{true: "server admin", false: "no server admin any more"}[is])
	return nil
}

// takeRole gives a member of the first org the role that the issuer says. The last Admin
// stays one, and who is no member stays out.
func (a *Admin) takeRole(tx *store.Tx, ar *arrival) error {
	if !a.o.SignIn.Role {
		return nil
	}
	was, member, err := tx.MemberRole(hallpass.FirstOrg, ar.user.ID)
	role := a.roleOf(ar.outside)
	if err != nil || !member || was == role {
		return err
	}
	if was == hallpass.RoleAdmin {
		if err := lastAdmin(tx, hallpass.FirstOrg, ar.user.ID, errLastOrgAdmin); errors.Is(err, errLastOrgAdmin) {
			return nil
		} else if err != nil {
			return err
		}
	}
	ar.member, ar.says = &role, append(ar.says, "role "+was.String()+" to "+role.String())
	return nil
}

// takeTeams decides which teams the user joins and leaves. A membership that no group
// brought stays.
func (a *Admin) takeTeams(tx *store.Tx, ar *arrival) error {
	if !a.o.SignIn.Teams {
		return nil
	}
	matches, err := tx.GroupMatches(ar.user.ID)
	if err != nil {
		return err
	}
	synced, err := tx.SyncedTeams(ar.user.ID)
	if err != nil {
		return err
	}
	wanted := joined(matches, ar.outside.Groups)
	for _, id := range synced {
		if !slices.ContainsFunc(wanted, func(m store.GroupMatch) bool { return m.Team == id }) {
			ar.leave = append(ar.leave, id)
			ar.says = append(ar.says, fmt.Sprintf("leaves team %d", id))
		}
	}
	for _, m := range wanted {
		if !m.Member {
			ar.join = append(ar.join, m)
			ar.says = append(ar.says, fmt.Sprintf("joins team %d", m.Team))
		}
	}
	return nil
}

// joined returns one match for each team that one of the groups is matched with.
func joined(matches []store.GroupMatch, groups []string) (list []store.GroupMatch) {
	in := make(map[string]bool, len(groups))
	for _, g := range groups {
		in[g] = true
	}
	for _, m := range matches {
		if in[m.Group] && (len(list) == 0 || list[len(list)-1].Team != m.Team) { // matches are in the order of teams
			list = append(list, m)
		}
	}
	return list
}

// letIn writes what was decided, and the session.
func (a *Admin) letIn(tx *store.Tx, ar *arrival, from hallpass.From, in *SignedIn) error {
	isNew := ar.user.ID == 0
	if !isNew && len(ar.says) > 0 {
		if err := tx.Change(changed(hallpass.UserChanged, ar.user.ID)); err != nil {
			return err
		}
	}
	if err := a.writeArrival(tx, ar); err != nil {
		return err
	}
	if ar.claimed {
		if err := tx.DeleteSessions(ar.user.ID); err != nil {
			return err
		}
	}
	lifetime := a.o.SessionLifetime
	if most := a.o.SignIn.SessionLifetime; most > 0 {
		lifetime = min(lifetime, most)
	}
	who := a.asCaller(ar.user, from)
	var err error
	if in.Session, err = a.openSession(tx, who, in.ID, lifetime, ar.outside.Issuer); err != nil {
		return err
	}
	if in.Caller, err = tx.UserCaller(ar.user, 0); err != nil {
		return err
	}
	in.Caller.From, in.Caller.Session, in.Caller.Expires = from, in.Session.ID, in.Session.ExpiresAt
	who.Org = ar.user.Org
	return a.tellArrival(tx, ar, who, isNew, in.Session)
}

// tellArrival writes the audit entries of what was done.
func (a *Admin) tellArrival(tx *store.Tx, ar *arrival, who hallpass.Caller, isNew bool, s hallpass.Session) error {
	user := target("user", int64(ar.user.ID))
	by := "by " + ar.outside.Issuer
	entries := []hallpass.AuditEntry{a.entry(who, "session.create", target("session", int64(s.ID)))}
	entries[0].Reason = by
	switch {
	case isNew:
		e := a.entry(who, "user.create", user)
		e.Reason = strings.Join(append([]string{"login " + ar.user.Login, by}, ar.says...), ", ")
		entries = append([]hallpass.AuditEntry{e}, entries...)
	case len(ar.says) > 0:
		e := a.entry(who, "user.sync", user)
		e.Reason = strings.Join(append(ar.says, by), ", ")
		entries = append([]hallpass.AuditEntry{e}, entries...)
	}
	if !ar.known {
		e := a.entry(who, "identity.create", user)
		e.Reason = by + ", subject " + ar.outside.Subject
		entries = append(entries, e)
	}
	for _, e := range entries {
		if _, err := tx.Audit(e); err != nil {
			return err
		}
	}
	return nil
}

// writeArrival writes user, role, teams and identity.
func (a *Admin) writeArrival(tx *store.Tx, ar *arrival) (err error) {
	now := a.now()
	switch {
	case ar.user.ID == 0:
		ar.user, err = tx.CreateUser(ar.user)
	case ar.touched:
		ar.user.UpdatedAt = now
		err = tx.UpdateUser(ar.user)
	}
	if err == nil && ar.member != nil {
		err = tx.SetMember(hallpass.Member{Org: hallpass.FirstOrg, User: ar.user, Role: *ar.member, JoinedAt: now})
	}
	if err != nil {
		return err
	}
	for _, id := range ar.leave {
		if err := tx.DeleteTeamMember(id, int64(ar.user.ID)); err != nil {
			return err
		}
	}
	for _, m := range ar.join {
		member := hallpass.TeamMember{Team: m.Team, Synced: true, JoinedAt: now}
		member.Principal.ID = int64(ar.user.ID)
		if _, err := tx.SetTeamMember(m.Org, member); err != nil {
			return err
		}
	}
	return a.writeIdentity(tx, ar, now)
}

func (a *Admin) writeIdentity(tx *store.Tx, ar *arrival, now time.Time) error {
	if ar.known {
		return tx.SawIdentity(ar.outside.Issuer, ar.outside.Subject, now)
	}
	return tx.CreateIdentity(hallpass.Identity{Issuer: ar.outside.Issuer, Subject: ar.outside.Subject, User: ar.user.ID, CreatedAt: now, SeenAt: now})
}
