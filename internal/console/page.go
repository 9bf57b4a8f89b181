package console

import (
	"errors"
	"net/http"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// frame is what stands around every page.
type frame struct {
	Title   string
	Crumbs  []crumb
	Nav     nav
	Me      me
	Theme   string // "light", "dark" or "" for the system's
	Path    string // of this page, with its query
	Done    string // what has just been done
	Wrong   wrongs // with the form that was sent
	Version string
}

// crumb is a step of the way to a page; without a URL it is the page itself.
type crumb struct{ Label, URL string }

// nav says which places the sidebar offers.
type nav struct {
	Org             string
	Orgs            []orgChoice // to switch between; nil: there is but one
	Users           string      // address of the users; empty: not to be seen
	Teams           bool
	ServiceAccounts bool
	Roles           bool
	AllOrgs         bool
	Folders         bool
	Audit           bool
	Nodes           bool
	Here            string // "serviceaccounts", "audit", …
}

// Access and Admin report whether there is anything below these places.
func (n nav) Access() bool { return n.Users != "" || n.Teams || n.ServiceAccounts || n.Roles }

func (n nav) Admin() bool { return n.Access() || n.AllOrgs || n.Audit || n.Nodes }

// orgChoice is an org that the user may work in.
type orgChoice struct {
	ID      hallpass.OrgID
	Name    string
	Current bool
}

// me is who is signed in.
type me struct{ Name, Login, Avatar string }

var (
	crumbHome   = crumb{"Home", "/"}
	crumbAdmin  = crumb{"Administration", "/admin"}
	crumbAccess = crumb{"Users and access", "/admin/access"}
	crumbList   = crumb{"Service accounts", "/org/serviceaccounts"}
)

// bareFrame returns the frame without what must be looked up.
func (v *visit) bareFrame(title string) frame {
	f := frame{
		Title: title, Theme: themeOf(v.r), Path: v.r.URL.RequestURI(), Version: v.o.Version,
		Crumbs: []crumb{crumbHome, {Label: title}}, Wrong: v.wrong,
	}
	if v.caller.User() == 0 {
		return f
	}
	p := v.caller.Principal
	f.Me = me{v.caller.Name, p.Login, avatarURL(p.Login)}
	if f.Me.Name == "" {
		f.Me.Name = p.Login
	}
	f.Nav.ServiceAccounts = v.caller.Can(hallpass.ServiceAccountsRead, "") || v.caller.Can(hallpass.ServiceAccountsCreate, "")
	f.Nav.Audit = v.caller.Can(hallpass.AuditRead, "")
	f.Nav.Teams = v.caller.Can(hallpass.TeamsRead, "") || v.caller.Can(hallpass.TeamsCreate, "")
	f.Nav.Roles = v.caller.Can(hallpass.RolesRead, "") && !v.caller.OrgMissing
	f.Nav.Nodes = v.caller.CanOnServer(hallpass.ServerStatsRead, "")
	f.Nav.AllOrgs = v.caller.CanOnServer(hallpass.OrgsRead, "")
	f.Nav.Folders = !v.caller.OrgMissing
	switch {
	case v.caller.CanOnServer(hallpass.UsersRead, ""):
		f.Nav.Users = "/admin/users"
	case v.caller.Can(hallpass.OrgUsersRead, ""):
		f.Nav.Users = "/org/users"
	}
	return f
}

// frame returns the frame of a page: where it is in the navigation, its title,
// and the steps to it.
func (v *visit) frame(here, title string, crumbs ...crumb) (frame, error) {
	f := v.bareFrame(title)
	f.Crumbs = append(append([]crumb{crumbHome}, crumbs...), crumb{Label: title})
	f.Nav.Here = here
	f.Done = v.said()
	if v.caller.Can(hallpass.OrgsRead, "") {
		org, err := v.o.Admin.Org(v.r.Context(), v.caller)
		if err != nil && !errors.Is(err, hallpass.NotFound) {
			return f, err
		}
		f.Nav.Org = org.Name
	}
	mine, err := v.o.Admin.UserOrgs(v.r.Context(), v.caller)
	if err != nil {
		return f, err
	}
	if len(mine) > 1 || len(mine) == 1 && mine[0].Org != v.caller.Org {
		for _, o := range mine {
			f.Nav.Orgs = append(f.Nav.Orgs, orgChoice{o.Org, o.Name, o.Org == v.caller.Org})
		}
	}
	return f, nil
}

// tab is one of several views of the same thing.
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

const themeCookie = "hallpass_theme"

func themeOf(r *http.Request) string {
	if c, err := r.Cookie(themeCookie); err == nil && (c.Value == "light" || c.Value == "dark") {
		return c.Value
	}
	return ""
}

// setTheme is POST /theme.
func setTheme(v *visit) error {
	c := &http.Cookie{
		Name: themeCookie, Value: v.r.PostFormValue("theme"), Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()),
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: httpd.EventOf(v.r.Context()).Secure,
	}
	if c.Value != "light" && c.Value != "dark" {
		c.Value, c.MaxAge = "", -1
	}
	http.SetCookie(v.w, c)
	v.seeOther(safeNext(v.r.PostFormValue("next")))
	return nil
}
