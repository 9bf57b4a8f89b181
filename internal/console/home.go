package console

// indexView is a page of cards, one for each place below it.
type indexView struct {
	frame
	Lead  string
	Cards []card
}

// card leads to a place.
type card struct{ Icon, Title, Text, URL string }

func home(req *request) error {
	f, err := req.frame("home", "Home")
	if err != nil {
		return err
	}
	f.Crumbs = []crumb{{Label: "Home"}}
	view := indexView{frame: f, Lead: "You are signed in as " + f.Me.Login + "."}
	if f.Nav.Org != "" {
		view.Lead = "You work in " + f.Nav.Org + " as " + req.caller.Role.String() + "."
	}
	if f.Nav.ServiceAccounts {
		view.Cards = append(view.Cards, card{"key", "Service accounts", textServiceAccounts + " Each has a role and tokens of its own.", "/org/serviceaccounts"})
	}
	if f.Nav.Folders {
		view.Cards = append(view.Cards, card{"folder", "Folders and dashboards", textFolders, "/dashboards"})
	}
	if f.Nav.Audit {
		view.Cards = append(view.Cards, card{"list", "Audit log", textAudit, "/admin/audit"})
	}
	view.Cards = append(view.Cards, card{"user", "Profile", "Your account, your role, and your password.", "/profile"})
	return req.show("home/home", view)
}

func administration(req *request) error {
	f, err := req.frame("admin", "Administration")
	if err != nil {
		return err
	}
	view := indexView{frame: f, Lead: "Organization: " + f.Nav.Org}
	if f.Nav.Org == "" {
		view.Lead = "What you may administer."
	}
	if f.Nav.AllOrgs {
		view.Cards = append(view.Cards, card{"building", "Organizations", textOrgs, "/admin/orgs"})
	}
	if f.Nav.Access() {
		view.Cards = append(view.Cards, card{"shield", "Users and access", textAccess, "/admin/access"})
	}
	if f.Nav.Audit {
		view.Cards = append(view.Cards, card{"list", "Audit log", textAudit, "/admin/audit"})
	}
	if f.Nav.Nodes {
		view.Cards = append(view.Cards, card{"server", "Nodes", "Who shares the database, and how current each node is.", "/admin/nodes"})
	}
	return req.show("home/index", view)
}

func usersAndAccess(req *request) error {
	f, err := req.frame("access", "Users and access", crumbAdmin)
	if err != nil {
		return err
	}
	view := indexView{frame: f, Lead: textAccess}
	if f.Nav.Users != "" {
		view.Cards = append(view.Cards, card{"user", "Users", textUsers, f.Nav.Users})
	}
	if f.Nav.Teams {
		view.Cards = append(view.Cards, card{"team", "Teams", textTeams, "/org/teams"})
	}
	if f.Nav.ServiceAccounts {
		view.Cards = append(view.Cards, card{"key", "Service accounts", textServiceAccounts, "/org/serviceaccounts"})
	}
	if f.Nav.Roles {
		view.Cards = append(view.Cards, card{"badge", "Roles", textRoles, "/admin/roles"})
	}
	return req.show("home/index", view)
}
