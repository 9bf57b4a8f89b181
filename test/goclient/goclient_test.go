package goclient_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	gapi "github.com/grafana/grafana-openapi-client-go/client"
	"github.com/grafana/grafana-openapi-client-go/client/org"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/models"
)

const password = "violet lamps hum at noon"

// program is the path of the program, built once for all tests.
var program string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "goclient")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }() // what stays lies in the temporary directory
	program = filepath.Join(dir, "hallpass")
	build := exec.Command("go", "build", "-o", program, "./cmd/hallpass")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// serve starts the program and returns its address.
func serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "serve", "--data", t.TempDir(), "--listen", address)
	cmd.Env = append(os.Environ(), "HALLPASS_SECURITY_ADMIN_PASSWORD="+password)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(cmd.Process.Signal(os.Interrupt), cmd.Wait()); err != nil {
			t.Errorf("the server ended with %v", err)
		}
	})
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if res, err := http.Get("http://" + address + "/readyz"); err == nil {
			_ = res.Body.Close() // nothing was read
			if res.StatusCode == http.StatusOK {
				return address
			}
		}
	}
	t.Fatal("the server did not answer")
	return ""
}

func admin(address string) *gapi.GrafanaHTTPAPI {
	return gapi.NewHTTPClientWithConfig(nil, &gapi.TransportConfig{
		Host: address, BasePath: "/api", Schemes: []string{"http"}, BasicAuth: url.UserPassword("admin", password), OrgID: 1,
	})
}

func withToken(address, token string) *gapi.GrafanaHTTPAPI {
	return gapi.NewHTTPClientWithConfig(nil, &gapi.TransportConfig{Host: address, BasePath: "/api", Schemes: []string{"http"}, APIKey: token})
}

// TestServiceAccounts makes, lists, updates, disables and deletes accounts and
// tokens through the client.
func TestServiceAccounts(t *testing.T) {
	address := serve(t)
	c := admin(address)
	made, err := c.ServiceAccounts.CreateServiceAccount(service_accounts.NewCreateServiceAccountParams().
		WithBody(&models.CreateServiceAccountForm{Name: "ci", Role: "Editor"}))
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	id := made.Payload.ID
	if made.Payload.Login != "sa-1-ci" || made.Payload.Role != "Editor" || made.Payload.OrgID != 1 {
		t.Errorf("created %+v", made.Payload)
	}
	_, err = c.ServiceAccounts.CreateServiceAccount(service_accounts.NewCreateServiceAccountParams().
		WithBody(&models.CreateServiceAccountForm{Name: "ci"}))
	var taken *service_accounts.CreateServiceAccountBadRequest
	if !errors.As(err, &taken) {
		t.Errorf("the same name again: %v, want a bad request", err)
	}

	got, err := c.ServiceAccounts.RetrieveServiceAccount(id)
	if err != nil || got.Payload.Name != "ci" || got.Payload.IsDisabled {
		t.Fatalf("retrieve: %+v, %v", got, err)
	}
	page, err := c.ServiceAccounts.SearchOrgServiceAccountsWithPaging(service_accounts.NewSearchOrgServiceAccountsWithPagingParams())
	if err != nil || page.Payload.TotalCount != 1 || page.Payload.ServiceAccounts[0].ID != id {
		t.Fatalf("search: %+v, %v", page, err)
	}

	key := tokens(t, c, address, id)
	disabled := true
	if _, err := c.ServiceAccounts.UpdateServiceAccount(service_accounts.NewUpdateServiceAccountParams().WithServiceAccountID(id).
		WithBody(&models.UpdateServiceAccountForm{Name: "renamed", Role: "Viewer", IsDisabled: &disabled})); err != nil {
		t.Fatalf("update: %v", err)
	}
	if got, err = c.ServiceAccounts.RetrieveServiceAccount(id); err != nil || got.Payload.Name != "renamed" || got.Payload.Role != "Viewer" || !got.Payload.IsDisabled {
		t.Errorf("after the update: %+v, %v", got, err)
	}
	var refused *org.GetCurrentOrgUnauthorized
	if _, err := withToken(address, key).Org.GetCurrentOrg(); !errors.As(err, &refused) {
		t.Errorf("a disabled account's token: %v, want unauthorized", err)
	}

	if _, err := c.ServiceAccounts.DeleteServiceAccount(id); err != nil {
		t.Fatalf("delete: %v", err)
	}
	if _, err := c.ServiceAccounts.RetrieveServiceAccount(id); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("a deleted account: %v, want 404", err)
	}
	if left, err := c.ServiceAccounts.ListTokens(id); err != nil || len(left.Payload) != 0 {
		t.Errorf("a deleted account's tokens: %v, %v; want none and no error", left, err)
	}
}

// tokens makes two tokens, lists them, uses one and deletes the other; it
// returns the one that is left.
func tokens(t *testing.T, c *gapi.GrafanaHTTPAPI, address string, id int64) string {
	t.Helper()
	create := func(name string, seconds int64) *models.NewAPIKeyResult {
		t.Helper()
		made, err := c.ServiceAccounts.CreateToken(service_accounts.NewCreateTokenParams().WithServiceAccountID(id).
			WithBody(&models.AddServiceAccountTokenCommand{Name: name, SecondsToLive: seconds}))
		if err != nil {
			t.Fatalf("create token: %v", err)
		}
		if !regexp.MustCompile(`^glsa_[0-9A-Za-z]{32}_[0-9a-f]{8}$`).MatchString(made.Payload.Key) {
			t.Errorf("token %s has another form", name)
		}
		return made.Payload
	}
	forever, hour := create("forever", 0), create("hour", 3600)
	current, err := withToken(address, forever.Key).Org.GetCurrentOrg()
	if err != nil || current.Payload.Name != "Main Org." {
		t.Errorf("the token's org: %+v, %v", current, err)
	}
	list, err := c.ServiceAccounts.ListTokens(id)
	if err != nil || len(list.Payload) != 2 {
		t.Fatalf("list tokens: %+v, %v", list, err)
	}
	for _, tok := range list.Payload {
		expires := !time.Time(tok.Expiration).IsZero()
		if used := !time.Time(tok.LastUsedAt).IsZero(); used != (tok.ID == forever.ID) || expires != (tok.ID == hour.ID) {
			t.Errorf("token %s: used %v, expires %v", tok.Name, used, expires)
		}
	}
	if _, err := c.ServiceAccounts.DeleteToken(hour.ID, id); err != nil {
		t.Fatalf("delete token: %v", err)
	}
	if _, err := withToken(address, hour.Key).Org.GetCurrentOrg(); err == nil {
		t.Error("a deleted token works")
	}
	return forever.Key
}
