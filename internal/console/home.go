package console

import (
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

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

// homeView is the page that says what needs doing.
type homeView struct {
	frame
	Heading  string
	Lead     string
	Checked  timestamp
	Accounts string // "26 service accounts"
	Tallies  []tally
	Sections []todoSection
	Well     bool      // nothing needs doing
	NextEnd  timestamp // of a token that works; zero: none ends
	One      string    // the title of the section of which all rows are shown
	Nodes    badge     // without Text: the viewer may not see them
	Alone    bool      // the one server there is
	Work     string    // hallpass.FailingWork
	Failing  []jobRow  // background work that fails, told to whom the nodes are told
	Feed     []saying
	Create   bool // there is no account yet, and the viewer may add one
	Cards    []card
}

// home is GET /: what needs doing. Who may not read service accounts sees where they may
// go.
func home(req *request) error {
	f, err := req.frame("home", "Home")
	if err != nil {
		return err
	}
	f.Crumbs = []crumb{{Label: "Home"}}
	view := homeView{frame: f, Checked: req.timestamp(req.o.Admin.Now()), Work: hallpass.FailingWork, Failing: req.failingJobs()}
	if req.caller.Can(hallpass.ServiceAccountsRead, "") {
		err = req.attention(&view)
	} else {
		view.Heading = "Welcome, " + f.Me.Name
	}
	if err != nil {
		return err
	}
	view.Lead = "You are signed in as " + f.Me.Login + "."
	if f.Nav.Org != "" {
		view.Lead = "You work in " + f.Nav.Org + " as " + req.caller.Role.String() + "."
	}
	if view.Accounts == "" && len(view.Sections) == 0 {
		view.Cards = f.cards()
		view.Create = req.caller.Can(hallpass.ServiceAccountsRead, "") && req.caller.Can(hallpass.ServiceAccountsCreate, "")
	}
	if view.Nodes, view.Alone, err = req.nodesState(); err != nil {
		return err
	}
	if view.Accounts != "" && f.Nav.Audit && view.One == "" {
		view.Feed, err = req.latestChanges()
	}
	if err != nil {
		return err
	}
	return req.show("home/home", view)
}

// attention fills in what needs doing: all sections, or one of them.
func (req *request) attention(view *homeView) error {
	filter := admin.AttentionFilter{Limit: shownRows}
	q := req.URL.Query()
	if s := hallpass.AttentionSection(q.Get("section")); slices.Contains(hallpass.AttentionSections(), s) {
		filter.Section, filter.Limit = s, perPage
		filter.After, _ = hallpass.ParseAttentionCursor(q.Get("after")) // ignore a value that the console did not write
		view.One = s.Title()
	}
	pages, err := req.o.Admin.Attention(req.Context(), req.caller, filter)
	if err != nil {
		return err
	}
	for _, p := range pages {
		if p.Total == 0 && view.One == "" {
			continue
		}
		s := req.todo(p)
		if view.One != "" {
			s.All = ""
			if !p.Next.IsZero() {
				s.Next = sectionURL(p.Section, p.Next)
			}
		}
		view.Sections = append(view.Sections, s)
		view.Tallies = append(view.Tallies, tally{s.Count, shortWords(p), s.Class, rowsURL(p.Section)})
		if view.Heading == "" {
			view.Heading = sectionWords(p)
		}
	}
	_, total, err := req.o.Admin.ServiceAccounts(req.Context(), req.caller, admin.ServiceAccountFilter{Page: 1, PerPage: 1})
	if err != nil {
		return err
	}
	if total > 0 {
		view.Accounts = hallpass.Counted(total, "service account")
	}
	switch {
	case view.Heading != "":
	case len(view.Failing) > 0:
		view.Heading = "The server needs you"
	case total > 0:
		view.Heading = "Nothing needs you"
	default:
		view.Heading = "Welcome, " + view.Me.Name
	}
	if view.One != "" {
		view.Heading, view.Tallies = view.One, nil
	}
	view.Well = len(view.Sections) == 0 && len(view.Failing) == 0
	if view.Well && total > 0 {
		return req.nextEnd(view)
	}
	return nil
}

// nextEnd fills in when the next token ends.
func (req *request) nextEnd(view *homeView) error {
	p, err := req.o.Admin.Inventory(req.Context(), req.caller, admin.InventoryFilter{State: hallpass.TokenLive, Order: hallpass.ByEnd, Limit: 1})
	if err == nil && len(p.Tokens) > 0 {
		view.NextEnd = req.timestamp(p.Tokens[0].Token.EndsAt())
	}
	return err
}

// nodesState says whether the nodes agree, to those who may see them.
func (req *request) nodesState() (state badge, alone bool, err error) {
	if !req.caller.CanOnServer(hallpass.ServerStatsRead, "") {
		return state, false, nil
	}
	if !req.o.Node.Shared() {
		return badge{Text: "This server answers", Class: "good"}, true, nil
	}
	peers, err := req.o.Node.Peers(req.Context())
	return nodesBadge(peers), false, err
}

// failingJobs returns the background work that fails, for those who may see the nodes.
func (req *request) failingJobs() []jobRow {
	if req.o.Jobs == nil {
		return nil
	}
	return req.jobRows(hallpass.FailingJobs(req.o.Jobs(), req.caller), nil)
}

// latestChanges returns the last changes of accounts, tokens and what they may do, among
// the last entries of the audit.
func (req *request) latestChanges() (list []saying, err error) {
	const most, among = 6, 50
	all, _, err := req.sayings(hallpass.AuditFilter{Outcome: hallpass.Done, Limit: among}, about{itself: "nothing"})
	for _, s := range all {
		if s.icon != "" && len(list) < most { // one without is no change of these
			list = append(list, s)
		}
	}
	return list, err
}

// cards lead to the pages that the viewer may see.
func (f frame) cards() (list []card) {
	if f.Nav.ServiceAccounts {
		list = append(list, card{"key", crumbAccounts.Label, textServiceAccounts + " Each has a role and tokens of its own.", crumbAccounts.URL})
	}
	if f.Nav.Guards {
		list = append(list, card{"gate", crumbGuards.Label, textGuards, crumbGuards.URL})
	}
	if f.Nav.Folders {
		list = append(list, card{"folder", "Folders and dashboards", textFolders, "/dashboards"})
	}
	if f.Nav.Audit {
		list = append(list, card{"list", "Audit log", textAudit, "/admin/audit"})
	}
	return append(list, card{"user", "Profile", "Your account, your role, and your password.", "/profile"})
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
	if f.Nav.Notices {
		view.Cards = append(view.Cards, card{"bell", crumbNotices.Label, "Where people and programs are told that a token ends, and what became of it.", crumbNotices.URL})
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
