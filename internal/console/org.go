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

var crumbOrgs = crumb{nounOrg.Title(), "/admin/orgs"}

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
func orgs(req *request) error { return req.showOrgs(http.StatusOK, orgsView{}) }

func (req *request) showOrgs(status int, view orgsView) error {
	p, text := req.listPage()
	list, err := req.o.Admin.Orgs(req.Context(), req.caller, text, admin.Page{Number: p.Number, Size: p.Size})
	if err != nil {
		return err
	}
	view.Query, view.Create = text, req.caller.CanOnServer(hallpass.OrgsCreate, "")
	for _, o := range list {
		view.Rows = append(view.Rows, orgRow{o.ID, o.Name, orgURL(o.ID), o.ID == req.caller.Org})
	}
	if len(list) == p.Size {
		view.More = "/admin/orgs?" + url.Values{"query": {text}, "page": {strconv.Itoa(p.Number + 1)}}.Encode()
	}
	if view.frame, err = req.frame("orgs", crumbOrgs.Label, crumbAdmin); err != nil {
		return err
	}
	return req.showStatus(status, "orgs/list", view)
}

// createOrg is POST /admin/orgs.
func createOrg(req *request) error {
	name := strings.TrimSpace(req.PostForm.Get("name"))
	_, err := req.o.Admin.CreateOrg(req.Context(), req.caller, name)
	return req.orgDone(err, "name", "Organization "+name+" created.", orgsView{Typed: req.PostForm.Get("name")})
}

// orgDone goes back to the list of orgs with a message, or shows the list with the
// error at the field.
func (req *request) orgDone(err error, field, done string, view orgsView) error {
	switch {
	case err == nil:
		req.flash(done)
		req.seeOther(crumbOrgs.URL)
		return nil
	case req.formError(err, field):
		return req.showOrgs(httpd.Status(err), view)
	}
	return err
}

// orgCaller returns the caller as it is in the org that the path names.
func (req *request) orgCaller() (hallpass.Caller, error) {
	id, ok := hallpass.ParseID(req.PathValue("org"))
	if !ok {
		return req.caller, errNoPage
	}
	return req.o.Admin.In(req.Context(), req.caller, hallpass.OrgID(id))
}

// renameOrg is POST /admin/orgs/{org}/name.
func renameOrg(req *request) error {
	c, err := req.orgCaller()
	if err != nil {
		return err
	}
	name := strings.TrimSpace(req.PostForm.Get("name"))
	err = req.o.Admin.RenameOrg(req.Context(), c, name)
	return req.orgDone(err, "name-"+req.PathValue("org"), "The organization is now called "+name+".", orgsView{})
}

// deleteOrg is GET and POST /admin/orgs/{org}/delete.
func deleteOrg(req *request) (change, error) {
	ch := change{Cancel: crumbOrgs.URL, here: "orgs", crumbs: []crumb{crumbAdmin, crumbOrgs}}
	ch.again = func(err error) error { return req.orgDone(err, "name-"+req.PathValue("org"), "", orgsView{}) }
	c, err := req.orgCaller()
	if err != nil {
		return ch, err
	}
	if err := req.o.Admin.Authorize(req.Context(), c, hallpass.OrgsDelete, ""); err != nil {
		return ch, err
	}
	o, err := req.o.Admin.Org(req.Context(), c)
	if err != nil {
		return ch, err
	}
	used, err := req.o.Admin.Quotas(req.Context(), c)
	if err != nil {
		return ch, err
	}
	ch.Question, ch.Button, ch.Destroys = "Delete organization", "Delete organization", true
	ch.Text = "Are you sure you want to delete " + named(o.Name) + " with everything in it? This cannot be undone."
	holds := hallpass.Counted(int(used["org_api_key"]), "token") + ", " + hallpass.Counted(int(used["org_dashboard"]), "dashboard") + " and " + hallpass.Counted(int(used["org_user"]), "member")
	ch.Steps = []step{{o.Name, "organization with " + holds, wordDeleted}}
	ch.Facts = []string{
		"Its tokens stop working at once.", "Service accounts, teams, roles and folders of this organization are deleted too. Users stay on the server.",
	}
	ch.Alarm = used["org_api_key"] > 0
	ch.done = "The organization " + o.Name + " is deleted."
	ch.do = func() error { return req.o.Admin.DeleteOrg(req.Context(), c) }
	return ch, nil
}

// switchOrg is POST /profile/org.
func switchOrg(req *request) error {
	id, _ := hallpass.ParseID(req.PostForm.Get("org"))
	if err := req.o.Admin.UseOrg(req.Context(), req.caller, hallpass.OrgID(id)); err != nil {
		if errors.Is(err, hallpass.Unauthenticated) {
			return &hallpass.Error{Kind: hallpass.NotFound, Message: "You are not a member of that organization."}
		}
		return err
	}
	mine, err := req.o.Admin.UserOrgs(req.Context(), req.caller)
	if err != nil {
		return err
	}
	for _, o := range mine {
		if o.Org == hallpass.OrgID(id) {
			req.flash("You work in " + o.Name + " now.")
		}
	}
	req.seeOther("/")
	return nil
}
