package console

import (
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// userView is the page of one user.
type userView struct {
	frame
	User       userRow
	Since      timestamp
	Member     bool // the viewer reads a member of the org, and not a user of the server
	Orgs       []hallpass.UserOrg
	Has        userHas
	Identities []identityRow
	Sessions   []sessionRow
	Activity   []saying
	Audit      string // address of all that the user did; empty: the viewer may not see it
	Write      bool
	Password   bool
	Promote    bool
	Enable     bool
	Logout     bool
	Delete     bool
	EndAny     bool
	SeeAny     bool // the sessions
}

// NeedsWrite, NeedsEnable and NeedsDelete say why something cannot be done;
// empty: it can.
func (u userView) NeedsWrite() string { return needs(u.Write, hallpass.UsersWrite) }

func (u userView) NeedsEnable() string {
	return needs(u.Enable, hallpass.ActionToSetDisabled(!u.User.Disabled))
}

func (u userView) NeedsDelete() string { return needs(u.Delete, hallpass.UsersDelete) }

// userHas is what a user has in the viewer's org, as far as the viewer may see it.
type userHas struct {
	Org      string
	Role     string // the basic role; empty: the user is no member
	RoleURL  string // empty: the viewer may not read roles
	Given    []givenRole
	SeeGiven bool
	Edit     string // address where roles are given; empty: the page is the user's own
	Teams    []link
	Can      string // what the user may do, in short; empty: the viewer may not see it
	Areas    []powerArea
	All      string // address of the page with every permission
}

// givenRole is a role that a user has in addition to the basic one.
type givenRole struct {
	Role    link
	Through string
}

// identityRow is a company account of a user.
type identityRow struct {
	Provider string // what people call it; empty: it is another than the one in use
	Issuer   string
	Subject  string
	Since    timestamp
	Seen     timestamp
	End      string // where the form goes that disconnects it; empty: the viewer may not
}

// userPage is GET /admin/users/{user}.
func userPage(req *request) error {
	id, err := req.userID()
	if err != nil {
		return err
	}
	return req.showUser(http.StatusOK, id)
}

// readUser returns the user: as one of the server, or else as a member of the viewer's org.
func (req *request) readUser(id hallpass.UserID) (u hallpass.User, member bool, err error) {
	c := req.caller
	if !c.CanOnServer(hallpass.UsersRead, id.GlobalScope()) && c.Can(hallpass.OrgUsersRead, id.Scope()) {
		m, err := req.o.Admin.Member(req.Context(), c, id)
		return m.User, true, err
	}
	u, err = req.o.Admin.User(req.Context(), c, id)
	return u, false, err
}

func (req *request) showUser(status int, id hallpass.UserID) error {
	c := req.caller
	u, member, err := req.readUser(id)
	if err != nil {
		return err
	}
	scope := id.GlobalScope()
	view := userView{
		User: req.userRow(u), Since: req.timestamp(u.CreatedAt), Member: member,
		Write: c.CanOnServer(hallpass.UsersWrite, scope), Password: c.CanOnServer(hallpass.UsersPasswordWrite, scope),
		Promote: c.ServerAdmin && c.CanOnServer(hallpass.UsersPermissionsWrite, scope), Enable: c.CanOnServer(hallpass.ActionToSetDisabled(!u.Disabled), scope),
		Logout: c.CanOnServer(hallpass.UsersLogout, scope) && id != c.User(), Delete: c.CanOnServer(hallpass.UsersDelete, scope),
		EndAny: c.CanOnServer(hallpass.UsersAuthTokenWrite, scope), SeeAny: c.CanOnServer(hallpass.UsersAuthTokenRead, scope),
	}
	view.User.URL = userURL(id)
	for _, fill := range []func(*userView, hallpass.User) error{req.userOrgs, req.userPower, req.userSessions, req.userActivity} {
		if err := fill(&view, u); err != nil {
			return err
		}
	}
	if view.frame, err = req.frame("users", view.User.Name, crumbAdmin, crumbAccess, crumbUsers); err != nil {
		return err
	}
	view.Has.Org = view.Nav.Org
	return req.showStatus(status, "users/detail", view)
}

// userOrgs fills in what only who may read the users of the server sees: their orgs and
// their company accounts.
func (req *request) userOrgs(view *userView, u hallpass.User) (err error) {
	if view.Member {
		return nil
	}
	if view.Orgs, err = req.o.Admin.OrgsOfUser(req.Context(), req.caller, u.ID); err != nil {
		return err
	}
	list, err := req.o.Admin.UserIdentities(req.Context(), req.caller, u.ID)
	end := ""
	if view.Write && req.caller.ServerAdmin {
		end = view.User.URL + "/disconnect"
	}
	view.Identities = req.identityRows(list, end)
	return err
}

// identityRows shows the identities. end is where the form goes that disconnects one; empty:
// the viewer may not.
func (req *request) identityRows(list []hallpass.Identity, end string) (rows []identityRow) {
	for _, i := range list {
		row := identityRow{Issuer: i.Issuer, Subject: i.Subject, Since: req.timestamp(i.CreatedAt), Seen: req.timestamp(i.SeenAt), End: end}
		if req.o.Provider != nil && req.o.Provider.Issuer() == i.Issuer {
			row.Provider = req.o.Provider.Name()
		}
		rows = append(rows, row)
	}
	return rows
}

// userPower fills in the teams and roles of a member of the org, and what the user may do.
func (req *request) userPower(view *userView, u hallpass.User) error {
	ctx, c, has := req.Context(), req.caller, &view.Has
	role, member, err := req.o.Admin.RoleIn(ctx, c, u.ID)
	if err != nil || !member {
		return err
	}
	has.Role = role.String()
	if c.Can(hallpass.RolesRead, "") {
		has.RoleURL = roleURL(role.UID())
	}
	teams, err := req.o.Admin.TeamsOf(ctx, c, int64(u.ID))
	if err != nil {
		return err
	}
	var seen []hallpass.Team
	for _, t := range teams {
		if !view.Member || c.Can(hallpass.TeamsPermissionsRead, t.ID.Scope()) {
			seen, has.Teams = append(seen, t), append(has.Teams, link{Name: t.Name, URL: teamURL(t)})
		}
	}
	if err := req.userGiven(has, u, seen); err != nil {
		return err
	}
	if !c.Can(hallpass.UsersPermissionsRead, u.ID.Scope()) {
		return nil
	}
	has.All = view.User.URL + "/access"
	held, n, err := req.effective(idText(int64(u.ID)))
	if err != nil {
		return err
	}
	has.can(userName(u), powerOf(held, n))
	return nil
}

// userGiven fills in the roles that the user was given, and those of the teams.
func (req *request) userGiven(has *userHas, u hallpass.User, teams []hallpass.Team) error {
	ctx, c := req.Context(), req.caller
	if !c.Can(hallpass.UsersRolesRead, u.ID.Scope()) {
		return nil
	}
	own, err := req.o.Admin.RolesOf(ctx, c, idText(int64(u.ID)), true)
	if err != nil {
		return err
	}
	has.SeeGiven, has.Edit = true, userURL(u.ID)+"/roles"
	for _, r := range own {
		through := "given to the user"
		if r.Everywhere {
			through = "given in every organization"
		}
		has.Given = append(has.Given, givenRole{req.roleLink(r.NamedRole), through})
	}
	for _, t := range teams {
		if !c.Can(hallpass.TeamsRolesRead, t.ID.Scope()) {
			continue
		}
		roles, err := req.o.Admin.RolesOfTeam(ctx, c, t.ID, true)
		if err != nil {
			return err
		}
		for _, r := range roles {
			has.Given = append(has.Given, givenRole{req.roleLink(r.NamedRole), "through the team " + t.Name})
		}
	}
	return nil
}

// roleLink names the role and leads to its page if the viewer may see it.
func (req *request) roleLink(r hallpass.NamedRole) link {
	l := link{Name: roleTitle(r)}
	if req.caller.Can(hallpass.RolesRead, r.Scope()) {
		l.URL = roleURL(r.UID)
	}
	return l
}

// powerOf describes what a user may do who holds that.
func powerOf(held []admin.Effective, n names) hallpass.Power {
	return hallpass.NewPermissions(permissionsOf(held)...).Power(hallpass.UserPrincipal, n.scopeName)
}

// can fills in what the user with the power may do. who names them at the beginning of the
// sentence, as "You".
func (has *userHas) can(who string, w hallpass.Power) {
	has.Can, has.Areas = userPowerWords(who, w), powerAreas(w)
}

// userPowerWords says in short what a user with the power can do.
func userPowerWords(who string, w hallpass.Power) string {
	if len(w.Areas) > 0 {
		return w.Overview(who)
	}
	out := who + " can sign in, and do nothing in Hallpass itself."
	if others := w.Others(); others != "" {
		out += " In other APIs: " + others + "."
	}
	return out
}

// userSessions fills in where the user is signed in.
func (req *request) userSessions(view *userView, u hallpass.User) error {
	if !view.SeeAny {
		return nil
	}
	list, err := req.o.Admin.UserSessions(req.Context(), req.caller, u.ID)
	view.Sessions = req.sessionRows(list)
	return err
}

// shownActivity is how many entries of the audit the page of a user shows.
const shownActivity = 10

// userActivity fills in what the user did last, and what was done to them.
func (req *request) userActivity(view *userView, u hallpass.User) (err error) {
	if !req.caller.Can(hallpass.AuditRead, "") {
		return nil
	}
	of := hallpass.AuditAbout{Targets: []string{"user:" + idText(int64(u.ID))}, Actor: int64(u.ID)}
	view.Audit = "/admin/audit?" + url.Values{"actor": {u.Login}}.Encode()
	view.Activity, _, err = req.sayings(hallpass.AuditFilter{About: &of, Limit: shownActivity}, aboutEverything)
	return err
}

// aboutEverything is what a page is about on which every sentence names its thing.
var aboutEverything = about{itself: "everything"}

// explainUser is GET /admin/users/{user}/access?action&scope.
func explainUser(req *request) error {
	id, err := req.userID()
	if err != nil {
		return err
	}
	u, _, err := req.readUser(id)
	if err != nil {
		return err
	}
	name := userName(u)
	view := explainView{Heading: "What " + name + " may do", Lead: "Every permission in this organization, and where it comes from."}
	return req.showUserAccess(view, idText(int64(id)), name, crumbAdmin, crumbAccess, crumbUsers, crumb{name, userURL(id)})
}

// showUserAccess shows everything that the user may do. ref is theirs, and who names them.
func (req *request) showUserAccess(view explainView, ref, who string, crumbs ...crumb) error {
	held, n, err := req.effective(ref)
	if err != nil {
		return err
	}
	power := powerOf(held, n)
	view.Can = userPowerWords(who, power)
	if err := req.explain(&view, ref, held, n, power); err != nil {
		return err
	}
	if view.frame, err = req.frame("users", "Access", crumbs...); err != nil {
		return err
	}
	return req.show("explain/account", view)
}
