package api_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestRotationsAtOnce has twenty requests rotate one token at the same time, through two
// nodes where there are two: one does (SEC-36), whether each has an Idempotency-Key of its
// own, none has one, or all have the same.
func TestRotationsAtOnce(t *testing.T) {
	x := newSession(t)
	nodes := []*hallpasstest.Server{x.s, x.s}
	if hallpasstest.OnPostgres() {
		nodes[1] = x.s.Node()
	}
	x.run(step{"POST", "/api/serviceaccounts", `{"name":"ci","role":"Viewer"}`, 201, "", "sa=id"})
	const many = 20
	for name, tt := range map[string]struct {
		key     func(i int) []string
		refusal string
	}{
		"none":      {func(int) []string { return nil }, "token.already-rotated"},
		"different": {func(i int) []string { return []string{fmt.Sprint("Idempotency-Key: key-", i)} }, "token.already-rotated"},
		"the same":  {func(int) []string { return []string{"Idempotency-Key: key"} }, "token.rotation-in-flight"},
	} {
		t.Run(name, func(t *testing.T) {
			x.do(step{"POST", "/api/serviceaccounts/<sa>/tokens", `{"name":"` + name + `"}`, 200, "", "old=id"})
			answers := make([]hallpasstest.Response, many)
			var all sync.WaitGroup
			for i := range answers {
				all.Go(func() {
					answers[i] = nodes[i%2].Do(hallpasstest.Admin, "POST", x.fill("/api/serviceaccounts/<sa>/tokens/<old>/rotate"), `{}`, tt.key(i)...)
				})
			}
			all.Wait()
			told, made := make(map[string]int), ""
			for _, r := range answers {
				var answer struct {
					wire.RotatedToken
					MessageID string
				}
				if err := json.Unmarshal([]byte(r.Text), &answer); err != nil {
					t.Fatal(err)
				}
				told[fmt.Sprint(r.StatusCode, " ", answer.MessageID)]++
				if r.StatusCode == 200 {
					made = answer.Key
				}
			}
			if d := cmp.Diff(map[string]int{"200 ": 1, "409 " + tt.refusal: many - 1}, told); d != "" {
				t.Fatalf("(want, got):\n%s", d)
			}
			for _, s := range nodes {
				if r := s.Do(hallpasstest.Bearer(made), "GET", "/api/org", ""); r.StatusCode != 200 {
					t.Errorf("the secret that was answered: %d %s", r.StatusCode, r.Text)
				}
			}
			var list []wire.Token
			if err := json.Unmarshal([]byte(x.do(step{"GET", "/api/serviceaccounts/<sa>/tokens?query=" + url.QueryEscape(name), "", 200, "", ""})), &list); err != nil || len(list) != 2 {
				t.Errorf("%d tokens have the name, want the old and one new: %v", len(list), err)
			}
		})
	}
}
