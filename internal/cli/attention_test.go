package cli_test

import (
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	domain "github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/wire"
)

// attentionRows returns a row of each section for each action and each reason of it.
func attentionRows() (rows []wire.AttentionRow) {
	now := time.Now()
	at := func(d time.Duration) *time.Time {
		t := now.Add(d)
		return &t
	}
	add := func(section domain.AttentionSection, do domain.AttentionAction, reason string) *wire.AttentionRow {
		subject := domain.Subject{Kind: section.Subjects(), ID: 7}
		what := domain.AttentionRow{Section: section, Action: do, Reason: reason, From: domain.From{Address: "203.0.113.9"}, Lower: domain.RoleViewer}
		r := wire.AttentionRow{
			Section: string(section), Subject: subject.String(), Action: string(do), Reason: reason, What: what.What(), Count: 3, Address: "203.0.113.9",
			Since: at(-time.Hour), Last: at(-time.Minute), Created: at(-9 * 24 * time.Hour), LastUsedAt: at(-time.Minute), Expiration: at(24 * time.Hour), ClosesAt: at(time.Hour),
		}
		switch subject.Kind {
		case domain.TokenSubject:
			r.TokenID, r.Token, r.ServiceAccountID, r.ServiceAccount = 7, "deploy", 2, "ci"
		case domain.AccountSubject:
			r.ServiceAccountID, r.ServiceAccount, r.LowerRole, r.LastUsedAt = 2, "dashboard-sync", "Viewer", nil
		case domain.ChannelSubject:
			r.Channel = "pager"
		case domain.GuardSubject:
			r.Guard, r.Rule = "prometheus", 2
		default:
		}
		rows = append(rows, r)
		return &rows[len(rows)-1]
	}
	for reason, do := range map[string]domain.AttentionAction{
		"api-key.expired": domain.ActionReissue, "api-key.revoked": domain.ActionCreate, "api-key.paused": domain.ActionResume, "identity.disabled": domain.ActionEnable,
		"api-key.network": domain.ActionSetNetworks,
	} {
		add(domain.AttentionFailing, do, reason)
	}
	add(domain.AttentionFailing, domain.ActionShowTries, "api-key.revoked")
	add(domain.AttentionFailing, domain.ActionShowSuccessor, "api-key.rotated").ReplacedByID = 8
	add(domain.AttentionFailing, domain.ActionShowSuccessor, "api-key.revoked")
	add(domain.AttentionExpiring, domain.ActionRotate, "")
	add(domain.AttentionExpiring, domain.ActionLetEnd, "").LastUsedAt = nil
	add(domain.AttentionOverlaps, domain.ActionRetire, "")
	add(domain.AttentionOverlaps, domain.ActionExtend, "")
	add(domain.AttentionOverlaps, domain.ActionRotate, "")
	add(domain.AttentionOverlaps, domain.ActionResume, "")
	add(domain.AttentionNeverUsed, domain.ActionRevoke, "")
	add(domain.AttentionIdle, domain.ActionPause, "")
	add(domain.AttentionNeverEnds, domain.ActionSetEnd, "").LastUsedAt = nil
	add(domain.AttentionAboveLimit, domain.ActionRotate, "")
	add(domain.AttentionNoOwner, domain.ActionSetOwner, "")
	add(domain.AttentionMorePower, domain.ActionLowerRole, "")
	add(domain.AttentionChannels, domain.ActionFixChannel, "the server answered 500 Internal Server Error and a text that is long enough to need a second line")
	add(domain.AttentionRefusals, domain.ActionShowGuard, "lacks prometheus:query, which its rule asks for")
	add(domain.AttentionProxy, domain.ActionTrustProxy, "")
	return rows
}

// TestAttentionFits prints what needs doing: two lines a row, which fit a terminal of 80
// columns, and the second is a command that this program has.
func TestAttentionFits(t *testing.T) {
	rows := attentionRows()
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/tokens/") {
			answer(t, w, wire.ListedToken{Token: wire.Token{Networks: []string{"10.0.0.0/8"}}})
			return
		}
		answer(t, w, wire.Attention{Sections: []wire.AttentionSection{{Section: "failing", Title: "A job is failing now", Total: len(rows), Rows: rows}}})
	})
	lines := strings.Split(strings.TrimSuffix(hallpass(t, "", "attention"), "\n"), "\n")
	if len(lines) != 1+2*len(rows) {
		t.Fatalf("%d rows have the lines\n%s", len(rows), strings.Join(lines, "\n"))
	}
	seen := make(map[string]bool)
	for i, line := range lines {
		if n := utf8.RuneCountInString(line); n > 80 {
			t.Errorf("a line has %d columns: %s", n, line)
		}
		if i == 0 || i%2 == 1 {
			continue
		}
		do := strings.TrimSpace(line)
		seen[do] = true
		if strings.HasPrefix(do, "set [server] trusted_proxies = ") {
			continue
		}
		if err := pasted(t, do); err != nil && do != "hallpass serviceaccount update dashboard-sync --owner" { // a person has to say who
			t.Errorf("pasted, %s says: %v", do, err)
		}
	}
	for _, want := range []string{
		"hallpass token watch ci 7", "hallpass token usage ci 7", "hallpass token create ci deploy --ttl 90d",
		"hallpass token narrow ci 7 --network 10.0.0.0/8 --network 203.0.113.9", "hallpass attention snooze expiring token:7 --reason 'nobody uses it'",
	} {
		if !seen[want] {
			t.Errorf("nothing asks for %q in\n%s", want, strings.Join(lines, "\n"))
		}
	}
}

// TestAttentionTellsOfFailingWork prints what fails before all else, in the words of Home.
// JSON stays the list of sections.
func TestAttentionTellsOfFailingWork(t *testing.T) {
	fake(t, func(w http.ResponseWriter, r *http.Request) {
		answer(t, w, wire.Attention{FailingWork: []wire.FailingJob{{Name: "notices", Error: "no\x1broom"}}, Sections: []wire.AttentionSection{}})
	})
	const want = "Background work of this server fails.\n  notices: no\ufffdroom\n"
	if got := run(t.Context(), strings.NewReader(""), "attention"); got.err != nil || got.out != want || got.errs != "" {
		t.Errorf("%v, %q and %q, want %q", got.err, got.out, got.errs, want)
	}
	if got := run(t.Context(), strings.NewReader(""), "attention", "-o", "json"); got.err != nil || got.out != "[]\n" || got.errs != want {
		t.Errorf("%v, %q and %q as JSON", got.err, got.out, got.errs)
	}
}

// pasted reads a command line as a shell does, and as the command that it names; it does not
// run it.
func pasted(t *testing.T, line string) error {
	t.Helper()
	out, err := exec.Command("sh", "-c", `hallpass() { printf '%s\n' "$@"; }; `+line).Output()
	if err != nil {
		return err
	}
	root := &cobra.Command{Use: "hallpass"}
	root.AddCommand(cli.Commands(nil)...)
	cmd, args, err := root.Find(strings.Split(strings.TrimSuffix(string(out), "\n"), "\n"))
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// TestNameTaken gives names that others have: the error says which thing has it, and what to
// do.
func TestNameTaken(t *testing.T) {
	s := start(t)
	ci(t)
	hallpass(t, "", "sa", "create", "build bot", "--role", "None")
	hallpass(t, "", "sa", "update", "build bot", "--name", "builder")
	hallpass(t, "", "token", "create", "builder", "other", "--ttl", "1d")
	hallpass(t, "", "team", "create", "devs")
	hallpass(t, "", "role", "create", "keeper", "-p", "orgs:read")
	for line, says := range map[string]string{
		"token create builder DEPLOY --ttl 1d":     "of ci has this name already: choose another name, or replace that token with \"hallpass token rotate ci 1\"",
		"token update builder other --name deploy": "the token deploy (id 1, …",
		"sa create ci":                    "the service account ci (id 2, login sa-1-ci) exists already: choose another name, or make a token for that account with",
		"sa create|Build Bot":             "the service account builder (id 3, login sa-1-build-bot) exists already",
		"team create devs":                "Team name taken: choose another name; \"hallpass team get devs\" shows the team that has it",
		"role create keeper -p orgs:read": "choose another name; \"hallpass role get keeper\" shows the role that has it",
		"org create|Main Org.":            "choose another name; \"hallpass org list\" shows the org that has it",
	} {
		refused(t, "", says, words(line)...)
	}
	hallpass(t, "", "role", "create", "minter", "-p", "serviceaccounts:write@serviceaccounts:id:3", "-p", "serviceaccounts:read@serviceaccounts:id:3")
	hallpass(t, "", "role", "assign", "minter", "sa:builder")
	hallpass(t, hallpass(t, "", "token", "create", "builder", "own", "--ttl", "1d"), "login", s.URL, "--name", "builder")
	refused(t, "", `another token of the org has the name "deploy" already: choose another name`, "token", "create", "3", "deploy", "--ttl", "1d")
}
