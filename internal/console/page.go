package console

import (
	"errors"
	"net/http"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// frame is the part that all pages share: title, navigation and messages.
type frame struct {
	Title   string
	Crumbs  []crumb
	Nav     nav
	Me      me
	Theme   string      // "light", "dark" or "" for the system's
	Path    string      // address of this page, with its query
	Sought  string      // what the field to find something holds
	Flash   string      // message about the change that was just made
	Errors  fieldErrors // errors of the form that was sent
	Version string
}

// crumb is an entry of the breadcrumbs; the one without a URL is the page itself.
type crumb struct{ Label, URL string }

// nav says which entries the menu shows.
type nav struct {
	Org             string
	OrgUnread       bool        // the org could not be looked up: its place stays empty, and nothing moves
	Orgs            []orgChoice // to switch between; nil: there is only one
	State           badge       // of the nodes; without Text: the viewer may not see it, or there is one node
	Users           string      // address of the users; empty: the viewer may not see them
	Teams           bool
	ServiceAccounts bool
	Tokens          bool
	Roles           bool
	AllOrgs         bool
	Folders         bool
	Guards          bool
	Audit           bool
	Nodes           bool
	Notices         bool
	Here            string // "serviceaccounts", "audit", …
}

// orgChoice is an org that the user may work in.
type orgChoice struct {
	ID      hallpass.OrgID
	Name    string
	Current bool
}

// me is who is signed in.
type me struct{ Name, Login, Avatar string }

// Initials are what stands for the name where there is no room for it.
func (m me) Initials() string {
	words := strings.FieldsFunc(m.Name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return "?"
	}
	first, _ := utf8.DecodeRuneInString(words[0])
	last, _ := utf8.DecodeRuneInString(words[len(words)-1])
	if len(words) == 1 {
		return string(unicode.ToUpper(first))
	}
	return string([]rune{unicode.ToUpper(first), unicode.ToUpper(last)})
}

var (
	crumbHome     = crumb{"Home", "/"}
	crumbAdmin    = crumb{"Administration", "/admin"}
	crumbAccess   = crumb{"Users and access", "/admin/access"}
	crumbAccounts = crumb{nounAccount.Title(), "/org/serviceaccounts"}
)

// bareFrame returns the frame without what takes a look-up in the database.
func (req *request) bareFrame(title string) frame {
	f := frame{
		Title: title, Theme: themeOf(req.Request), Path: req.URL.RequestURI(), Version: req.o.Version,
		Crumbs: []crumb{crumbHome, {Label: title}}, Errors: req.errors,
	}
	if req.caller.User() == 0 {
		return f
	}
	p := req.caller.Principal
	f.Me = me{req.caller.Name, p.Login, avatarOf(p.Login)}
	if f.Me.Name == "" {
		f.Me.Name = p.Login
	}
	f.Nav.ServiceAccounts = req.caller.Can(hallpass.ServiceAccountsRead, "") || req.caller.Can(hallpass.ServiceAccountsCreate, "")
	f.Nav.Tokens = req.caller.Can(hallpass.ServiceAccountsRead, "") && !req.caller.OrgMissing
	f.Nav.Audit = req.caller.Can(hallpass.AuditRead, "")
	f.Nav.Teams = req.caller.Can(hallpass.TeamsRead, "") || req.caller.Can(hallpass.TeamsCreate, "")
	f.Nav.Roles = req.caller.Can(hallpass.RolesRead, "") && !req.caller.OrgMissing
	f.Nav.Nodes = req.caller.CanOnServer(hallpass.ServerStatsRead, "")
	f.Nav.Notices = req.caller.Can(hallpass.OrgsWrite, "") && !req.caller.OrgMissing
	f.Nav.AllOrgs = req.caller.CanOnServer(hallpass.OrgsRead, "")
	f.Nav.Guards = req.caller.Can(hallpass.GuardsRead, "") && !req.caller.OrgMissing
	f.Nav.Folders = !req.caller.OrgMissing
	switch {
	case req.caller.CanOnServer(hallpass.UsersRead, ""):
		f.Nav.Users = "/admin/users"
	case req.caller.Can(hallpass.OrgUsersRead, ""):
		f.Nav.Users = "/org/users"
	}
	return f
}

// frame returns the frame of a page. here is its entry of the navigation, crumbs are
// the pages above it.
func (req *request) frame(here, title string, crumbs ...crumb) (frame, error) {
	f := req.bareFrame(title)
	f.Crumbs = append(append([]crumb{crumbHome}, crumbs...), crumb{Label: title})
	f.Nav.Here = here
	f.Flash = req.takeFlash()
	return f, req.fillHead(&f.Nav)
}

// fillHead fills in what the head of a page takes from the database: the org, those to
// switch to, and the state of the nodes. After an error n is as it was.
func (req *request) fillHead(n *nav) error {
	head := *n
	if req.caller.Can(hallpass.OrgsRead, "") {
		org, err := req.o.Admin.Org(req.Context(), req.caller)
		if err != nil && !errors.Is(err, hallpass.NotFound) {
			return err
		}
		head.Org = org.Name
	}
	if head.Nodes && req.o.Node.Shared() {
		peers, err := req.o.Node.Peers(req.Context())
		if err != nil {
			return err
		}
		head.State = nodesBadge(peers)
	}
	mine, err := req.o.Admin.UserOrgs(req.Context(), req.caller)
	if err != nil {
		return err
	}
	if len(mine) > 1 || len(mine) == 1 && mine[0].Org != req.caller.Org {
		for _, o := range mine {
			head.Orgs = append(head.Orgs, orgChoice{o.Org, o.Name, o.Org == req.caller.Org})
		}
	}
	*n = head
	return nil
}

// tab leads to one of several views of the same thing.
type tab struct {
	Label, URL string
	Current    bool
}

// needs says why something cannot be done; empty: it can.
func needs(may bool, action hallpass.Action) string {
	if may {
		return ""
	}
	return "You need the permission " + string(action)
}

// declaredBy says that only a provisioning file changes a thing; empty: no file declares it.
func declaredBy(file string) string {
	if file == "" {
		return ""
	}
	return "The provisioning file " + file + " declares this: change it there"
}

const themeCookie = "hallpass_theme"

func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// setTheme is POST /theme.
func setTheme(req *request) error {
	c := &http.Cookie{
		Name: themeCookie, Value: req.PostFormValue("theme"), Path: req.o.Base.Link("/"), MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: httpd.EventOf(req.Context()).Secure,
	}
	if c.Value != "light" && c.Value != "dark" {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(req.w, c)
	req.seeOther(safeNext(req.PostFormValue("next")))
	return nil
}
