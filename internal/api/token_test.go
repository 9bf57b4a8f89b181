package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// TestTokenPages reads the pages of a token list with every filter. Together they are the
// list. Without options the list is whole, however long.
func TestTokenPages(t *testing.T) {
	x := newSession(t)
	x.run(
		step{"POST", "/api/serviceaccounts", `{"name":"many","role":"Viewer"}`, 201, "", "sa=id"}, step{"POST", "/api/serviceaccounts", `{"name":"other","role":"Viewer"}`, 201, "", "other=id"},
		step{"POST", "/api/serviceaccounts/<other>/tokens", `{"name":"not of many"}`, 200, "", ""},
	)
	const tokens = "/api/serviceaccounts/<sa>/tokens"
	var ids []int64
	for i := range 23 {
		life := ""
		if i%3 == 1 {
			life = `,"secondsToLive":60`
		}
		x.do(step{"POST", tokens, fmt.Sprintf(`{"name":"%s %02d"%s}`, []string{"Deploy", "sync", "ÄRGER"}[i%3], i, life), 200, "", "id=id"})
		var id int64
		if _, err := fmt.Sscan(x.vars["id"], &id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	x.s.Clock.Wind(time.Hour)
	now := x.s.Clock.Now()
	ctx := t.Context()
	if err := x.s.Store().Write(ctx, func(tx *store.Tx) error {
		for _, id := range ids[20:] {
			if err := tx.RevokeToken(1, hallpass.TokenID(id), now); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	get := func(query string) (names []string, total string) {
		t.Helper()
		r := x.send("GET", tokens+query, "")
		var list []struct{ Name, State string }
		if err := json.Unmarshal([]byte(r.Text), &list); err != nil || r.StatusCode != 200 {
			t.Fatalf("GET %s: %d %s", query, r.StatusCode, r.Text)
		}
		for _, k := range list {
			names = append(names, k.Name+" "+k.State)
		}
		return names, r.Header.Get("X-Total-Count")
	}
	for _, disabled := range []bool{false, true} {
		x.run(step{"PATCH", "/api/serviceaccounts/<sa>", fmt.Sprintf(`{"isDisabled":%v}`, disabled), 200, "", ""})
		whole, total := get("")
		if len(whole) != 23 || total != "23" {
			t.Fatalf("%d tokens, %s in the header", len(whole), total)
		}
		for _, state := range []string{"", "live", "blocked", "expired", "revoked"} {
			for _, text := range []string{"", "deploy", "ärger", "nosuch", "%", "0"} {
				filter := "&state=" + state + "&query=" + strings.NewReplacer("%", "%25", "ä", "%C3%A4").Replace(text)
				var want []string
				for _, row := range whole {
					name, is := row[:strings.LastIndexByte(row, ' ')], row[strings.LastIndexByte(row, ' ')+1:]
					if (state == "" || is == state) && strings.Contains(strings.ToLower(name), text) {
						want = append(want, row)
					}
				}
				got, total := get("?" + filter)
				if d := cmp.Diff(want, got); d != "" || total != fmt.Sprint(len(want)) {
					t.Errorf("%s, of an account that is disabled: %v: %s in the header, %s", filter, disabled, total, d)
				}
				for _, size := range []int{1, 7, 1000} {
					var all []string
					for page := 1; page < 100; page++ {
						some, total := get(fmt.Sprintf("?perpage=%d&page=%d%s", size, page, filter))
						if total != fmt.Sprint(len(want)) {
							t.Errorf("%s: %s in the header of page %d, want %d", filter, total, page, len(want))
						}
						if len(some) == 0 {
							break
						}
						if all = append(all, some...); len(some) < size {
							break
						}
					}
					if d := cmp.Diff(want, all); d != "" {
						t.Errorf("%s in pages of %d: %s", filter, size, d)
					}
				}
			}
		}
	}
	for _, query := range []string{"?page=0&perpage=5", "?perPage=5", "?page=1&perpage=5"} {
		if some, _ := get(query); len(some) != 5 {
			t.Errorf("%s: %d tokens", query, len(some))
		}
	}
	x.run(
		step{"GET", tokens + "?page=x", "", 400, "", ""}, step{"GET", tokens + "?state=dead", "", 400, `message "Bad request data"`, ""},
		step{"GET", tokens + "?page=999999999", "", 200, "# 0", ""}, step{"GET", "/api/serviceaccounts/987654/tokens?page=1&state=live", "", 200, "# 0", ""},
	)
}
