package console

// A menuEntry leads to a page, and to the pages below it.
type menuEntry struct {
	Here, Icon, Label, URL string // Here is how a page names its entry; Icon may be empty
	Shown                  bool
	Under                  []menuEntry
}

// Menu returns the entries that the viewer may use. They are in the order of the menu.
func (n nav) Menu() []menuEntry {
	return shownEntries([]menuEntry{
		{"home", "home", "Home", "/", true, nil},
		{"tokens", "key", crumbTokens.Label, crumbTokens.URL, n.Tokens, nil},
		{"guards", "gate", crumbGuards.Label, crumbGuards.URL, n.Guards, nil},
		{"folders", "folder", "Folders and dashboards", "/dashboards", n.Folders, nil},
		{"admin", "", crumbAdmin.Label, crumbAdmin.URL, n.Admin(), []menuEntry{
			{"access", "team", crumbAccess.Label, crumbAccess.URL, n.Access(), []menuEntry{
				{"serviceaccounts", "", crumbAccounts.Label, crumbAccounts.URL, n.ServiceAccounts, nil},
				{"users", "", crumbUsers.Label, n.Users, n.Users != "", nil},
				{"teams", "", crumbTeams.Label, crumbTeams.URL, n.Teams, nil},
				{"roles", "", crumbRoles.Label, crumbRoles.URL, n.Roles, nil},
			}},
			{"audit", "list", "Audit log", "/admin/audit", n.Audit, nil},
			{"notices", "bell", crumbNotices.Label, crumbNotices.URL, n.Notices, nil},
			{"nodes", "server", "Nodes", "/admin/nodes", n.Nodes, nil},
			{"orgs", "building", crumbOrgs.Label, crumbOrgs.URL, n.AllOrgs, nil},
		}},
	})
}

// Access and Admin report whether these entries have any entry below them.
func (n nav) Access() bool { return n.Users != "" || n.Teams || n.ServiceAccounts || n.Roles }

func (n nav) Admin() bool { return n.Access() || n.AllOrgs || n.Audit || n.Nodes || n.Notices }

func shownEntries(all []menuEntry) (shown []menuEntry) {
	for _, e := range all {
		if e.Shown {
			e.Under = shownEntries(e.Under)
			shown = append(shown, e)
		}
	}
	return shown
}
