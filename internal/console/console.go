// Package console is the door for people. The server renders its pages, which work
// without script; a small script adds live updates and dialogs. The package holds
// no rules: admin, verify and the root do.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"os"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/verify"
	"github.com/hallpass-dev/hallpass/wire"
)

// Options sets up the console.
type Options struct {
	Admin   *admin.Admin
	Library *library.Library
	Verify  *verify.Verifier
	Node    *node.Node
	Cookies httpd.Cookies
	Base    httpd.Base            // the path below which browsers reach us; empty: the whole host
	RootURL string                // public base URL without a trailing slash; empty: derived from the request's Host
	Version string                // shown in the frame
	Jobs    func() []hallpass.Job // background work of the server; nil: none
	// Refusals returns the last requests that this node refused for a guard, the newest
	// first; nil: none are kept.
	Refusals func(hallpass.GuardID) []hallpass.GuardRefusal
	Activity func(hallpass.GuardID) hallpass.GuardActivity // what this node decided for a guard lately; nil: nobody counts
	Trial    func(admin.GuardTrial) wire.GuardTest         // the answer of the API that tells a trial; nil: none

	Provider   *federation.Provider // where people sign in; nil: here alone
	AutoLogin  bool                 // who is not signed in goes there at once
	SignOutURL string               // where browsers go after signing out of a session that began there; empty: nowhere
	BreakGlass bool                 // the password of one user works, and no other

	DevDir string // directory of templates and assets, read on each request; empty: the embedded ones
}

//go:embed templates assets
var embedded embed.FS

// console is the handler's state. It does not change after New.
type console struct {
	o     Options
	files fs.FS
	kept  *site // nil with DevDir
}

// site holds the parsed pages and the assets that they link to.
type site struct {
	pages  pages
	assets *assets
}

// New returns the handler of the console's pages. It fails when DevDir holds no
// valid pages; the embedded ones are valid.
func New(o Options) (http.Handler, error) {
	c := &console{o: o, files: embedded}
	if o.DevDir != "" {
		c.files = os.DirFS(o.DevDir)
	}
	s, err := newSite(c.files)
	if err != nil {
		return nil, err
	}
	if o.DevDir == "" {
		c.kept = s
	}
	return c.routes(), nil
}

func newSite(files fs.FS) (*site, error) {
	a, err := readAssets(files)
	if err != nil {
		return nil, err
	}
	p, err := parsePages(files, a)
	if err != nil {
		return nil, err
	}
	return &site{p, a}, nil
}

// site returns the pages and assets, read again when there is a DevDir.
func (c *console) site() (*site, error) {
	if c.kept != nil {
		return c.kept, nil
	}
	return newSite(c.files)
}

// effect says whether a route changes what somebody may do.
type effect uint8

const (
	unclassified effect = iota // a form without a class: the tests fail
	reads                      // shows a page
	harmless                   // changes names, looks, or the user's own session and password, or nothing
	states                     // creates something that nobody holds yet, sets a typed secret, pauses a token, or says where notices go: its form says what that gives or takes
	asks                       // gives or takes power: it asks first
)

// route is one address of the console.
type route struct {
	pattern string
	effect  effect
	serve   func(*request) error
}

func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", c.asset)
	mux.HandleFunc("GET /avatar/{hash}", c.open("avatar", avatar))
	mux.HandleFunc("GET /login", c.open("login", loginForm))
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("GET "+outsideURL, c.open("login.outside", signInOutside))
	mux.HandleFunc("POST /theme", c.open("theme", setTheme))
	for _, r := range table() {
		mux.HandleFunc(r.pattern, c.guard(r.pattern, r.serve))
	}
	mux.HandleFunc("/", c.unknown)
	return mux
}

// Patterns lists the patterns of the pages that need a session, as http.ServeMux
// writes them. Tests check the same rules on all of them.
func Patterns() []string {
	var all []string
	for _, r := range table() {
		all = append(all, r.pattern)
	}
	return all
}

// table lists the routes that need a session. Where one route has a uid or slug that
// people choose, no other route has a fixed word.
func table() []route {
	var all []route
	get := func(path string, fn func(*request) error) { all = append(all, route{"GET " + path, reads, fn}) }
	post := func(path string, e effect, fn func(*request) error) { all = append(all, route{"POST " + path, e, fn}) }
	ask := func(path string, plan func(*request) (change, error)) { post(path, asks, asked(plan)) }
	// A change without input is a link to the page with its question.
	link := func(path string, plan func(*request) (change, error)) {
		get(path, asked(plan))
		ask(path, plan)
	}
	accountRoles, setAccountRoles := rolePicker(accountHolder)
	teamRoles, setTeamRoles := rolePicker(teamHolder)
	userRoles, setUserRoles := rolePicker(userHolder)

	get("/{$}", home)
	get(snoozeURL, snoozeForm)
	post(snoozeURL, harmless, snooze)
	get(findURL, find)
	get("/logout", logoutForm)
	post("/logout", harmless, logout)
	get("/admin", administration)
	get("/admin/access", usersAndAccess)
	get("/admin/audit", auditPage)
	post("/admin/audit/prove", harmless, proveAudit)
	get("/admin/nodes", nodesPage)
	get(crumbNotices.URL, notices)
	get(newChannelURL, newChannelForm)
	post(newChannelURL, states, createChannel)
	get("/org/notices/{channel}", channelPage)
	post("/org/notices/{channel}", states, editChannel)
	post("/org/notices/{channel}/test", harmless, withChannel(testChannel))
	post("/org/notices/{channel}/retry", harmless, withChannel(retryChannel))
	post("/org/notices/{channel}/turn", states, withChannel(turnChannel))
	link("/org/notices/{channel}/delete", deleteChannel)
	get("/profile", profile)
	get(ownAccessURL, ownAccess)
	post("/profile/edit", harmless, editProfile)
	post("/profile/session", harmless, endOwnSession)
	post("/profile/sessions", harmless, endOtherSessions)
	post("/profile/connect", states, connectAccount)
	ask("/profile/disconnect", disconnectAccount)
	get("/profile/password", passwordForm)
	post("/profile/password", harmless, changePassword)
	post("/profile/org", harmless, switchOrg)

	get(crumbTokens.URL, tokenList)
	get(crumbTokens.URL+".csv", tokensCSV)
	get("/org/serviceaccounts", serviceAccounts)
	get("/org/serviceaccounts.csv", accountsCSV)
	ask("/org/serviceaccounts", changeAccounts)
	get("/org/serviceaccounts/create", newAccountForm)
	post("/org/serviceaccounts/create", states, createServiceAccount)
	get("/org/serviceaccounts/{ref}", serviceAccount)
	post("/org/serviceaccounts/{ref}/name", harmless, renameServiceAccount)
	get("/org/serviceaccounts/{ref}/owner", ownerForm)
	post("/org/serviceaccounts/{ref}/owner", harmless, setOwner)
	ask("/org/serviceaccounts/{ref}/role", setAccountRole)
	link("/org/serviceaccounts/{ref}/enable", enableAccount)
	link("/org/serviceaccounts/{ref}/disable", disableAccount)
	link("/org/serviceaccounts/{ref}/delete", deleteAccount)
	get("/org/serviceaccounts/{ref}/tokens", tokenRows)
	get("/org/serviceaccounts/{ref}/tokens/new", tokenForm)
	post("/org/serviceaccounts/{ref}/tokens/new", states, createToken)
	get("/org/serviceaccounts/{ref}/tokens/{token}", tokenPage)
	get("/org/serviceaccounts/{ref}/tokens/{token}/rotate", rotateForm)
	post("/org/serviceaccounts/{ref}/tokens/{token}/rotate", states, rotateToken)
	link("/org/serviceaccounts/{ref}/tokens/{token}/retire", retireToken)
	link("/org/serviceaccounts/{ref}/tokens/{token}/extend", extendToken)
	link("/org/serviceaccounts/{ref}/tokens/{token}/undo", undoRotation)
	get("/org/serviceaccounts/{ref}/tokens/{token}/pause", pauseForm)
	post("/org/serviceaccounts/{ref}/tokens/{token}/pause", states, pauseToken)
	link("/org/serviceaccounts/{ref}/tokens/{token}/resume", resumeToken)
	get("/org/serviceaccounts/{ref}/tokens/{token}/narrow", narrowForm)
	ask("/org/serviceaccounts/{ref}/tokens/{token}/narrow", narrowToken)
	get("/org/serviceaccounts/{ref}/tokens/{token}/rename", renameTokenForm)
	post("/org/serviceaccounts/{ref}/tokens/{token}/rename", harmless, renameToken)
	link("/org/serviceaccounts/{ref}/tokens/{token}/delete", deleteToken)
	get("/org/serviceaccounts/{ref}/roles", accountRoles)
	ask("/org/serviceaccounts/{ref}/roles", setAccountRoles)
	get("/org/serviceaccounts/{ref}/permissions", accountPermissions)
	ask("/org/serviceaccounts/{ref}/permissions", setAccountPermission)
	get("/org/serviceaccounts/{ref}/access", explainAccount)
	get("/org/serviceaccounts/{ref}/activity", accountActivity)

	get("/admin/users", users)
	get("/admin/users/create", newUserForm)
	post("/admin/users/create", states, createUser)
	get("/admin/users/{user}", userPage)
	get("/admin/users/{user}/access", explainUser)
	post("/admin/users/{user}/edit", harmless, editUser)
	post("/admin/users/{user}/password", states, setUserPassword)
	ask("/admin/users/{user}/admin", setUserAdmin)
	ask("/admin/users/{user}/disable", setUserDisabled)
	ask("/admin/users/{user}/logout", logoutUser)
	ask("/admin/users/{user}/session", endUserSession)
	ask("/admin/users/{user}/disconnect", disconnectUser)
	link("/admin/users/{user}/delete", deleteUser)
	get("/admin/users/{user}/roles", userRoles)
	ask("/admin/users/{user}/roles", setUserRoles)
	get("/org/users", orgUsers)
	ask("/org/users", addOrgUser)
	ask("/org/users/{user}/role", setOrgUserRole)
	link("/org/users/{user}/remove", removeOrgUser)

	get("/org/teams", teams)
	post("/org/teams", harmless, createTeam)
	get("/org/teams/{team}", teamPage)
	post("/org/teams/{team}/edit", harmless, editTeam)
	ask("/org/teams/{team}/members", addTeamMember)
	ask("/org/teams/{team}/members/{member}", setTeamMember)
	link("/org/teams/{team}/members/{member}/remove", removeTeamMember)
	link("/org/teams/{team}/delete", deleteTeam)
	get("/org/teams/{team}/roles", teamRoles)
	ask("/org/teams/{team}/roles", setTeamRoles)

	get("/admin/orgs", orgs)
	post("/admin/orgs", harmless, createOrg)
	get("/admin/orgs/{org}", orgPage)
	post("/admin/orgs/{org}/name", harmless, renameOrg)
	link("/admin/orgs/{org}/delete", deleteOrg)

	get("/admin/roles", roles)
	get(newRoleURL, newRoleForm)
	post(newRoleURL, states, createRole)
	get("/admin/roles/{role}", rolePage)
	get("/admin/roles/{role}/edit", editRoleForm)
	ask("/admin/roles/{role}/edit", editRole)
	link("/admin/roles/{role}/delete", deleteRole)

	get("/guards", guards)
	get(newGuardURL, newGuardForm)
	ask(newGuardURL, createGuard)
	get("/guards/{guard}", guardPage)
	post("/guards/{guard}", harmless, tryGuardRequest)
	get("/guards/{guard}/edit", editGuardForm)
	ask("/guards/{guard}/edit", editGuard)
	get("/guards/{guard}/rules/{rule}", guardHolders)
	link("/guards/{guard}/delete", deleteGuard)

	get("/dashboards", folders)
	get("/dashboards/f/{folder}/{slug}", folderPage)
	get("/dashboards/permissions/{folder}", folderPermissions)
	ask("/dashboards/permissions/{folder}", setFolderPermission)
	return all
}
