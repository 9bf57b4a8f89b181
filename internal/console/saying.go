package console

import (
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// saying is an entry of the audit as a sentence: who did what to what.
type saying struct {
	At     timestamp
	icon   string
	Class  string // of the icon: "warn" for a refusal
	Who    link
	Actor  string // when Who names nobody
	Verb   string
	What   link   // empty: the thing that the page is about
	Detail string // after a colon; empty: nothing to add
	Badge  string
	From   string
	Client string
}

// Icon names the drawing of what was done.
func (s saying) Icon() string {
	if s.icon == "" {
		return "list"
	}
	return s.icon
}

// about is what a page of sentences is about: an account, or one of its tokens.
type about struct {
	itself  string // the thing, as the audit writes it
	account hallpass.ServiceAccount
}

// sayings returns a page of the entries that f picks as sentences, and the cursor of
// the next one.
func (req *request) sayings(f hallpass.AuditFilter, on about) (list []saying, next hallpass.AuditCursor, err error) {
	page, err := req.o.Admin.Audit(req.Context(), req.caller, f)
	if err != nil {
		return nil, next, err
	}
	rows := make([]auditRow, len(page.Entries))
	for i, e := range page.Entries {
		rows[i] = req.auditRow(e)
	}
	if err := req.nameEntries(rows); err != nil {
		return nil, next, err
	}
	for _, r := range rows {
		list = append(list, on.saying(r))
	}
	return list, page.Next, nil
}

// saying returns the entry as a sentence. What the page is about needs no name in it.
func (o about) saying(r auditRow) saying {
	words, known := auditVerbs[r.Action]
	s := saying{At: r.At, icon: words.icon, Who: o.short(r.Who), Actor: r.Actor, Verb: words.verb, What: o.short(r.What), From: r.Address, Client: r.Client}
	if s.Actor == "" {
		s.Actor = "Hallpass"
	}
	if !known {
		s.Verb = r.Action + ":"
	}
	if r.Target == o.itself {
		s.What = link{}
		if known {
			s.Verb = strings.TrimSuffix(s.Verb, " the token") + " it"
		}
	}
	s.Detail = strings.TrimPrefix(strings.TrimPrefix(r.Reason, "for "+o.account.Login), ", ") + r.Said.Name
	if r.entry.Outcome == hallpass.Refused {
		o.refused(&s, r)
	}
	return s
}

// short leaves the account's name out of that of its token.
func (o about) short(t link) link {
	t.Name = strings.TrimSuffix(t.Name, " of "+o.account.Name)
	return t
}

// refused makes the sentence that of a refusal.
func (o about) refused(s *saying, r auditRow) {
	s.icon, s.Class, s.Badge = "ban", "warn", "Refused"
	if r.Count > 1 {
		s.Badge += ", " + grouped(r.Count) + " times"
	}
	switch words, known := refusalReasons[r.Reason]; {
	case r.Action == "token.verify":
		s.Verb, s.What, s.Detail = "was refused", link{}, r.Reason
		if known {
			s.Detail = words
		}
	case hallpass.Action(r.Action).Valid():
		s.Verb, s.What, s.Detail = "lacks the permission "+lacked(r), link{}, ""
	default:
		s.Verb = "was refused: " + strings.TrimSuffix(s.Verb, ":")
	}
	switch {
	case r.Token == 0:
	case o.itself == "token:"+idText(int64(r.Token)):
		s.Who, s.Actor = link{}, "It"
	case r.Used.Name != "":
		s.Who = o.short(r.Used)
	}
}

// lacked returns the permission that was missing, with its scope if the refusal names one.
func lacked(r auditRow) string {
	if p, ok := strings.CutPrefix(r.Reason, "lacks "); ok {
		return p
	}
	return r.Action
}

// auditVerbs say what the actions of the audit do. What an action is done to stands
// behind its verb.
var auditVerbs = map[string]struct{ icon, verb string }{
	"permission.set":         {"lock", "gave or took access to"},
	"role.assign":            {"badge", "gave a role to"},
	"role.unassign":          {"badge", "took a role from"},
	"role.assignments.set":   {"badge", "set the assignments of"},
	"roles.set":              {"badge", "set the roles of"},
	"serviceaccount.create":  {"plus", "created"},
	"serviceaccount.delete":  {"trash", "deleted"},
	"serviceaccount.disable": {"ban", "disabled"},
	"serviceaccount.enable":  {"play", "enabled"},
	"serviceaccount.update":  {"pencil", "changed"},
	"team.member.set":        {"team", "made a member of a team:"},
	"team.member.remove":     {"team", "removed from a team:"},
	"token.create":           {"key", "made the token"},
	"token.delete":           {"trash", "revoked the token"},
	"token.extend":           {"clock", "gave more time to the token"},
	"token.pause":            {"pause", "paused the token"},
	"token.reissue":          {"rotate", "gave a new secret to the token"},
	"token.resume":           {"play", "resumed the token"},
	"token.retire":           {"clock", "ended the token"},
	"token.rotate":           {"rotate", "rotated the token"},
	"token.undo":             {"rotate", "took back the rotation of the token"},
	"token.update":           {"pencil", "changed the token"},
	"token.verify":           {"key", "was used"},
}

// refusalReasons say why a token was refused.
var refusalReasons = map[string]string{
	"api-key.expired":               "it has expired",
	"api-key.network":               "the address is outside of its networks",
	"api-key.organization-mismatch": "the request names another organization than the token's",
	"api-key.paused":                "it is paused",
	"api-key.rate-limited":          "it was used too often",
	"api-key.revoked":               "it is revoked",
	"api-key.rotated":               "another token has replaced it",
	"identity.disabled":             "the service account is disabled",
}
