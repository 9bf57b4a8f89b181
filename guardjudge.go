package hallpass

// A GuardRequest is the request to a protected API that a guard judges.
type GuardRequest struct {
	Method string
	Target string              // raw, with its query, which never decides
	Header map[string][]string // of the original request, by canonical names; read for captures and preflights
}

// A Judged is what the rules of a guard say about a request, whoever sent it.
type Judged struct {
	Path     string        // canonical; "" if it is not
	Rule     *CompiledRule // the first that matches; nil if none does
	Captured Captured
	Public   bool   // it passes without a token
	Err      *Error // Denied: it passes for nobody
}

// Judge finds the rule for the request and what it captures. Permit then says whether
// a caller may send the request. Judge allocates nothing for a path without percent
// signs that is not refused.
func (s *Ruleset) Judge(q GuardRequest) (j Judged) {
	if q.Method == "" || q.Target == "" {
		j.Err = errOriginalUnknown
		return j
	}
	var canonical bool
	if j.Path, canonical = s.Canonical(q.Target); !canonical {
		j.Path, j.Err = "", errNotCanonical
		return j
	}
	if s.Guard.AllowPreflight && preflight(q) {
		j.Public = true
		return j
	}
	if j.Rule = s.Match(q.Method, j.Path); j.Rule == nil {
		j.Err = errNoRule
		return j
	}
	j.Public = j.Rule.Need.Kind == NeedNothing
	j.Captured, j.Err = j.Rule.Capture(j.Path, q.Header)
	return j
}

// Permit returns a Denied error that says why, unless the caller may send the request
// that was judged.
func (s *Ruleset) Permit(j *Judged, c Caller) *Error {
	switch {
	case c.Org != s.Guard.Org:
		return errOtherOrg
	case j.Err != nil:
		return j.Err
	case j.Public:
		return nil
	}
	return j.Rule.Authorize(s.Guard.Name, c, &j.Captured)
}

// preflight reports whether the request asks, for a browser, what may be asked (the
// Fetch standard, CORS-preflight). It carries no token.
func preflight(q GuardRequest) bool {
	return q.Method == "OPTIONS" && len(q.Header["Origin"]) == 1 && len(q.Header["Access-Control-Request-Method"]) == 1
}

// The refusals that hold for everybody.
var (
	errOriginalUnknown = &Error{Kind: Denied, ID: "original-request-unknown",
		Message: "The proxy did not say, exactly once, which method and path the client asked for, or Hallpass does not trust this proxy"}
	errNotCanonical = &Error{Kind: Denied, ID: "path-not-canonical", Message: "The path is written in a way that two servers could read differently"}
	errNoRule       = &Error{Kind: Denied, ID: "guard.no-rule", Message: "No rule of the guard matches this request"}
	errOtherOrg     = &Error{Kind: Denied, ID: "guard.other-org", Message: "The token belongs to another organization than the guard"}
)
