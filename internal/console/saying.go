package console

import (
	"regexp"
	"slices"
	"strings"
	"time"

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
	What   link     // empty: the thing that the page is about
	Toward string   // "to" or "from", before To
	To     link     // to whom, or from whom; empty: nobody
	Detail []phrase // after a colon; none: nothing to add
	Badge  string
	Advice string // what to do about a refusal
	Code   string // the refusal as the API writes it
	From   string
	Client string
}

// phrase is a part of a text: words, or what the link names.
type phrase struct {
	Text string
	Link link // with an ID: it stands in place of Text
}

// plain is a text without a link; empty: no text.
func plain(text string) []phrase {
	if text == "" {
		return nil
	}
	return []phrase{{Text: text}}
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
	if slices.Contains(aboutNothing, r.Action) || s.What.ID == "" {
		s.What, s.Verb = link{}, strings.TrimSuffix(s.Verb, " about")
	}
	s.tell(r)
	if r.Said.ID != "" {
		if s.Toward, s.Detail = strings.TrimSpace(r.Reason), nil; s.Toward == "" {
			s.Toward = sayingToward(r.Action)
		}
		s.To = o.short(r.Said)
	}
	if r.entry.Outcome == hallpass.Refused {
		o.refused(&s, r)
	}
	return s
}

// aboutNothing are the actions whose sentence is whole without the thing they were done to.
var aboutNothing = []string{"audit.prune", hallpass.MoreRefusals, "role.reset", "session.create", "session.end"}

// sayingToward is the word before whom or what an action names behind its thing.
func sayingToward(action string) string {
	if action == "user.org" {
		return "to"
	}
	return "of"
}

// tell fills in what the entry adds to its sentence: not what the sentence says already. What
// is known by its name in the text alone, such as a channel, gets it from there.
func (s *saying) tell(r auditRow) {
	text := auditFor.ReplaceAllString(r.Reason, "")
	if m := auditName.FindStringSubmatch(text); m != nil {
		name, rest := m[2], m[3]
		if s.What.ID != "" && s.What.Name == "" && s.What.Kind == "" {
			s.What.Name = name
		}
		if whole := s.What.Name; whole == name || strings.HasPrefix(whole, name+" of ") {
			text = rest
		}
	}
	if path, ok := strings.CutPrefix(s.What.ID, "path:"); ok {
		s.What.Name = path
	}
	if m := auditBasic.FindStringSubmatch(text); m != nil {
		s.Toward, s.To, text = m[1], link{ID: m[2], Name: "the " + m[2]}, ""
	}
	s.Detail = withLinks(dated(shorter(r.Action, text)), r.others)
}

// shorter leaves out of a text of the audit what the verb of the action says, and has the
// title of a section in place of its key.
func shorter(action, text string) string {
	switch action {
	case "audit.prune", "token.prune":
		return strings.TrimPrefix(text, "deleted ")
	case "identity.create", "identity.delete":
		return strings.TrimPrefix(text, "by ")
	case "token.create":
		return strings.Replace(text, "replaces token", "it replaces token", 1)
	case "token.rotate": // "by token 7, ends by 2027-09-25T05:53:46Z"
		if by, rest, ok := strings.Cut(strings.TrimPrefix(text, "by "), ", ends by "); ok {
			return by + " replaces it, and it ends by " + rest
		}
	case "token.reissue":
		return strings.TrimSuffix(text, ", and the token has another secret")
	case "attention.snooze", "attention.wake":
		key, rest, _ := strings.Cut(text, " ")
		if title := hallpass.AttentionSection(key).Title(); title != "" {
			return strings.TrimSpace("“" + title + "” " + rest)
		}
	case "token.update":
		if names, ok := strings.CutPrefix(text, "name "); ok { // "old to new"
			return "the name from " + names
		}
	default: // of what is called otherwise today, or is deleted
		if m := auditName.FindStringSubmatch(text); m != nil {
			return "the " + m[1] + " is " + strings.TrimPrefix(text, m[1]+" ")
		}
	}
	return text
}

// The parts of a text of the audit that only programs read.
var (
	auditFor   = regexp.MustCompile(`^for \S+(?:, )?`)
	auditBasic = regexp.MustCompile(`^(to|from) (basic role \w+)$`)
	auditName  = regexp.MustCompile(`^(name|title|login) ([^,:]+)(?:[,:] (.*))?$`)
	auditTime  = regexp.MustCompile(`\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z`)
	auditToken = regexp.MustCompile(`\btoken (\d+)\b`)
)

// withLinks returns a text of the audit with links to the tokens that it numbers. One that nobody
// can name stays a number.
func withLinks(text string, tokens map[string]link) (parts []phrase) {
	for _, numbered := range auditToken.FindAllString(text, -1) {
		if tokens[numbered].Name == "" {
			continue
		}
		before, after, _ := strings.Cut(text, numbered)
		parts, text = append(append(parts, plain(before)...), phrase{Link: tokens[numbered]}), after
	}
	return append(parts, plain(text)...)
}

// dated returns a text of the audit with times as pages have them.
func dated(text string) string {
	return auditTime.ReplaceAllStringFunc(text, func(at string) string {
		t, err := time.Parse(time.RFC3339, at)
		if err != nil { // a time that looks like one and is none stays
			return at
		}
		return timestamp{at: t}.Date()
	})
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
	switch known := refusals[r.Reason]; {
	case r.Action == hallpass.TokenVerify, r.Action == "guard.request":
		s.Verb, s.What, s.Detail, s.Code = "was refused", link{}, plain(known.why), r.Reason
		if known.why == "" {
			s.Verb, s.Detail = "was refused for a reason of its own", nil
		}
		s.Advice = known.advice
	case hallpass.Action(r.Action).Valid() && (r.Reason == "" || strings.HasPrefix(r.Reason, "lacks ")):
		s.Verb, s.What, s.Detail = "lacks the permission "+lacked(r), link{}, nil
	case hallpass.Action(r.Action).Valid():
		s.Verb, s.What, s.Detail, s.Code, s.Advice = "was refused "+r.Action, link{}, plain(known.why), r.Reason, known.advice
	case refusedVerbs[r.Action] != "":
		s.Verb = refusedVerbs[r.Action]
		if known.why == "" && !strings.Contains(r.Reason, " ") {
			s.Detail, s.Code = nil, r.Reason
		}
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

// refusedVerbs say what was tried by the refusals that have an action of their own.
var refusedVerbs = map[string]string{
	hallpass.MoreRefusals:  "was refused more often",
	"password.change":      "tried to change the password of",
	"password.verify":      "gave a wrong password, or too many, for",
	"request.cross-origin": "sent a form from another site to",
}

// lacked returns the permission that was missing, with its scope if the refusal names one.
func lacked(r auditRow) string {
	if p, ok := strings.CutPrefix(r.Reason, "lacks "); ok {
		return p
	}
	return r.Action
}

// auditVerbs say what the actions of the audit do, all of hallpass.AuditActions. What an
// action is done to stands behind its verb. Those without an icon are not among the changes
// that the home page shows.
var auditVerbs = map[string]struct{ icon, verb string }{
	"permission.set":         {"lock", "gave or took access to"},
	"role.assign":            {"badge", "gave the role"},
	"role.unassign":          {"badge", "took the role"},
	"role.assignments.set":   {"badge", "set the assignments of"},
	"roles.set":              {"badge", "set the roles of"},
	"serviceaccount.create":  {"plus", "created"},
	"serviceaccount.delete":  {"trash", "deleted"},
	"serviceaccount.disable": {"ban", "disabled"},
	"serviceaccount.enable":  {"play", "enabled"},
	"serviceaccount.update":  {"pencil", "changed"},
	"team.member.set":        {"team", "changed the members of the team"},
	"team.member.remove":     {"team", "removed a member of the team"},
	"token.create":           {"key", "made the token"},
	"token.delete":           {"trash", "revoked the token"},
	"token.extend":           {"clock", "changed the end of the token"},
	"token.pause":            {"pause", "paused the token"},
	"token.reissue":          {"rotate", "gave a new secret to the token"},
	"token.resume":           {"play", "resumed the token"},
	"token.retire":           {"clock", "ended the token"},
	"token.rotate":           {"rotate", "rotated the token"},
	"token.undo":             {"rotate", "took back the rotation of the token"},
	"token.update":           {"pencil", "changed the token"},
	"attention.snooze":       {"", "put off what needs doing about"},
	"attention.wake":         {"", "no longer puts off what needs doing about"},
	"audit.prune":            {"", "deleted old entries of the audit log"},
	"channel.create":         {"", "created the channel"},
	"channel.delete":         {"", "deleted the channel"},
	"channel.disable":        {"", "turned off the channel"},
	"channel.retry":          {"", "sent again what had failed on the channel"},
	hallpass.ChannelTest:     {"", "sent a test to the channel"},
	"channel.update":         {"", "changed the channel"},
	"dashboard.create":       {"", "created the dashboard"},
	"dashboard.delete":       {"", "deleted the dashboard"},
	"dashboard.update":       {"", "changed the dashboard"},
	"database.write":         {"", "wrote to the database"},
	"folder.create":          {"", "created the folder"},
	"folder.delete":          {"", "deleted the folder"},
	"folder.move":            {"", "moved the folder"},
	"folder.update":          {"", "changed the folder"},
	"guard.create":           {"", "created the guard"},
	"guard.delete":           {"", "deleted the guard"},
	"guard.request":          {"", "sent a request to the guard"},
	"guard.update":           {"", "changed the guard"},
	"history.reapply":        {"", "made up for what the database had lost about"},
	"identity.create":        {"", "connected a company account to the user"},
	"identity.delete":        {"", "disconnected a company account from the user"},
	"installation.begin":     {"", "set up Hallpass with the user"},
	"member.add":             {"", "gave a membership of the organization to"},
	"member.remove":          {"", "ended the membership of"},
	"member.update":          {"", "changed the membership of"},
	"org.create":             {"", "created the organization"},
	"org.current":            {"", "changed to the organization"},
	"org.delete":             {"", "deleted the organization"},
	"org.preferences":        {"", "changed the preferences of the organization"},
	"org.token-policy":       {"", "changed the token policy of the organization"},
	"org.update":             {"", "changed the organization"},
	"password.change":        {"", "changed the password of"},
	"password.reset":         {"", "reset the password of"},
	"password.set":           {"", "set the password of"},
	"password.verify":        {"", "signed in with a password as"},
	hallpass.MoreRefusals:    {"", "was refused more often"},
	"request.cross-origin":   {"", "sent a form from another site to"},
	"role.create":            {"", "created the role"},
	"role.delete":            {"", "deleted the role"},
	"role.reset":             {"", "reset the basic roles"},
	"role.update":            {"", "changed the role"},
	"session.create":         {"", "signed in"},
	"session.end":            {"", "ended a session"},
	"team.create":            {"", "created the team"},
	"team.delete":            {"", "deleted the team"},
	"team.group.add":         {"", "connected a group to the team"},
	"team.group.remove":      {"", "disconnected a group from the team"},
	"team.members.set":       {"", "set the members of the team"},
	"team.preferences":       {"", "changed the preferences of the team"},
	"team.update":            {"", "changed the team"},
	"token.revoke":           {"", "revoked the token"},
	"token.stale":            {"", "warned of the unused token"},
	"token.prune":            {"", "deleted tokens of"},
	"user.create":            {"", "created the user"},
	"user.delete":            {"", "deleted the user"},
	"user.demote":            {"", "took the rights of a server admin from"},
	"user.disable":           {"", "disabled the user"},
	"user.enable":            {"", "enabled the user"},
	"user.logout":            {"", "signed out the user"},
	"user.org":               {"", "switched the organization of"},
	"user.preferences":       {"", "changed the preferences of"},
	"user.promote":           {"", "gave the rights of a server admin to"},
	"user.self":              {"", "changed the own profile of"},
	"user.sync":              {"", "took over from the provider what it says about"},
	"user.update":            {"", "changed the user"},
	hallpass.TokenVerify:     {"key", "used the token"},
}
