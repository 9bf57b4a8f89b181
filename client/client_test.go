package client_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestOrg asks a server for the org: the call carries the token, and the bytes
// of the answer come back as they were sent.
func TestOrg(t *testing.T) {
	const answer = `{"id":1,"name":"Main Org.","address":{"address1":"","address2":"","city":"Bern","zipCode":"","state":"","country":""}}`
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got := []string{r.Method, r.URL.Path, r.Header.Get("Authorization")}
		if diff := cmp.Diff([]string{"GET", "/api/org", "Bearer glsa_x"}, got); diff != "" {
			t.Errorf("the request differs (-want +got):\n%s", diff)
		}
		if _, err := io.WriteString(w, answer); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	for _, base := range []string{server.URL, server.URL + "/"} {
		org, raw, err := client.New(base, "glsa_x").Org(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if string(raw) != answer {
			t.Errorf("the bytes are %s, want %s", raw, answer)
		}
		want := wire.Org{ID: 1, Name: "Main Org.", Address: wire.Address{City: "Bern"}}
		if diff := cmp.Diff(want, org); diff != "" {
			t.Errorf("the org differs (-want +got):\n%s", diff)
		}
	}
}

// TestError sends answers that are no success: they become an Error, whatever
// their body.
func TestError(t *testing.T) {
	for _, tt := range []struct {
		name   string
		status int
		body   string
		want   client.Error
	}{
		{"ours", 401, `{"message":"Token is revoked","messageId":"api-key.revoked","statusCode":401}`,
			client.Error{Status: 401, MessageID: "api-key.revoked", Message: "Token is revoked"}},
		{"a proxy's page", 502, "<h1>Bad Gateway</h1>", client.Error{Status: 502, Message: "Bad Gateway"}},
		{"nothing", 503, "", client.Error{Status: 503, Message: "Service Unavailable"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tt.status)
				if _, err := io.WriteString(w, tt.body); err != nil {
					t.Error(err)
				}
			}))
			defer server.Close()
			_, raw, err := client.New(server.URL, "glsa_x").Org(t.Context())
			var got *client.Error
			if !errors.As(err, &got) {
				t.Fatalf("the error is %v, want a *client.Error", err)
			}
			if diff := cmp.Diff(tt.want, *got); diff != "" {
				t.Errorf("the error differs (-want +got):\n%s", diff)
			}
			if string(raw) != tt.body {
				t.Errorf("the bytes are %q, want %q", raw, tt.body)
			}
		})
	}
}

// TestNoServer calls where nobody listens, and where the answer is no JSON:
// neither is an answer of the server's.
func TestNoServer(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if _, err := io.WriteString(w, "hello"); err != nil {
			t.Error(err)
		}
	}))
	var told *client.Error
	if _, raw, err := client.New(server.URL, "glsa_x").Org(t.Context()); err == nil || errors.As(err, &told) || string(raw) != "hello" {
		t.Errorf("an answer that is no JSON: %v and %q", err, raw)
	}
	server.Close()
	if _, _, err := client.New(server.URL, "glsa_x").Org(t.Context()); err == nil || errors.As(err, &told) {
		t.Errorf("no server: the error is %v", err)
	}
}
