package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbOrgs = crumb{nounOrg.Title(), "/admin/orgs"}

// orgsView is the list of the server's orgs.
type orgsView struct {
	frame
	Query   string
	Rows    []orgRow
	Counted bool // the viewer may see how much is in them
	Create  bool
	Typed   string
	More    string // address of the next page
}

// orgRow is one org.
type orgRow struct {
	hallpass.OrgSummary
	URL     string
	Current bool
}

func (req *request) orgRow(o hallpass.OrgSummary) orgRow {
	return orgRow{o, orgURL(o.ID), o.ID == req.caller.Org}
}

// orgView is the page of one org.
type orgView struct {
	frame
	Org     orgRow
	Since   timestamp
	Counts  []orgCount // none: the viewer may not see them
	Member  bool       // the viewer can work in it
	Write   bool
	Delete  bool
	Held    string // why it cannot be renamed or deleted, although the viewer might; empty: it can
	Address string
}

// orgCount is how many of a kind of thing an org has.
type orgCount struct {
	Count int
	Label string
	URL   string // of the list; empty: the viewer works in another org
}

func orgURL(id hallpass.OrgID) string { return "/admin/orgs/" + strconv.FormatInt(int64(id), 10) }

// orgs is GET /admin/orgs.
func orgs(req *request) error { return req.showOrgs(http.StatusOK, orgsView{}) }

func (req *request) showOrgs(status int, view orgsView) error {
	p, text := req.listPage()
	list, counted, err := req.o.Admin.OrgSummaries(req.Context(), req.caller, text, p)
	if err != nil {
		return err
	}
	view.Counted, view.Query, view.Create = counted, text, req.caller.CanOnServer(hallpass.OrgsCreate, "")
	for _, o := range list {
		view.Rows = append(view.Rows, req.orgRow(o))
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

// orgPage is GET /admin/orgs/{org}.
func orgPage(req *request) error { return req.showOrg(http.StatusOK) }

func (req *request) showOrg(status int) error {
	id, ok := hallpass.ParseID(req.PathValue("org"))
	if !ok {
		return errNoPage
	}
	o, counted, err := req.o.Admin.OrgSummary(req.Context(), req.caller, hallpass.OrgID(id))
	if err != nil {
		return err
	}
	view := orgView{Org: req.orgRow(o), Since: req.timestamp(o.CreatedAt), Held: declaredBy(o.File), Address: orgAddress(o.Address)}
	if there, err := req.o.Admin.In(req.Context(), req.caller, o.ID); err == nil {
		view.Write, view.Delete = there.Can(hallpass.OrgsWrite, ""), !view.Org.Current && there.Can(hallpass.OrgsDelete, "")
		view.Member = !there.OrgMissing
	}
	if counted {
		view.Counts = orgCounts(view.Org)
	}
	if view.frame, err = req.frame("orgs", o.Name, crumbAdmin, crumbOrgs); err != nil {
		return err
	}
	return req.showStatus(status, "orgs/detail", view)
}

// orgCounts are the numbers of the org. Lists are those of the org where the viewer works.
func orgCounts(o orgRow) []orgCount {
	counts := []orgCount{
		{o.Members, nounUser.Of(o.Members), crumbOrgUsers.URL}, {o.Accounts, nounAccount.Of(o.Accounts), crumbAccounts.URL},
		{o.LiveTokens, "live " + nounToken.Of(o.LiveTokens), crumbTokens.URL}, {o.Teams, nounTeam.Of(o.Teams), crumbTeams.URL},
		{o.Guards, nounGuard.Of(o.Guards), crumbGuards.URL}, {o.Folders, noun{"folder", "folders"}.Of(o.Folders), crumbFolders.URL},
	}
	if !o.Current {
		for i := range counts {
			counts[i].URL = ""
		}
	}
	return counts
}

// orgAddress is the address in one line.
func orgAddress(a hallpass.Address) string {
	parts := []string{a.Address1, a.Address2, strings.TrimSpace(a.ZipCode + " " + a.City), a.State, a.Country}
	return strings.Join(slices.DeleteFunc(parts, func(p string) bool { return p == "" }), ", ")
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
	switch {
	case err == nil:
		req.flash("The organization is now called " + name + ".")
		req.seeOther(orgURL(c.Org))
		return nil
	case req.formError(err, "name"):
		return req.showOrg(httpd.Status(err))
	}
	return err
}

// deleteOrg is GET and POST /admin/orgs/{org}/delete.
func deleteOrg(req *request) (change, error) {
	ch := change{Cancel: crumbOrgs.URL, here: "orgs", crumbs: []crumb{crumbAdmin, crumbOrgs}}
	ch.again = func(err error) error {
		if !req.formError(err, "delete") {
			return err
		}
		return req.showOrg(httpd.Status(err))
	}
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
	ch.to, ch.Cancel = crumbOrgs.URL, orgURL(c.Org)
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
