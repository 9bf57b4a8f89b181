package console

import (
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbOrgs = crumb{"Organizations", "/admin/orgs"}

// orgsView is the list of the server's orgs.
type orgsView struct {
	frame
	Query  string
	Rows   []orgRow
	Create bool
	Typed  string
	More   string // address of the next page
}

// orgRow is one org.
type orgRow struct {
	ID      hallpass.OrgID
	Name    string
	URL     string
	Current bool
}

func orgURL(id hallpass.OrgID) string { return "/admin/orgs/" + strconv.FormatInt(int64(id), 10) }

// orgs is GET /admin/orgs.
func orgs(v *visit) error { return v.showOrgs(http.StatusOK, orgsView{}) }

func (v *visit) showOrgs(status int, view orgsView) error {
	p, text := v.listPage()
	list, err := v.o.Admin.Orgs(v.r.Context(), v.caller, text, admin.Page{Number: p.Number, Size: p.Size})
	if err != nil {
		return err
	}
	view.Query, view.Create = text, v.caller.CanOnServer(hallpass.OrgsCreate, "")
	for _, o := range list {
		view.Rows = append(view.Rows, orgRow{o.ID, o.Name, orgURL(o.ID), o.ID == v.caller.Org})
	}
	if len(list) == p.Size {
		view.More = "/admin/orgs?" + url.Values{"query": {text}, "page": {strconv.Itoa(p.Number + 1)}}.Encode()
	}
	if view.frame, err = v.frame("orgs", "Organizations", crumbAdmin); err != nil {
		return err
	}
	return v.showStatus(status, "orgs/list", view)
}

// createOrg is POST /admin/orgs.
func createOrg(v *visit) error {
	name := strings.TrimSpace(v.r.PostForm.Get("name"))
	_, err := v.o.Admin.CreateOrg(v.r.Context(), v.caller, name)
	return v.orgDone(err, "name", "Organization "+name+" created.", orgsView{Typed: v.r.PostForm.Get("name")})
}

// orgDone goes back to the list of orgs and says what was done there, or what is
// wrong with the field.
func (v *visit) orgDone(err error, field, done string, view orgsView) error {
	switch {
	case err == nil:
		v.say(done)
		v.seeOther(crumbOrgs.URL)
		return nil
	case v.blame(err, field):
		return v.showOrgs(httpd.Status(err), view)
	}
	return err
}

// inOrg returns the caller as it is in the org that the path names.
func (v *visit) inOrg() (hallpass.Caller, error) {
	id, ok := hallpass.ParseID(v.r.PathValue("org"))
	if !ok {
		return v.caller, errNoPage
	}
	return v.o.Admin.In(v.r.Context(), v.caller, hallpass.OrgID(id))
}

// renameOrg is POST /admin/orgs/{org}/name.
func renameOrg(v *visit) error {
	c, err := v.inOrg()
	if err != nil {
		return err
	}
	name := strings.TrimSpace(v.r.PostForm.Get("name"))
	err = v.o.Admin.RenameOrg(v.r.Context(), c, name)
	return v.orgDone(err, "name-"+v.r.PathValue("org"), "The organization is called "+name+" now.", orgsView{})
}

// deleteOrg is GET and POST /admin/orgs/{org}/delete.
func deleteOrg(v *visit) (change, error) {
	ch := change{Cancel: crumbOrgs.URL, here: "orgs", crumbs: []crumb{crumbAdmin, crumbOrgs}}
	ch.again = func(err error) error { return v.orgDone(err, "name-"+v.r.PathValue("org"), "", orgsView{}) }
	c, err := v.inOrg()
	if err != nil {
		return ch, err
	}
	if err := v.o.Admin.Authorize(v.r.Context(), c, hallpass.OrgsDelete, ""); err != nil {
		return ch, err
	}
	o, err := v.o.Admin.Org(v.r.Context(), c)
	if err != nil {
		return ch, err
	}
	used, err := v.o.Admin.Quotas(v.r.Context(), c)
	if err != nil {
		return ch, err
	}
	ch.Question, ch.Button, ch.Destroys = "Delete organization", "Delete organization", true
	ch.Text = "Are you sure you want to delete " + named(o.Name) + " with everything in it? This cannot be undone."
	holds := count(int(used["org_api_key"]), "token") + ", " + count(int(used["org_dashboard"]), "dashboard") + " and " + count(int(used["org_user"]), "member")
	ch.Steps = []step{{o.Name, "organization with " + holds, "deleted"}}
	ch.Facts = []string{
		"Its tokens stop working at once.", "Service accounts, teams, roles and folders of this organization go too. Users stay on the server.",
	}
	ch.Alarm = used["org_api_key"] > 0
	ch.done = "The organization " + o.Name + " is deleted."
	ch.do = func() error { return v.o.Admin.DeleteOrg(v.r.Context(), c) }
	return ch, nil
}

// switchOrg is POST /profile/org.
func switchOrg(v *visit) error {
	id, _ := hallpass.ParseID(v.r.PostForm.Get("org"))
	if err := v.o.Admin.UseOrg(v.r.Context(), v.caller, hallpass.OrgID(id)); err != nil {
		if errors.Is(err, hallpass.Unauthenticated) {
			return &hallpass.Error{Kind: hallpass.NotFound, Message: "You are not a member of that organization."}
		}
		return err
	}
	mine, err := v.o.Admin.UserOrgs(v.r.Context(), v.caller)
	if err != nil {
		return err
	}
	for _, o := range mine {
		if o.Org == hallpass.OrgID(id) {
			v.say("You work in " + o.Name + " now.")
		}
	}
	v.seeOther("/")
	return nil
}
