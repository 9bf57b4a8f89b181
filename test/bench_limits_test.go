package test_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"testing"
)

// limits compares a token with every limit, a ceiling, 32 networks and a rate, with one of
// the same account that has none.
func (b *bench) limits(s stock) {
	t := b.t
	t.Helper()
	plain, narrow := s.tokens[len(s.tokens)-2:len(s.tokens)-1], s.tokens[len(s.tokens)-1:]
	limit(t, s.data, len(s.tokens)-1)
	p := b.serve(s)
	defer b.stop(p)
	url := p.url + "/guard/verify"
	header := func(token string) string {
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		r, err := quick.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Body.Close() }() // it is empty
		if r.StatusCode != http.StatusOK {
			t.Fatalf("%s", r.Status)
		}
		return r.Header.Get("RateLimit")
	}
	if got := []string{header(plain[0]), header(narrow[0])}; !slices.Equal(got, []string{"", `"token";r=1000000;t=1`}) {
		t.Fatalf("the tokens tell the rates %q", got)
	}
	b.warm(url, plain)
	b.warm(url, narrow)
	x, y := b.inTurn(
		func() result { return b.load(p.cmd.Process, url, benchConns, plain) },
		func() result { return b.load(p.cmd.Process, url, benchConns, narrow) })
	b.add("GET /guard/verify, processor time without limits ÷ with ceiling, 32 networks, rate", "%.3f", x.cpu/y.cpu, "≥ 0.97", x.cpu >= 0.97*y.cpu)
}

// limit gives the token of the stock every limit. The last network is the one that it is
// used from.
func limit(t *testing.T, data string, token int) {
	t.Helper()
	var networks []string
	for i := range 31 {
		networks = append(networks, fmt.Sprintf("10.%d.0.0/16", i))
	}
	list, err := json.Marshal(append(networks, "127.0.0.0/8"))
	if err != nil {
		t.Fatal(err)
	}
	db := sqlite(t, filepath.Join(data, "hallpass.db"))
	_, err = db.Exec(`UPDATE tokens SET read_only = TRUE, max_role = 'Viewer', ceiling = '[{"action":"orgs:read"}]', networks = $1, rate_n = 1000000, rate_s = 1, rate_burst = 1000000
		WHERE id = $2`, string(list), firstBenchToken+token)
	if err != nil {
		t.Fatal(err)
	}
}
