package goclient_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gapi "github.com/grafana/grafana-openapi-client-go/client"
	"github.com/grafana/grafana-openapi-client-go/client/access_control"
	"github.com/grafana/grafana-openapi-client-go/client/folders"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/models"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclparse"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
)

// attributes are those of a resource, each as text; permissions are one a line.
type attributes map[string]string

// A played kind of resource makes the calls that Terraform's Grafana provider makes for it.
// Ids are as the provider keeps them under a token: "0:" before those of an org.
type played struct {
	create func(*terraform, attributes) (id string, computed attributes)
	read   func(*terraform, string) attributes // by its id alone, as an import; nil: it is gone
	update func(*terraform, string, attributes)
	remove func(*terraform, string)
	change attributes // what a test changes
	local  string     // attributes that the server is not told
}

// terraform plays the provider for the example of a page.
type terraform struct {
	*testing.T
	c         *gapi.GrafanaHTTPAPI
	resources []*resource // in the order of their creation
	secrets   []string
}

// A resource is one of the example, with its state.
type resource struct {
	kind, name, id string
	body           *hclsyntax.Body
	computed       attributes
}

// TestTerraformPage plays the example of the manual: it is created, read back with nothing to
// change, read by the ids of imports, changed, and destroyed.
func TestTerraformPage(t *testing.T) {
	address := serve(t)
	c := admin(address)
	key := must(c.ServiceAccounts.CreateToken(service_accounts.NewCreateTokenParams().WithServiceAccountID(newAccount(t, c, "terraform", "Admin")).
		WithBody(&models.AddServiceAccountTokenCommand{Name: "run-1", SecondsToLive: 3600})))(t, "make Terraform's token").Payload.Key
	tf := &terraform{T: t, c: withToken(address, key)}
	blocks := exampleOf(t, filepath.Join("..", "..", "docs", "tasks", "terraform.md"))
	for len(blocks) > 0 { // what refers to nothing that is not there yet comes next
		left := slices.DeleteFunc(slices.Clone(blocks), tf.apply)
		if len(left) == len(blocks) {
			t.Fatalf("%s refers to what is never made", left[0].name)
		}
		blocks = left
	}
	if len(tf.resources) != len(kinds) {
		t.Errorf("the example has %d resources, and %d kinds are played", len(tf.resources), len(kinds))
	}
	tf.plan("after the creation", nil)
	for _, r := range tf.resources {
		if change := kinds[r.kind].change; change != nil {
			want := tf.wanted(r)
			for name, value := range change {
				if want[name] == "" {
					t.Errorf("%s has no %s in the example", r.kind, name)
				}
				want[name] = value
			}
			kinds[r.kind].update(tf, r.id, want)
			tf.plan("after a change", map[*resource]attributes{r: want})
			kinds[r.kind].update(tf, r.id, tf.wanted(r))
		}
	}
	tf.plan("after the changes were taken back", nil)
	tf.rotate(address)
	for _, r := range slices.Backward(tf.resources) {
		kinds[r.kind].remove(tf, r.id)
		if kinds[r.kind].read(tf, r.id) != nil {
			t.Errorf("%s is still there", r.kind)
		}
	}
	account, _ := strconv.ParseInt(tf.find("grafana_service_account").id[2:], 10, 64)
	if list := must(tf.c.ServiceAccounts.ListTokens(account))(t, "the tokens of an account that is gone").Payload; len(list) != 0 {
		t.Errorf("%d tokens are left", len(list))
	}
}

// exampleOf returns the resources in the file of a page.
func exampleOf(t *testing.T, page string) (blocks []*resource) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```hcl\n(# main.tf\n.*?)```").FindSubmatch(text)
	if m == nil {
		t.Fatal("the page has no main.tf")
	}
	file, problems := hclparse.NewParser().ParseHCL(m[1], "main.tf")
	if problems.HasErrors() {
		t.Fatal(problems)
	}
	for _, b := range file.Body.(*hclsyntax.Body).Blocks {
		if b.Type == "resource" {
			if _, known := kinds[b.Labels[0]]; !known {
				t.Fatalf("no test plays %s", b.Labels[0])
			}
			blocks = append(blocks, &resource{kind: b.Labels[0], name: b.Labels[1], body: b.Body})
		}
	}
	return blocks
}

// apply creates a resource, if all that it refers to is there.
func (tf *terraform) apply(r *resource) bool {
	for _, a := range r.body.Attributes {
		for _, v := range a.Expr.Variables() {
			if !slices.ContainsFunc(tf.resources, func(made *resource) bool { return made.kind == v.RootName() }) {
				return false
			}
		}
	}
	r.id, r.computed = kinds[r.kind].create(tf, tf.wanted(r))
	tf.resources = append(tf.resources, r)
	return true
}

// wanted returns the attributes that the example gives a resource.
func (tf *terraform) wanted(r *resource) attributes {
	tf.Helper()
	known := map[string]cty.Value{}
	for _, made := range tf.resources {
		values := map[string]cty.Value{"id": cty.StringVal(made.id)}
		for name := range made.body.Attributes {
			if made != r && len(made.body.Attributes[name].Expr.Variables()) == 0 {
				values[name] = tf.value(made.body.Attributes[name].Expr, nil)
			}
		}
		known[made.kind] = cty.ObjectVal(map[string]cty.Value{made.name: cty.ObjectVal(values)})
	}
	want, scope := attributes{}, &hcl.EvalContext{Variables: known}
	for name, a := range r.body.Attributes {
		want[name] = tf.value(a.Expr, scope).AsString()
	}
	for _, b := range r.body.Blocks {
		if b.Type == "permissions" {
			scoped := ""
			if a := b.Body.Attributes["scope"]; a != nil {
				scoped = tf.value(a.Expr, scope).AsString()
			}
			want["permissions"] += tf.value(b.Body.Attributes["action"].Expr, scope).AsString() + "@" + scoped + "\n"
		}
	}
	return want
}

// value evaluates an expression to a text.
func (tf *terraform) value(e hcl.Expression, scope *hcl.EvalContext) cty.Value {
	tf.Helper()
	v, problems := e.Value(scope)
	if problems.HasErrors() {
		tf.Fatal(problems)
	}
	text, err := convert.Convert(v, cty.String)
	if err != nil {
		tf.Fatal(err)
	}
	return text
}

// plan reads every resource by its id and compares it with what is wanted, as the example
// says unless instead says otherwise: nothing may differ, and nothing be left unread.
func (tf *terraform) plan(when string, instead map[*resource]attributes) {
	tf.Helper()
	for _, r := range tf.resources {
		is, want := kinds[r.kind].read(tf, r.id), tf.wanted(r)
		if other := instead[r]; other != nil {
			want = other
		}
		for name, value := range want {
			if got, read := is[name]; got != value && !strings.Contains(kinds[r.kind].local, name) {
				tf.Errorf("%s, %s: %s is %q (read: %v), want %q", when, r.kind, name, got, read, value)
			}
		}
		for name, value := range r.computed {
			if is[name] != value {
				tf.Errorf("%s, %s: %s was %q and is %q", when, r.kind, name, value, is[name])
			}
		}
	}
}

// rotate does what an apply does in the last days of a rotating token: the new one is made, then
// the old one deleted.
func (tf *terraform) rotate(address string) {
	tf.Helper()
	r := tf.find("grafana_service_account_rotating_token")
	old := r.id
	r.id, r.computed = kinds[r.kind].create(tf, tf.wanted(r))
	for _, secret := range tf.secrets {
		must(withToken(address, secret).Folders.GetFolderByUID("shop"))(tf.T, "a secret while both are there")
	}
	kinds[r.kind].remove(tf, old)
	refused(withToken(address, tf.secrets[0]).Folders.GetFolderByUID("shop"))(tf.T, "the old secret", 401)
	must(withToken(address, tf.secrets[1]).Folders.GetFolderByUID("shop"))(tf.T, "the new secret")
	tf.plan("after the rotation", nil)
}

func (tf *terraform) find(kind string) *resource {
	tf.Helper()
	for _, r := range tf.resources {
		if r.kind == kind {
			return r
		}
	}
	tf.Fatalf("the example has no %s", kind)
	return nil
}

// number returns the last number of an id.
func number(id string) int64 {
	n, _ := strconv.ParseInt(id[strings.LastIndex(id, ":")+1:], 10, 64) // 0 finds nothing
	return n
}

// gone reports whether a read was answered with 404, and fails the test for any other error.
func (tf *terraform) gone(err error) bool {
	tf.Helper()
	coded, ok := err.(interface{ IsCode(int) bool })
	if err != nil && (!ok || !coded.IsCode(404)) {
		tf.Fatal(err)
	}
	return err != nil
}

// kinds are the resources of the example.
var kinds map[string]played

func init() { // it refers to itself
	kinds = map[string]played{
		"grafana_service_account": {createAccount, readAccount, updateAccount, func(tf *terraform, id string) {
			must(tf.c.ServiceAccounts.DeleteServiceAccount(number(id)))(tf.T, "delete the account")
		}, attributes{"role": "Viewer", "is_disabled": "true", "name": "renamed"}, ""},
		"grafana_folder": {createFolder, readFolder, func(tf *terraform, id string, a attributes) {
			must(tf.c.Folders.UpdateFolder(id[2:], &models.UpdateFolderCommand{Title: a["title"], Overwrite: true}))(tf.T, "rename the folder")
		}, func(tf *terraform, id string) {
			must(tf.c.Folders.DeleteFolder(folders.NewDeleteFolderParams().WithFolderUID(id[2:])))(tf.T, "delete the folder")
		}, attributes{"title": "Shops"}, ""},
		"grafana_folder_permission_item":         {createAccess, readAccess, setAccess, func(tf *terraform, id string) { setAccess(tf, id, attributes{}) }, attributes{"permission": "Admin"}, ""},
		"grafana_role":                           {createRole, readRole, updateRole, removeRole, attributes{"description": "reads", "permissions": "loki:read@loki:tenants:shop\nprometheus:query@\n"}, "auto_increment_version"},
		"grafana_role_assignment_item":           {createAssignment, readAssignment, nil, removeAssignment, nil, ""},
		"grafana_service_account_rotating_token": {createToken, readToken, nil, removeToken, nil, "name_prefix early_rotation_window_seconds delete_on_destroy seconds_to_live"},
	}
}

func createAccount(tf *terraform, a attributes) (string, attributes) {
	made := must(tf.c.ServiceAccounts.CreateServiceAccount(service_accounts.NewCreateServiceAccountParams().
		WithBody(&models.CreateServiceAccountForm{Name: a["name"], Role: a["role"], IsDisabled: a["is_disabled"] == "true"})))(tf.T, "make the account").Payload
	return fmt.Sprintf("0:%d", made.ID), nil
}

func readAccount(tf *terraform, id string) attributes {
	got, err := tf.c.ServiceAccounts.RetrieveServiceAccount(number(id))
	if tf.gone(err) {
		return nil
	}
	return attributes{"name": got.Payload.Name, "role": got.Payload.Role, "is_disabled": strconv.FormatBool(got.Payload.IsDisabled)}
}

func updateAccount(tf *terraform, id string, a attributes) {
	must(tf.c.ServiceAccounts.UpdateServiceAccount(service_accounts.NewUpdateServiceAccountParams().WithServiceAccountID(number(id)).
		WithBody(&models.UpdateServiceAccountForm{Name: a["name"], Role: a["role"], IsDisabled: ptr(a["is_disabled"] == "true")})))(tf.T, "change the account")
}

func createFolder(tf *terraform, a attributes) (string, attributes) {
	made := must(tf.c.Folders.CreateFolder(&models.CreateFolderCommand{Title: a["title"], UID: a["uid"]}))(tf.T, "make the folder").Payload
	return "0:" + made.UID, nil
}

func readFolder(tf *terraform, id string) attributes {
	got, err := tf.c.Folders.GetFolderByUID(id[2:])
	if tf.gone(err) {
		return nil
	}
	return attributes{"uid": got.Payload.UID, "title": got.Payload.Title, "parent_folder_uid": got.Payload.ParentUID}
}

func createAccess(tf *terraform, a attributes) (string, attributes) {
	id := "0:" + a["folder_uid"] + ":user:" + strconv.FormatInt(number(a["user"]), 10)
	setAccess(tf, id, a)
	return id, nil
}

func setAccess(tf *terraform, id string, a attributes) {
	must(tf.c.AccessControl.SetResourcePermissionsForUser(access_control.NewSetResourcePermissionsForUserParams().WithResource("folders").
		WithResourceID(strings.Split(id, ":")[1]).WithUserID(number(id)).WithBody(&models.SetPermissionCommand{Permission: a["permission"]})))(tf.T, "set the access")
}

// readAccess takes the first entry of the target, as the provider does.
func readAccess(tf *terraform, id string) attributes {
	folder := strings.Split(id, ":")[1]
	list, err := tf.c.AccessControl.GetResourcePermissions(folder, "folders")
	if tf.gone(err) {
		return nil
	}
	for _, e := range list.Payload {
		if e.UserID == number(id) {
			return attributes{"folder_uid": folder, "user": fmt.Sprintf("0:%d", e.UserID), "permission": e.Permission}
		}
	}
	return nil
}

func permissionsFrom(text string) (list []*models.Permission) {
	for line := range strings.Lines(text) {
		action, scope, _ := strings.Cut(strings.TrimSpace(line), "@")
		list = append(list, &models.Permission{Action: action, Scope: scope})
	}
	return list
}

func createRole(tf *terraform, a attributes) (string, attributes) {
	made := must(tf.c.AccessControl.CreateRole(&models.CreateRoleForm{UID: a["uid"], Name: a["name"], Description: a["description"], Version: 1, Permissions: permissionsFrom(a["permissions"])}))(tf.T, "make the role").Payload
	return "0:" + *made.UID, nil
}

func readRole(tf *terraform, id string) attributes {
	got, err := tf.c.AccessControl.GetRole(id[2:])
	if tf.gone(err) {
		return nil
	}
	var lines []string
	for _, p := range got.Payload.Permissions {
		lines = append(lines, p.Action+"@"+p.Scope+"\n")
	}
	slices.Sort(lines)
	return attributes{"uid": *got.Payload.UID, "name": *got.Payload.Name, "description": *got.Payload.Description, "permissions": strings.Join(lines, "")}
}

func updateRole(tf *terraform, id string, a attributes) {
	before := *must(tf.c.AccessControl.GetRole(id[2:]))(tf.T, "the role").Payload.Version
	now := must(tf.c.AccessControl.UpdateRole(id[2:], &models.UpdateRoleCommand{Name: a["name"], Description: ptr(a["description"]), Version: before + 1, Permissions: permissionsFrom(a["permissions"])}))(tf.T, "change the role").Payload
	if *now.Version != before+1 {
		tf.Errorf("the role has version %d after %d", *now.Version, before)
	}
}

func removeRole(tf *terraform, id string) {
	must(tf.c.AccessControl.DeleteRole(access_control.NewDeleteRoleParams().WithRoleUID(id[2:])))(tf.T, "delete the role")
}

func createAssignment(tf *terraform, a attributes) (string, attributes) {
	account := number(a["service_account_id"])
	assign(tf, a["role_uid"], func(list []int64) []int64 { return append(list, account) })
	return fmt.Sprintf("0:%s:service_account:%d", a["role_uid"], account), nil
}

// assign changes the whole list of a role's assignments, which is the only call for it.
func assign(tf *terraform, role string, change func([]int64) []int64) {
	is := must(tf.c.AccessControl.GetRoleAssignments(role))(tf.T, "assignments").Payload
	must(tf.c.AccessControl.SetRoleAssignments(role, &models.SetRoleAssignmentsCommand{Users: is.Users, Teams: is.Teams, ServiceAccounts: change(is.ServiceAccounts)}))(tf.T, "assign")
}

func readAssignment(tf *terraform, id string) attributes {
	role := strings.Split(id, ":")[1]
	got, err := tf.c.AccessControl.GetRoleAssignments(role)
	if tf.gone(err) || !slices.Contains(got.Payload.ServiceAccounts, number(id)) {
		return nil
	}
	return attributes{"role_uid": role, "service_account_id": fmt.Sprintf("0:%d", number(id))}
}

func removeAssignment(tf *terraform, id string) {
	assign(tf, strings.Split(id, ":")[1], func(list []int64) []int64 {
		return slices.DeleteFunc(list, func(n int64) bool { return n == number(id) })
	})
}

// createToken names the token after its end, as the provider does; each a second later, so that
// a test need not wait for the next name.
func createToken(tf *terraform, a attributes) (string, attributes) {
	seconds, _ := strconv.ParseInt(a["seconds_to_live"], 10, 64)
	name := fmt.Sprintf("%s-%d", a["name_prefix"], time.Now().Unix()+seconds+int64(len(tf.secrets)))
	made := must(tf.c.ServiceAccounts.CreateToken(service_accounts.NewCreateTokenParams().WithServiceAccountID(number(a["service_account_id"])).
		WithBody(&models.AddServiceAccountTokenCommand{Name: name, SecondsToLive: seconds})))(tf.T, "make the token").Payload
	tf.secrets = append(tf.secrets, made.Key)
	id := strconv.FormatInt(made.ID, 10)
	return id, attributes{"name": name, "has_expired": "false", "ends": "true"}
}

// readToken looks through the account's list: no call of the provider reads one token.
func readToken(tf *terraform, id string) attributes {
	account := tf.find("grafana_service_account").id
	for _, tok := range must(tf.c.ServiceAccounts.ListTokens(number(account)))(tf.T, "list the tokens").Payload {
		if tok.ID == number(id) {
			return attributes{"name": tok.Name, "service_account_id": account, "has_expired": strconv.FormatBool(tok.HasExpired), "ends": strconv.FormatBool(!time.Time(tok.Expiration).IsZero())}
		}
	}
	return nil
}

func removeToken(tf *terraform, id string) {
	must(tf.c.ServiceAccounts.DeleteToken(number(id), number(tf.find("grafana_service_account").id)))(tf.T, "delete the token")
}
