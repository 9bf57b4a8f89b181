package console

// indexView is a page of cards that lead to other pages.
type indexView struct {
	frame
	Lead  string
	Cards []card
}

// card leads to a page.
type card struct{ Icon, Title, Text, URL string }

const (
	textServiceAccounts = "Use service accounts to run automated workloads."
	textAudit           = "Who changed what, who signed in, and what was refused."
	textAccess          = "Configure access for individual users, teams, and service accounts."
	textUsers           = "People who sign in, their role, and their sessions."
	textTeams           = "Groups of people and accounts that share roles and access."
	textRoles           = "What each role permits, and roles of your own."
	textOrgs            = "Each organization has its own members, accounts, teams and folders."
	textGuards          = "HTTP APIs that Hallpass protects: what each request needs, and what was refused."
	textFolders         = "Folders and dashboards that tools store here, and who may use them."
)

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
		view.Cards = append(view.Cards, card{"key", crumbAccounts.Label, textServiceAccounts + " Each has a role and tokens of its own.", crumbAccounts.URL})
	}
	if f.Nav.Guards {
		view.Cards = append(view.Cards, card{"gate", crumbGuards.Label, textGuards, crumbGuards.URL})
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
		view.Lead = "The parts that you may administer."
	}
	if f.Nav.AllOrgs {
		view.Cards = append(view.Cards, card{"building", crumbOrgs.Label, textOrgs, crumbOrgs.URL})
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
		view.Cards = append(view.Cards, card{"user", crumbUsers.Label, textUsers, f.Nav.Users})
	}
	if f.Nav.Teams {
		view.Cards = append(view.Cards, card{"team", crumbTeams.Label, textTeams, crumbTeams.URL})
	}
	if f.Nav.ServiceAccounts {
		view.Cards = append(view.Cards, card{"key", crumbAccounts.Label, textServiceAccounts, crumbAccounts.URL})
	}
	if f.Nav.Roles {
		view.Cards = append(view.Cards, card{"badge", crumbRoles.Label, textRoles, crumbRoles.URL})
	}
	return req.show("home/index", view)
}
