package hallpass

import (
	"net/textproto"
	"slices"
	"strings"
)

// untold are headers that no API behind a guard gets from a client: the credential,
// and what some frameworks take for another method, path, host or client than those
// that the rules were asked about.
var untold = func() map[string]bool {
	set := make(map[string]bool)
	for _, name := range []string{
		"Authorization", "Proxy", "Forwarded",
		"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Forwarded-Scheme", "X-Forwarded-Ssl",
		"X-Forwarded-Prefix", "X-Forwarded-Path", "X-Forwarded-Uri", "X-Forwarded-Method",
		"X-Real-Ip", "X-Client-Ip", "True-Client-Ip", "X-Cluster-Client-Ip", "X-Original-Host", "X-Original-Method", "X-Original-Uri", "X-Original-Url",
		"X-Rewrite-Url", "X-Http-Method", "X-Http-Method-Override", "X-Method-Override", "X-Host", "X-Url-Scheme",
	} {
		set[name] = true
	}
	return set
}()

// UntoldHeader reports whether no API behind a guard gets the header from a client. Of
// Cookie it gets what is not ours. The name is as PlainHeader returns it.
func UntoldHeader(name string) bool { return untold[name] }

// PlainHeader returns the header as which some servers read it: its canonical name,
// with "-" for "_" and ".", because CGI, WSGI and PHP read all three as one.
func PlainHeader(name string) string {
	if strings.ContainsAny(name, "_.") {
		name = spelling.Replace(name)
	}
	return textproto.CanonicalMIMEHeaderKey(name)
}

var spelling = strings.NewReplacer("_", "-", ".", "-")

// unsettable are headers that belong to the connection, to the proxy or to Hallpass.
var unsettable = []string{
	"Authorization", "Connection", "Content-Length", "Cookie", "Host", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization",
	"Set-Cookie", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Www-Authenticate", "X-Envoy-Auth-Headers-To-Remove",
}

// settable reports whether a rule may set the header.
func settable(name string) bool {
	key := textproto.CanonicalMIMEHeaderKey(name)
	return httpToken(name) && !slices.Contains(unsettable, key) && !IdentityHeader(name)
}

// readable reports whether a rule may take a value from the header of a client: what a
// rule reads the API gets too, and refusals tell it. A credential is neither told nor
// handed on, and no API shall believe what a client says of itself or of its request.
func readable(name string) bool {
	return settable(PlainHeader(name)) && !UntoldHeader(PlainHeader(name))
}
