package test_test

import "path/filepath"

// proxy measures the built-in proxy beside a bare reverse proxy, both in front of the
// same bare server, which runs on the core of the load.
func (b *bench) proxy(s stock) {
	t := b.t
	behind, api := b.bareOn("1")
	_, err := sqlite(t, filepath.Join(s.data, "hallpass.db")).Exec(`
		INSERT INTO guards (id, org_id, name, upstream, rules, preset, path_allow, allow_preflight, jwt, managed_by, source, version, suspended, created_us, updated_us)
		VALUES (2, 1, 'proxied', $1, '[{"methods":["GET"],"path":"/api/","role":"Viewer"}]', '', '[]', FALSE, FALSE, 'api', '', 1, '', 0, 0)`, api)
	if err != nil {
		t.Fatal(err)
	}
	ours := b.serve(s)
	defer b.stop(ours)
	bare, url := b.bare("-upstream", api)
	x, y := b.beside(bare, url+"/api/org?query=up", ours, s.tokens[:1], "/guard/proxy/proxied/api/org?query=up", behind)
	b.add("the built-in proxy, processor time of a bare httputil.ReverseProxy ÷ ours", "%.3f", x.cpu/y.cpu, "≥ 0.85", x.cpu >= 0.85*y.cpu)
	b.tell("the same, p99 ÷ a bare httputil.ReverseProxy", "%.2f", y.p99/x.p99)
	b.tell("the same, requests a second ÷ a bare httputil.ReverseProxy", "%.3f", y.rps/x.rps)
}
