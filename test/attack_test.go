package test_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// The guard of the attacks, in Hallpass' configuration. The reader holds app:read, the
// writer app:write too; nobody holds app:admin.
const attackedGuard = `
[server]
trusted_proxies = ["127.0.0.1"]

[guard.app]

[[guard.app.rule]]
methods = ["GET"]
path = "/api/{rest...}"
action = "app:read"

[[guard.app.rule]]
methods = ["POST", "PUT", "PATCH", "DELETE"]
path = "/api/{rest...}"
action = "app:write"

[[guard.app.rule]]
path = "/admin/{rest...}"
action = "app:admin"
`

// outcome is what an attack may lead to.
type outcome int

const (
	refused outcome = iota // nothing reaches the API
	passed                 // the request reaches the API
	lawful                 // it is refused, or reaches the API as it should
)

// An attack is what a client sends, byte for byte. {reader} and {writer} stand for tokens.
type attack struct {
	name, raw string
	want      outcome
	endless   bool // the proxy may wait for more than was sent
}

// asked is a request of the reader.
func asked(target string, header ...string) string { return send("GET", target, header...) }

// send returns a request of the reader, unless a header says who sends it.
func send(method, target string, header ...string) string {
	text := strings.Join(header, "\r\n")
	if text != "" {
		text += "\r\n"
	}
	if lower := "\n" + strings.ToLower(text); !strings.Contains(lower, "\nauthorization:") {
		text += "Authorization: Bearer {reader}\r\n"
	}
	if lower := "\n" + strings.ToLower(text); !strings.Contains(lower, "\nhost:") {
		text = "Host: app.example.com\r\n" + text
	}
	return method + " " + target + " HTTP/1.1\r\n" + text + "\r\n"
}

// forbiddenSpellings are ways to write /admin/x, which the reader may not see: every way to
// write a step up and what separates it, then spellings of the path itself.
func forbiddenSpellings() (list []string) {
	for _, step := range []string{
		"..", "%2e%2e", ".%2e", "%2E.", "%252e%252e", "..;", "..;a=b", "%c0%ae%c0%ae", "%e0%80%ae%e0%80%ae", "..%00", "..%20", "..%09", "..%0a", "%u002e%u002e", ".%00.", "%2e%2e%3b",
	} {
		for _, slash := range []string{"/", "%2f", "%252f", `\`, "%5c", "//", "/./", "%c0%af", ";/", "/;/", "%2F%2f", "/%2e/"} {
			list = append(list, "/api"+slash+step+slash+"admin/x")
		}
	}
	return append(list,
		"/admin/x", "/%61dmin/x", "/%61%64%6d%69%6e/x", "/admin%2fx", "/admin%2Fx", "/admin%5cx", `/admin\x`, "//admin/x", "///admin//x", "/./admin/x", "/%2e/admin/x", "/admin/./x",
		"/admin;/x", "/admin;a=b/x", "/;/admin/x", "/admin/x;", "/admin/x%00", "/admin/x%00/api/", "/admin%00/x", "/admin/x%0d%0aX-A:b", "/admin/x%20", "/admin/x%09", "/admin/x.", "/admin/x/", "/admin/x//", "/admin/x/.",
		"/admin/x#", "/admin/x#/../api/x", "/admin/x?", "/admin/x?/../../api/x", "/admin/x%3f/../api/x", "/admin/x%23/../../api/x", "/ADMIN/x", "/Admin/x", "/%41dmin/x", "/admin%20/x", "/%20admin/x", "/admin/%78",
		"/%2561dmin/x", "/%c1%a1dmin/x", "/%u0061dmin/x", "/%zzadmin/x", "/admin/x%", "/admin/x%2", "/healthz/../admin/x", "/healthz%2f..%2fadmin/x", "/healthz;/../admin/x", "/healthz/..;/admin/x", "/admin/x;/healthz", "/admin/../healthz/../admin/x",
		"/admin/..", "/admin/../", "/admin/../healthz", "/admin/%2e%2e/healthz", "/admin/..%2fhealthz", "/api/..", "/api/../", "/api", "/api/../healthz", "//healthz/../admin/x", "/HEALTHZ/../admin/x", "/healthz/", "/healthz/x", "/healthz%2f", "/healthz%00", "/healthz;x",
		"/", "*", "admin/x", "@/admin/x", "./admin/x", "http://app.example.com/admin/x", "http://app.example.com/api/../admin/x", "http://app.example.com//admin/x", "http://app.example.com", "http:/admin/x", "http:///admin/x",
		"https://app.example.com/admin/x", "HTTP://app.example.com/admin/x", "file:///admin/x", "//app.example.com/admin/x", "//app.example.com/../admin/x", "http://reader@app.example.com/admin/x", "http://app.example.com:80/admin/x",
		"/api/x/../../admin/x", "/api/x/..%2f..%2fadmin/x", "/api/x/%2e%2e/%2e%2e/admin/x", "/api/x/.././../admin/x", "/api/./../admin/x", "/api/../api/../admin/x", "/api/x/../../../../admin/x", "/api/..%252f..%252fadmin/x",
		"/api%2f../admin/x", "/api%2f%2e%2e%2fadmin%2fx", `/api/..\..\admin\x`, "/api/x%2f..%2f..%2fadmin/x", "/api/%2e%2e%2f%2e%2e%2fadmin/x", "/api/x\xff/../../admin/x", "/api/x%ff/../../admin/x", "/api/\xc0\xae\xc0\xae/admin/x", "/api/x\x7f/../../admin/x",
		"/api/x|/../../admin/x", "/api/x^/../../admin/x", "/api/x`/../../admin/x", "/api/{x}/../../admin/x", `/api/"x"/../../admin/x`, "/api/<x>/../../admin/x", "/api/x /../../admin/x", "/admin/x /api/x",
	)
}

// vectors are the targets whose verdict is settled.
func vectors() (list []attack) {
	for _, target := range []string{"/api/x", "/api/", "/api/x%20y", "/api/caf%C3%A9", "/api/a:b@c~d", "/%61pi/x", "/api/x?u=/../y", "/api/x?/../../admin/x", "/api/x?%00#", "/api/x?a=1&a=2;b"} {
		want := passed
		if strings.ContainsAny(target, "#") {
			want = lawful // a proxy may refuse it, or cut it
		}
		list = append(list, attack{"path " + target, asked(target), want, false})
	}
	for _, target := range []string{
		"/api//x", "//api/x", "/api/./x", "/api/../admin/x", "/admin/../api/x", "/api/%2e%2e/admin/x", "/api/..%2fadmin", "/api/a%2Fb", "/api/a%5cb", `/api\..\admin`, "/api/x;v=1", "/api/..;/admin", "/api/x%00", "/api/x%zz", "/api/x%",
		"/api/x%3fq", "/api/x%23", "/api/a%252e%252e/b", "/api/x/....//....//admin/x", "*",
	} {
		list = append(list, attack{"path " + target, asked(target), refused, false})
	}
	return append(list,
		attack{"path with a fragment", asked("/api/x#f"), lawful, false},
		attack{"whole URL", asked("http://evil.test/api/x"), lawful, false},
		attack{"whole URL of this host", asked("http://app.example.com/api/x"), lawful, false})
}

// spelledPaths are the spellings of what is forbidden, from the reader.
func spelledPaths() (list []attack) {
	for _, target := range forbiddenSpellings() {
		want := refused
		if strings.HasSuffix(target, "healthz") {
			want = lawful // a proxy may read it as the path that is open to all
		}
		list = append(list, attack{"spelling " + target, asked(target), want, false})
	}
	return list
}

var identityNames = []string{"X-Hallpass-Account-Id", "X-Hallpass-Account", "X-Hallpass-Org-Id", "X-Hallpass-Role", "X-Hallpass-Token-Id", "X-Hallpass-Subject"}

// overrides are headers with which some APIs let a client say which path or method it means.
var overrides = []string{
	"X-Original-Url", "X-Original-Uri", "X-Original-Method", "X-Rewrite-Url", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-Prefix",
}

// spelledNames returns names as servers may read them alike.
func spelledNames(names []string) (list []string) {
	for _, name := range names {
		list = append(list, name, strings.ToUpper(name), strings.ReplaceAll(name, "-", "_"), strings.ReplaceAll(name, "-", "."), strings.Replace(name, "-", "_", 1), strings.Replace(name, "-", ".", 2), strings.ToLower(strings.ReplaceAll(name, "-", "_")))
	}
	return list
}

// spoofed are requests that say who calls, and which path or method was meant.
func spoofed() (list []attack) {
	for _, name := range spelledNames(append([]string{"X-Hallpass-Jwt"}, identityNames...)) {
		list = append(list,
			attack{"spoofed " + name, asked("/api/x", name+": spoofed"), lawful, false},
			attack{"spoofed twice " + name, asked("/api/x", name+": spoofed", name+": spoofed"), lawful, false})
	}
	for _, name := range spelledNames(overrides) {
		list = append(list,
			attack{"override " + name, asked("/api/x", name+": /admin/spoofed"), lawful, false},
			attack{"excuse " + name, asked("/admin/x", name+": /api/spoofed", "X-Forwarded-Method: GET", "X-Original-Method: GET"), refused, false})
	}
	all := strings.Join(identityNames, ": spoofed\r\n") + ": spoofed"
	return append(list,
		attack{"spoofed, all six", asked("/api/x", all), lawful, false},
		attack{"spoofed, without a token", asked("/api/x", all, "Authorization: Basic "), refused, false},
		attack{"spoofed, at the open path", asked("/healthz", all), lawful, false},
		attack{"overridden at the open path", asked("/healthz", "X-Original-Url: /admin/spoofed", "X-Rewrite-Url: /admin/spoofed"), lawful, false},
		attack{"deletion, excused", send("DELETE", "/api/x", "X-Original-Method: GET", "X-Forwarded-Method: GET", "X-Original-Uri: /api/x", "X-Forwarded-Uri: /api/x"), refused, false},
		attack{"deletion, by override", asked("/api/x", "X-HTTP-Method-Override: spoofed-DELETE", "X-HTTP-Method: spoofed-DELETE", "X-Method-Override: spoofed-DELETE"), lawful, false},
		attack{"an address of the client's", asked("/api/x", "X-Forwarded-For: spoofed", "X-Real-Ip: spoofed"), passed, false})
}

// connections name headers in Connection, which a proxy removes for the next hop.
func connections() (list []attack) {
	for _, name := range append([]string{"Authorization", "X-Original-Uri", "X-Original-Method", "X-Forwarded-Uri", "X-Forwarded-Method", "X-Forwarded-For", "X-Real-Ip", "Host", "Content-Length", "Cookie"}, identityNames...) {
		list = append(list,
			attack{"Connection: " + name, asked("/api/x", "Connection: close, "+name), lawful, false},
			attack{"Connection: " + name + ", forbidden", asked("/admin/x", "Connection: close, "+name, "X-Original-Uri: /api/x", "X-Forwarded-Uri: /api/x"), refused, false})
	}
	return append(list,
		attack{"Connection: all", asked("/api/x", "Connection: "+strings.Join(identityNames, ", ")), lawful, false},
		attack{"Connection: in two", asked("/api/x", "Connection: close", "Connection: "+strings.Join(identityNames, ", ")), lawful, false},
		attack{"Proxy-Connection", asked("/api/x", "Proxy-Connection: "+strings.Join(identityNames, ", ")), lawful, false},
		attack{"upgrade to h2c", asked("/api/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"), lawful, false},
		attack{"upgrade to h2c, unconnected", asked("/api/x", "Upgrade: h2c"), lawful, false},
		attack{"upgrade to anything", asked("/api/x", "Connection: Upgrade", "Upgrade: spoofed/1"), lawful, false},
		attack{"upgrade to either", asked("/api/x", "Connection: Upgrade", "Upgrade: websocket, h2c"), lawful, false},
		attack{"upgrade twice", asked("/api/x", "Connection: Upgrade", "Upgrade: h2c", "Upgrade: websocket"), lawful, false})
}

// credentialsAndMethods are requests without the right to pass.
func credentialsAndMethods() []attack {
	bearer := "Authorization: Bearer {reader}"
	return []attack{
		{"no token", asked("/api/x", "Authorization:"), refused, false},
		{"two tokens", asked("/api/x", bearer, "Authorization: Bearer {writer}"), refused, false},
		{"twice the token", asked("/api/x", bearer, bearer), refused, false},
		{"two tokens in one header", asked("/api/x", bearer+", Bearer {writer}"), refused, false},
		{"an empty one first", asked("/api/x", "Authorization:", bearer), refused, false},
		{"token with a tab", asked("/api/x", "Authorization: Bearer\t{reader}"), refused, false},
		{"token in the query", asked("/api/x?access_token={reader}&auth={reader}", "Authorization:"), refused, false},
		{"token in a cookie", asked("/api/x", "Authorization:", "Cookie: grafana_session={reader}; token={reader}"), refused, false},
		{"token elsewhere", asked("/api/x", "Authorization:", "Proxy-Authorization: Bearer {reader}", "X-Api-Key: {reader}", "X_Authorization: Bearer {reader}"), refused, false},
		{"name with a space", asked("/api/x", "Authorization : Bearer {reader}", "Authorization:"), refused, false},
		{"folded token", asked("/api/x", "Authorization: Bearer\r\n {reader}"), lawful, false},
		{"a token that is cut", asked("/api/x", "Authorization: Bearer glsa_"), refused, false},
		{"a password", asked("/api/x", "Authorization: Basic YWRtaW46dmlvbGV0IGxhbXBzIGh1bSBhdCBub29u"), refused, false},
		{"writing", send("POST", "/api/x", "Content-Length: 0"), refused, false},
		{"deleting", send("DELETE", "/api/x"), refused, false},
		{"small letters", send("get", "/api/x"), refused, false},
		{"mixed letters", send("Get", "/admin/x"), refused, false},
		{"HEAD", send("HEAD", "/api/x"), passed, false},
		{"HEAD, forbidden", send("HEAD", "/admin/x"), refused, false},
		{"OPTIONS", send("OPTIONS", "/api/x"), refused, false},
		{"OPTIONS *", send("OPTIONS", "*"), refused, false}, // some answer it themselves
		{"preflight", send("OPTIONS", "/api/x", "Authorization:", "Origin: https://evil.test", "Access-Control-Request-Method: DELETE"), refused, false},
		{"TRACE", send("TRACE", "/api/x", "Max-Forwards: 5"), refused, false},
		{"TRACE, forbidden", send("TRACE", "/admin/x", "Max-Forwards: 0"), refused, false},
		{"CONNECT", send("CONNECT", "app.example.com:443"), refused, false},
		{"CONNECT with a path", send("CONNECT", "/api/x"), refused, false},
		{"a method of its own", send("PURGE", "/api/x"), refused, false},
		{"a method with a space", send("GET /api/x", "/admin/x"), refused, false},
		{"a method of punctuation", send("!#$%&'*+-.^_`|~", "/api/x"), refused, false},
		{"a long method", send(strings.Repeat("A", 3000), "/api/x"), refused, false},
		{"no method", " /api/x HTTP/1.1\r\nHost: app.example.com\r\n\r\n", refused, false},
		{"HTTP/0.9", "GET /admin/x\r\n\r\n", refused, false},
		{"HTTP/0.9, allowed path", "GET /api/x\r\n\r\n", refused, false},
		{"HTTP/1.0", "GET /api/x HTTP/1.0\r\n" + bearer + "\r\n\r\n", lawful, false},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00", refused, true},
		{"HTTP/9.9", "GET /api/x HTTP/9.9\r\nHost: app.example.com\r\n" + bearer + "\r\n\r\n", lawful, false},
		{"no host", "GET /api/x HTTP/1.1\r\n" + bearer + "\r\n\r\n", lawful, false},
		{"two hosts", asked("/api/x", "Host: app.example.com", "Host: evil.test"), lawful, false},
		{"host with a path", asked("/api/x", "Host: app.example.com/admin/x?"), lawful, false},
		{"host with steps", asked("/api/x", "Host: app.example.com/../admin"), lawful, false},
		{"referer and others", asked("/admin/x", "Referer: /api/x", "Forwarded: for=127.0.0.1;host=x;proto=http", "X-Forwarded-Server: x", "Max-Forwards: 0", "Range: bytes=0-", "If-Match: *"), refused, false},
	}
}

// smuggled hides a request to /admin/smuggled from the proxy, or tries to.
func smuggled() (list []attack) {
	const inner = "GET /admin/smuggled HTTP/1.1\r\nHost: app.example.com\r\nX-Hallpass-Account-Id: spoofed\r\n\r\n"
	for _, tt := range []struct{ name, header, body string }{
		{"CL and TE", fmt.Sprintf("Content-Length: %d\r\nTransfer-Encoding: chunked", 5+len(inner)), "0\r\n\r\n" + inner},
		{"TE and a short CL", "Transfer-Encoding: chunked\r\nContent-Length: 4", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(inner), inner)},
		{"two CL", fmt.Sprintf("Content-Length: 0\r\nContent-Length: %d", len(inner)), inner},
		{"two CL, the other way", fmt.Sprintf("Content-Length: %d\r\nContent-Length: 0", len(inner)), inner},
		{"CL in a list", fmt.Sprintf("Content-Length: 0, %d", len(inner)), inner},
		{"CL with a sign", fmt.Sprintf("Content-Length: +%d", len(inner)), inner},
		{"CL in hex", fmt.Sprintf("Content-Length: 0x%x", len(inner)), inner},
		{"negative CL", "Content-Length: -1", inner},
		{"CL too large", "Content-Length: 18446744073709551617", inner},
		{"CL with a space in its name", fmt.Sprintf("Content-Length : %d\r\nContent-Length: 0", len(inner)), inner},
		{"CL with an underscore", fmt.Sprintf("Content_Length: %d", len(inner)), inner},
		{"TE with a space", "Transfer-Encoding : chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE with an underscore", "Transfer_Encoding: chunked", "0\r\n\r\n" + inner},
		{"TE after a tab", "Transfer-Encoding:\tchunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE after a vertical tab", "Transfer-Encoding: \x0bchunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE folded", "Transfer-Encoding:\r\n chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE behind a folded line", "X-A: b\r\n Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE behind a bare CR", "X-A: b\rTransfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE behind a bare LF", "X-A: b\nTransfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE behind a NUL", "X-A: b\x00Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE unknown", "Transfer-Encoding: xchunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE identity", "Transfer-Encoding: identity\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE in a list", "Transfer-Encoding: chunked, identity\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE twice", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE quoted", "Transfer-Encoding: \"chunked\"\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"TE dropped by Connection", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n" + inner},
		{"CL dropped by Connection", fmt.Sprintf("Connection: Content-Length\r\nContent-Length: %d", len(inner)), inner},
		{"a chunk of odd size", "Transfer-Encoding: chunked", "0x0\r\n\r\n" + inner},
		{"a chunk of negative size", "Transfer-Encoding: chunked", "-0\r\n\r\n" + inner},
		{"a chunk too large", "Transfer-Encoding: chunked", "fffffffffffffffff1\r\n" + inner},
		{"a chunk without its CR", "Transfer-Encoding: chunked", "1\nZ\n0\n\n" + inner},
		{"a chunk with an extension", "Transfer-Encoding: chunked", "0;a=\"\n\r\n\r\n" + inner},
		{"a trailer", "Transfer-Encoding: chunked\r\nTrailer: X-Hallpass-Account-Id", "1\r\nZ\r\n0\r\nX-Hallpass-Account-Id: spoofed\r\nAuthorization: Bearer spoofed\r\n\r\n"},
		{"an unasked body", "X-A: b", inner},
		{"a header that never ends", "X-A: b\r\n\r\n" + inner + "X-A", ""},
		{"expectation", fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d", len(inner)), inner},
	} {
		list = append(list,
			attack{"smuggled, writing: " + tt.name, send("POST", "/api/x", "Authorization: Bearer {writer}", tt.header) + tt.body, lawful, true},
			attack{"smuggled, reading: " + tt.name, asked("/api/x", tt.header) + tt.body, lawful, true},
			attack{"smuggled, refused: " + tt.name, send("POST", "/api/x", tt.header) + tt.body, refused, true},
			attack{"smuggled, open: " + tt.name, asked("/healthz", tt.header) + tt.body, lawful, true})
	}
	return list
}

// large are requests of unusual size.
func large() []attack {
	many := make([]string, 1000)
	for i := range many {
		many[i] = fmt.Sprintf("X-Many-%d: %d", i, i)
	}
	return []attack{
		{"a target of 9,000 bytes", asked("/api/" + strings.Repeat("x", 9000)), passed, false},
		{"a query of 9,000 bytes", asked("/api/x?q=" + strings.Repeat("x", 9000)), passed, false},
		{"a forbidden target of 9,000 bytes", asked("/admin/" + strings.Repeat("x", 9000)), refused, false},
		{"a step behind 9,000 bytes", asked("/api/" + strings.Repeat("x", 9000) + "/../../admin/x"), refused, false},
		{"a target of 64 KB", asked("/api/" + strings.Repeat("x", 64<<10)), lawful, false},
		{"a header of 64 KB", asked("/api/x", "X-Large: "+strings.Repeat("x", 64<<10)), lawful, false},
		{"a forbidden header of 64 KB", asked("/admin/x", "X-Large: "+strings.Repeat("x", 64<<10)), refused, false},
		{"a token of 64 KB", asked("/api/x", "Authorization: Bearer "+strings.Repeat("x", 64<<10)), refused, false},
		{"a user agent of 7 KB", asked("/api/x", "User-Agent: "+strings.Repeat("x", 7000)), lawful, false},
		{"a name of 64 KB", asked("/api/x", strings.Repeat("x", 64<<10)+": a"), lawful, false},
		{"1,000 headers", asked("/api/x", many...), lawful, false},
		{"a host of 4 KB", asked("/api/x", "Host: "+strings.Repeat("x", 4000)), lawful, false},
	}
}

// allAttacks is the whole table.
func allAttacks() (list []attack) {
	for _, part := range []func() []attack{vectors, spelledPaths, spoofed, connections, credentialsAndMethods, smuggled, large} {
		list = append(list, part()...)
	}
	return list
}

// randomAttack puts pieces of attacks together.
func randomAttack(r *rand.Rand) attack {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	target := pick("/", "/", "/", "/api/", "/api/", "/admin/", "//", "", "http://app.example.com/", `\`, "*")
	for range r.IntN(8) {
		target += pick("/", "/", "//", "api", "admin", "x", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", `\`, ";", ";a=b", "%00", "%252e", "?", "#", "%", "%zz", "healthz", "API", "%20", "%c0%af", "%c0%ae", "@", ":", "\xc3\xa9", "%0d%0a", "+", "&", "%u002e", "..;", "/api/", "/admin/")
	}
	var header []string
	for range r.IntN(3) {
		name := pick(append(spelledNames(append(overrides, identityNames...)), "Connection", "Upgrade", "Content-Length", "Transfer-Encoding", "Host", "X-A", "Trailer", "TE", "Expect")...)
		header = append(header, name+": "+pick("spoofed", "/api/spoofed", "close", "chunked", "0", "h2c", "websocket", "X-Hallpass-Account-Id", "Authorization", "app.example.com", "100-continue"))
	}
	method := pick("GET", "GET", "GET", "GET", "POST", "HEAD", "get", "DELETE", "OPTIONS", "TRACE", "X")
	raw := send(method, target, header...)
	return attack{fmt.Sprintf("random %q", raw), raw, lawful, true}
}
