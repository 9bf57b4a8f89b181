package api_test

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// TestSecretsOfClientsStayNowhere writes a valid token into every path part, query, header
// and body field of every call, and then searches for it in everything that is stored,
// shown and logged (SEC-1, SEC-4). Each place gets one form of the token, and `make soak`
// sends all forms to each.
func TestSecretsOfClientsStayNowhere(t *testing.T) {
	s := hallpasstest.New(t)
	w, things := newWalker(t, s), newTargets(t, s, 1, "")
	key := token(t, s, account(t, s, "owner", "Editor"), "works")
	inBase64 := base64.StdEncoding.EncodeToString([]byte("api_key:" + key))
	percent := ""
	for i := range len(key) {
		percent += fmt.Sprintf("%%%02x", key[i])
	}
	forms := []string{key, "curl " + key, key[:37], percent, inBase64}
	d := hallpasstest.NewDraw()
	x := &prober{targets: things, texts: func() []string { return hallpasstest.Of(d, 1, forms) }, values: func() []any { return nil }}
	for _, c := range contractCalls(t, s) {
		for _, p := range x.probes(c) {
			w.send(t, p)
		}
		path := things.fill(c.path)
		if strings.HasSuffix(path, "/events") {
			continue
		}
		for _, header := range []string{"User-Agent", "Referer", "X-Forwarded-For", "Forwarded", "X-Request-Id", "Traceparent", "Tracestate", "Accept-Language", "Origin", "X-Real-Ip", "Cookie"} {
			s.Send(hallpasstest.Bearer(key), c.method, path, `{}`, header+": "+key)
		}
	}
	for _, agent := range append(forms, strings.ToUpper(key[:5])+key[5:], "x\xff"+key+"\u202e") {
		for _, path := range []string{"/api/org", "/guard/verify", "/api/audit", "/org/serviceaccounts", "/" + key, "/guard/" + key} {
			s.Send(hallpasstest.Bearer(key), "GET", path, "", "User-Agent: "+agent)
			s.Send(hallpasstest.Basic("admin", hallpasstest.AdminPassword), "GET", path, "", "User-Agent: "+agent)
			s.Send(hallpasstest.Basic("admin", "wrong"), "GET", path, "", "User-Agent: "+agent)
			s.Send(hallpasstest.Basic(agent, "wrong"), "GET", path, "", "User-Agent: "+agent)
			s.Send(hallpasstest.Bearer(key), strings.ReplaceAll(key, "_", ""), path, "", "User-Agent: "+agent)
			s.Send(hallpasstest.Bearer(key), key, path, "", "User-Agent: "+agent)
		}
	}
	for _, path := range []string{"/theme", "/login", "/org/teams", "/org/users", "/admin/orgs", "/org/serviceaccounts/create", "/admin/create/role", "/profile/password"} {
		form := "user=" + key + "&name=" + key + "&login=" + key + "&theme=" + key + "&back=" + key + "&next=" + key + "&email=" + key + "&role=" + key
		s.Send(w.as, "POST", path, form, "Content-Type: application/x-www-form-urlencoded")
	}
	escaped := strings.ReplaceAll(key, "_", `\u005f`)
	for i, form := range []string{key, "curl " + key, percent, "Basic " + inBase64, escaped} {
		for _, board := range []string{`{"title":"kept","panels":[{"headers":{"Authorization":"%s"}}]}`, `{"title":"kept","%s":1}`} {
			for _, path := range []string{"/api/dashboards/db", "/api/dashboards/import"} {
				expect(t, fmt.Sprintf("form %d in a dashboard", i), s.Send(w.as, "POST", path, `{"dashboard":`+strings.Replace(board, "%s", form, 1)+`}`), 400, "dashboard.holds-token")
			}
		}
	}

	kept := map[string]string{"the log": s.Log()}
	for _, path := range []string{"/api/audit?limit=1000", "/metrics", "/api/user/auth-tokens", "/api/serviceaccounts/4/tokens", "/admin/audit", "/org/serviceaccounts", "/api/search", "/api/folders", "/api/org"} {
		kept[path] = s.Send(w.as, "GET", path, "").Text
	}
	if len(kept["/api/audit?limit=1000"]) < 10_000 {
		t.Errorf("the audit is %s", kept["/api/audit?limit=1000"])
	}
	for name, text := range database(t, s) {
		kept[name] = text
	}
	for name, text := range kept {
		if text == "" && name != "hallpass.db-reserve" {
			t.Errorf("%s is empty", name)
		}
		for form, secret := range map[string]string{"secret": key[5:37], "encoded secret": percent[40:100], "secret in base64": inBase64[20:60], "secret in hex": hex.EncodeToString([]byte(key[5:37]))} {
			if i := strings.Index(text, secret); i >= 0 {
				t.Errorf("%s holds the %s: …%s…", name, form, text[max(0, i-120):min(len(text), i+20)])
			}
		}
	}
}

// database returns the content of the server's database as text, by table or file.
func database(t *testing.T, s *hallpasstest.Server) map[string]string {
	t.Helper()
	all := make(map[string]string)
	if !hallpasstest.OnPostgres() {
		files, err := filepath.Glob(filepath.Join(s.Dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if b, err := os.ReadFile(file); err == nil && len(b) > 0 {
				all[filepath.Base(file)] = string(bytes.ReplaceAll(b, []byte{0}, nil))
			}
		}
		return all
	}
	db, err := sql.Open("pgx", s.DatabaseURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var tables string
	if err := db.QueryRow(`SELECT string_agg(table_name, ' ') FROM information_schema.tables WHERE table_schema = 'public'`).Scan(&tables); err != nil {
		t.Fatal(err)
	}
	for table := range strings.FieldsSeq(tables) {
		var text string
		if err := db.QueryRow(`SELECT 'rows: ' || COALESCE(string_agg(t::text, chr(10)), '') FROM ` + table + ` t`).Scan(&text); err != nil {
			t.Fatal(err)
		}
		all["table "+table] = text
	}
	return all
}
