// Package console is the door for people: pages made on the server, which work
// without script, and a little script that brings live updates and dialogs. It
// holds no rules; admin and verify do.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"os"

	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Options sets up the console.
type Options struct {
	Admin   *admin.Admin
	Verify  *verify.Verifier
	Cookies httpd.Cookies
	RootURL string // public base URL without a slash at its end; empty: as the request's Host says
	Version string // shown in the frame
	DevDir  string // not empty: the directory that holds templates and assets, read on each request
}

//go:embed templates assets
var embedded embed.FS

// console is the handler's state. It does not change after New.
type console struct {
	o     Options
	files fs.FS
	kept  *site // nil with DevDir
}

// site is what is made of the files: the pages and the assets they link to.
type site struct {
	pages  pages
	assets *assets
}

// New returns the handler of the console's pages. It fails when DevDir holds
// no pages; the embedded ones are known to be good.
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

// site returns the pages and assets to answer with.
func (c *console) site() (*site, error) {
	if c.kept != nil {
		return c.kept, nil
	}
	return newSite(c.files)
}

func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	accountRoles, setAccountRoles := picker(accountPick)
	teamRoles, setTeamRoles := picker(teamPick)
	userRoles, setUserRoles := picker(userPick)
	mux.HandleFunc("GET /assets/{name}", c.asset)
	mux.HandleFunc("GET /login", c.open("login", loginForm))
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /theme", c.open("theme", setTheme))
	for pattern, fn := range map[string]func(*visit) error{
		"GET /{$}":               home,
		"GET /logout":            logoutForm,
		"POST /logout":           logout,
		"GET /admin":             administration,
		"GET /admin/access":      access,
		"GET /admin/audit":       auditPage,
		"GET /admin/nodes":       nodesPage,
		"GET /profile":           profile,
		"GET /profile/password":  passwordForm,
		"POST /profile/password": changePassword,
		"GET /avatar/{hash}":     avatar,

		"GET /org/serviceaccounts":                              serviceAccounts,
		"GET /org/serviceaccounts/create":                       createForm,
		"POST /org/serviceaccounts/create":                      createServiceAccount,
		"GET /org/serviceaccounts/{ref}":                        serviceAccount,
		"POST /org/serviceaccounts/{ref}/name":                  renameServiceAccount,
		"POST /org/serviceaccounts/{ref}/role":                  setRole,
		"POST /org/serviceaccounts/{ref}/enable":                enableServiceAccount,
		"GET /org/serviceaccounts/{ref}/disable":                disableForm,
		"POST /org/serviceaccounts/{ref}/disable":               disableServiceAccount,
		"GET /org/serviceaccounts/{ref}/delete":                 deleteForm,
		"POST /org/serviceaccounts/{ref}/delete":                deleteServiceAccount,
		"GET /org/serviceaccounts/{ref}/tokens":                 tokenRows,
		"GET /org/serviceaccounts/{ref}/tokens/new":             tokenForm,
		"POST /org/serviceaccounts/{ref}/tokens/new":            createToken,
		"GET /org/serviceaccounts/{ref}/tokens/{token}/delete":  deleteTokenForm,
		"POST /org/serviceaccounts/{ref}/tokens/{token}/delete": deleteToken,

		"GET /org/serviceaccounts/{ref}/roles":        accountRoles,
		"POST /org/serviceaccounts/{ref}/roles":       setAccountRoles,
		"GET /org/serviceaccounts/{ref}/permissions":  accountPermissions,
		"POST /org/serviceaccounts/{ref}/permissions": setAccountPermission,
		"GET /org/serviceaccounts/{ref}/access":       accountPower,

		"GET /admin/users":                  users,
		"GET /admin/users/create":           newUserForm,
		"POST /admin/users/create":          createUser,
		"GET /admin/users/{user}":           userPage,
		"POST /admin/users/{user}/edit":     onUser("user-updated", editUser),
		"POST /admin/users/{user}/password": onUser("user-password", setUserPassword),
		"POST /admin/users/{user}/admin":    onUser("user-updated", setUserAdmin),
		"POST /admin/users/{user}/disable":  onUser("user-updated", setUserDisabled),
		"POST /admin/users/{user}/logout":   onUser("sessions-ended", logoutUser),
		"POST /admin/users/{user}/session":  onUser("sessions-ended", endUserSession),
		"GET /admin/users/{user}/delete":    deleteUserForm,
		"POST /admin/users/{user}/delete":   onUser("user-deleted", deleteUser),
		"GET /admin/users/{user}/roles":     userRoles,
		"POST /admin/users/{user}/roles":    setUserRoles,
		"GET /org/users":                    orgUsers,
		"POST /org/users":                   addOrgUser,
		"POST /org/users/{user}/role":       setOrgUserRole,
		"GET /org/users/{user}/remove":      removeOrgUserForm,
		"POST /org/users/{user}/remove":     removeOrgUser,
		"POST /profile/org":                 switchOrg,

		"GET /org/teams":                                 teams,
		"POST /org/teams":                                createTeam,
		"GET /org/teams/{team}":                          teamPage,
		"POST /org/teams/{team}/edit":                    onTeam("team-updated", editTeam),
		"POST /org/teams/{team}/members":                 onTeam("team-updated", addTeamMember),
		"POST /org/teams/{team}/members/{member}":        onTeam("team-updated", setTeamMember),
		"POST /org/teams/{team}/members/{member}/remove": onTeam("team-updated", removeTeamMember),
		"GET /org/teams/{team}/delete":                   deleteTeamForm,
		"POST /org/teams/{team}/delete":                  onTeam("team-deleted", deleteTeam),
		"GET /org/teams/{team}/roles":                    teamRoles,
		"POST /org/teams/{team}/roles":                   setTeamRoles,

		"GET /admin/orgs":               orgs,
		"POST /admin/orgs":              orgForm("org-created", createOrg),
		"POST /admin/orgs/{org}/name":   orgForm("org-updated", renameOrg),
		"GET /admin/orgs/{org}/delete":  deleteOrgForm,
		"POST /admin/orgs/{org}/delete": orgForm("org-deleted", deleteOrg),

		"GET /admin/roles":                roles,
		"GET /admin/roles/create":         newRoleForm,
		"POST /admin/roles/create":        createRole,
		"GET /admin/roles/{role}":         rolePage,
		"GET /admin/roles/{role}/edit":    editRoleForm,
		"POST /admin/roles/{role}/edit":   editRole,
		"GET /admin/roles/{role}/delete":  deleteRoleForm,
		"POST /admin/roles/{role}/delete": deleteRole,

		"GET /dashboards":                         folders,
		"GET /dashboards/f/{folder}/{slug}":       folderPage,
		"GET /dashboards/f/{folder}/permissions":  folderPermissions,
		"POST /dashboards/f/{folder}/permissions": setFolderPermission,
	} {
		mux.HandleFunc(pattern, c.guard(pattern, fn))
	}
	mux.HandleFunc("/", c.unknown)
	return mux
}
