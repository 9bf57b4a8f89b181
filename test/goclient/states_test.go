package goclient_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	gapi "github.com/grafana/grafana-openapi-client-go/client"
	"github.com/grafana/grafana-openapi-client-go/client/org"
	"github.com/grafana/grafana-openapi-client-go/client/service_accounts"
	"github.com/grafana/grafana-openapi-client-go/models"
)

// ask makes a call that the client does not have, with the administrator's password, and
// returns the members of the answer.
func ask(t *testing.T, address, method, path, body string) (answer struct {
	ID       int64
	Key      string
	Replaces struct{ ClosesAt time.Time }
}) {
	t.Helper()
	r, err := http.NewRequest(method, "http://"+address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.SetBasicAuth("admin", password)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }() // it was read whole
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil {
		t.Fatalf("%s %s: %d %s, %v", method, path, res.StatusCode, text, err)
	}
	return answer
}

// listed returns the token with that number as the client lists it.
func listed(t *testing.T, c *gapi.GrafanaHTTPAPI, account, token int64) *models.TokenDTO {
	t.Helper()
	for _, tok := range must(c.ServiceAccounts.ListTokens(account))(t, "list tokens").Payload {
		if tok.ID == token {
			return tok
		}
	}
	t.Fatalf("the token %d is not listed", token)
	return nil
}

// TestReplacedToken has a token replaced that the client made: it keeps its number and its
// name, ends when the overlap ends, and has then expired.
func TestReplacedToken(t *testing.T) {
	address := serve(t)
	c := admin(address)
	id := newAccount(t, c, "ci", "Viewer")
	old := must(c.ServiceAccounts.CreateToken(service_accounts.NewCreateTokenParams().WithServiceAccountID(id).
		WithBody(&models.AddServiceAccountTokenCommand{Name: "deploy", SecondsToLive: 7776000})))(t, "create").Payload
	tokens := fmt.Sprintf("/api/serviceaccounts/%d/tokens", id)
	made := ask(t, address, "POST", fmt.Sprintf("%s/%d/rotate", tokens, old.ID), `{"graceSeconds":3600}`)
	for what, key := range map[string]string{"the old token": old.Key, "the new token": made.Key} {
		must(withToken(address, key).Org.GetCurrentOrg())(t, what)
	}
	during := listed(t, c, id, old.ID)
	if ends := time.Time(during.Expiration); during.Name != "deploy" || during.HasExpired || during.IsRevoked || !ends.Equal(made.Replaces.ClosesAt) {
		t.Errorf("in the overlap: %+v, want the end %s", during, made.Replaces.ClosesAt)
	}
	if next := listed(t, c, id, made.ID); next.Name != "deploy" || next.HasExpired || !time.Time(next.Expiration).After(time.Time(during.Expiration)) {
		t.Errorf("the new token: %+v", next)
	}
	ask(t, address, "POST", fmt.Sprintf("%s/%d/retire", tokens, old.ID), "")
	if after := listed(t, c, id, old.ID); after.Name != "deploy" || !after.HasExpired || after.IsRevoked {
		t.Errorf("after the overlap: %+v", after)
	}
	var refusal *org.GetCurrentOrgUnauthorized
	if _, err := withToken(address, old.Key).Org.GetCurrentOrg(); !errors.As(err, &refusal) || !strings.Contains(*refusal.Payload.Message, "replaced by a newer one") {
		t.Errorf("the old token: %v", err)
	}
	must(c.ServiceAccounts.DeleteToken(old.ID, id))(t, "delete the old token")
	must(withToken(address, made.Key).Org.GetCurrentOrg())(t, "the new token at the end")
}

// TestLimitedToken uses tokens that are paused, outside of their networks, and over their
// rate. Terraform's settings have the client try again after 429, and not after 403.
func TestLimitedToken(t *testing.T) {
	address := serve(t)
	c := admin(address)
	tokens := fmt.Sprintf("/api/serviceaccounts/%d/tokens", newAccount(t, c, "ci", "Viewer"))
	create := func(name, limits string) (id int64, key string) {
		t.Helper()
		made := ask(t, address, "POST", tokens, `{"name":"`+name+`"`+limits+`}`)
		return made.ID, made.Key
	}
	terraform := func(key string, wait time.Duration) *gapi.GrafanaHTTPAPI {
		return gapi.NewHTTPClientWithConfig(nil, &gapi.TransportConfig{
			Host: address, BasePath: "/api", Schemes: []string{"http"}, APIKey: key, NumRetries: 3, RetryTimeout: wait, RetryStatusCodes: []string{"429", "5xx", "401", "412"},
		})
	}
	paused, key := create("paused", "")
	ask(t, address, "PATCH", fmt.Sprintf("%s/%d", tokens, paused), `{"paused":true}`)
	var unauthorized *org.GetCurrentOrgUnauthorized
	if _, err := withToken(address, key).Org.GetCurrentOrg(); !errors.As(err, &unauthorized) || *unauthorized.Payload.Message != "This API key is paused" {
		t.Errorf("a paused token: %v", err)
	}
	ask(t, address, "PATCH", fmt.Sprintf("%s/%d", tokens, paused), `{"paused":false}`)
	must(withToken(address, key).Org.GetCurrentOrg())(t, "a resumed token")

	_, key = create("far", `,"networks":["192.0.2.0/24"]`)
	var forbidden *org.GetCurrentOrgForbidden
	if _, err := terraform(key, time.Hour).Org.GetCurrentOrg(); !errors.As(err, &forbidden) || !strings.Contains(*forbidden.Payload.Message, "may not be used from 127.0.0.1") {
		t.Errorf("from elsewhere, where trying again would take hours: %v", err)
	}

	_, key = create("slow", `,"rateLimit":{"requests":1,"seconds":1}`)
	_, never := create("once", `,"rateLimit":{"requests":1,"seconds":86400}`)
	for range 2 { // the second is refused at first
		must(terraform(key, 600*time.Millisecond).Org.GetCurrentOrg())(t, "a token that is over its rate for a second")
	}
	must(withToken(address, never).Org.GetCurrentOrg())(t, "a token of one request")
	refused(terraform(never, time.Millisecond).Org.GetCurrentOrg())(t, "its second request", http.StatusTooManyRequests)
}
