package cli

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

func tokenPolicy() *cobra.Command {
	r := &remote{}
	cmd := r.noun("token-policy", "Show, set and preview what happens to tokens that nobody uses", showPolicy(r), setPolicy(r), previewPolicy(r))
	cmd.Aliases = []string{"policy"}
	cmd.SuggestFor = []string{"tokenpolicy", "stale", "policies"}
	cmd.Long = `Show, set and preview the org's policy for tokens that nobody uses any more: it warns,
pauses them, and in the end revokes them. It is off until somebody sets it.`
	return cmd
}

func showPolicy(r *remote) *cobra.Command {
	return r.verb("show", "Show the longest lifetime of new tokens, and the policy for unused ones", func(s *session) error {
		rules, err := s.TokenRules(s.ctx)
		if err != nil {
			return err
		}
		longest := "no limit"
		if rules.MaxSecondsToLive > 0 {
			longest = spanText(rules.MaxSecondsToLive)
		}
		t := policyTable(rules.Stale)
		t.rows = append([][]string{{"longest lifetime", longest}}, t.rows...)
		return s.print(rules, t)
	})
}

// policyTable returns the policy as a table.
func policyTable(p wire.TokenPolicy) table {
	if p.StaleAfterDays == 0 {
		return table{rows: [][]string{{"unused tokens", "nothing happens to them"}}}
	}
	var warnings []string
	for _, n := range p.WarnDays {
		warnings = append(warnings, daysText(n))
	}
	then := "only warned of"
	if p.Pause {
		then = "paused"
	}
	revoked := "never"
	if p.DeleteAfterPausedDays > 0 {
		revoked = daysText(p.DeleteAfterPausedDays) + " after the pause"
	}
	return table{rows: [][]string{
		{"unused for", daysText(p.StaleAfterDays)}, {"then", then}, {"warnings", strings.Join(warnings, ", ") + " before"}, {"revoked", revoked}, {"exempt", strings.Join(p.Exempt, ", ")},
		{"set", strings.TrimSpace(exactText(p.Updated) + " " + p.UpdatedBy)},
	}}
}

func daysText(n int) string { return hallpass.Counted(n, "day") }

// policyFlags are the flags that describe a policy.
type policyFlags struct {
	stale, remove string
	warn          []string
	pause, off    bool
	exempt        []string
}

func (f *policyFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.stale, "stale-after", "", "a token is unused when nobody has used it for so long, such as 90d")
	flags.StringSliceVar(&f.warn, "warn", nil, "so long before each step there is a warning, such as 14d,3d")
	flags.BoolVar(&f.pause, "pause", true, "pause the token then; --pause=false only warns")
	flags.StringVar(&f.remove, "revoke-after", "", "revoke a token so long after the policy paused it, such as 90d; 0d: never")
	flags.StringArrayVar(&f.exempt, "exempt", nil, `leave tokens alone: owner:NAME or account:NAME; repeat the flag for more; "none" for none`)
	flags.BoolVar(&f.off, "off", false, "nothing happens to unused tokens")
}

// usualWarnings returns the warnings of a policy that says nothing about them: 14 and 3
// days before, and of a policy that is shorter, the day before.
func usualWarnings(stale int) []int {
	list := slices.DeleteFunc([]int{14, 3}, func(n int) bool { return n >= stale })
	if len(list) == 0 {
		list = []int{1}
	}
	return list
}

// warnings reads days as 14d or 14.
func warnings(list []string) (out []int, err error) {
	for _, text := range list {
		n, err := strconv.Atoi(text)
		if err != nil {
			n, err = days("warn", text)
		}
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// apply returns the policy with what the flags say.
func (f policyFlags) apply(s *session, p wire.TokenPolicy) (wire.TokenPolicy, error) {
	given := s.cmd.Flags().Changed
	off := p.StaleAfterDays == 0
	if off { // what is not said has its usual value
		p = wire.TokenPolicy{Pause: true, Exempt: p.Exempt}
	}
	var err error
	for flag, to := range map[string]struct {
		text string
		days *int
	}{"stale-after": {f.stale, &p.StaleAfterDays}, "revoke-after": {f.remove, &p.DeleteAfterPausedDays}} {
		if given(flag) {
			if *to.days, err = days(flag, to.text); err != nil {
				return p, err
			}
		}
	}
	if given("warn") {
		if p.WarnDays, err = warnings(f.warn); err != nil {
			return p, err
		}
	} else if off {
		p.WarnDays = usualWarnings(p.StaleAfterDays)
	}
	if given("pause") {
		p.Pause = f.pause
	}
	if given("exempt") {
		p.Exempt = f.exempt
		if len(f.exempt) == 1 && f.exempt[0] == "none" {
			p.Exempt = []string{}
		}
	}
	if f.off {
		p.StaleAfterDays = 0
	} else if p.StaleAfterDays == 0 {
		return p, fmt.Errorf("the policy is off: --stale-after says after how long a token is unused, such as 90d")
	}
	return p, nil
}

func setPolicy(r *remote) *cobra.Command {
	var f policyFlags
	var yes bool
	cmd := yesFlag(r.verb("set", "Set the policy for unused tokens", func(s *session) error {
		if s.cmd.Flags().NFlag() == 0 {
			return errNothingToChange
		}
		was, err := s.TokenPolicy(s.ctx)
		if err != nil {
			return err
		}
		now, err := f.apply(s, was)
		if err != nil {
			return err
		}
		if now.StaleAfterDays > 0 {
			plan, err := s.PreviewTokenPolicy(s.ctx, now, usageDays)
			if err != nil {
				return err
			}
			if err := s.say("Within %d days: %s.", usageDays, planText(plan)); err != nil {
				return err
			}
			if err := confirm(s.cmd, yes, "Set this policy?"); err != nil {
				return err
			}
		}
		if now, err = s.SetTokenPolicy(s.ctx, now); err != nil {
			return err
		}
		return s.print(now, policyTable(now))
	}), &yes)
	cmd.Long = `Set what happens to tokens that nobody uses. What no flag names stays as it is; when
the policy was off, it warns 14 and 3 days before, and pauses. How many tokens it would
meet is shown first, and it asks. "token-policy preview" lists the tokens.`
	cmd.Example = `  hallpass token-policy set --stale-after 90d --warn 14d,3d --revoke-after 90d --exempt account:backup
  hallpass token-policy set --off`
	f.flags(cmd)
	return cmd
}

// planText says how many tokens a policy would meet.
func planText(p wire.StalePreview) string {
	count := make(map[string]int)
	for _, k := range p.Tokens {
		met := make(map[string]bool)
		for _, step := range k.Steps {
			if !met[step.Do] {
				count[step.Do]++
			}
			met[step.Do] = true
		}
	}
	return fmt.Sprintf("warnings about %s, %d paused, %d revoked", hallpass.Counted(count["warn"], "token"), count["pause"], count["revoke"])
}

func previewPolicy(r *remote) *cobra.Command {
	var f policyFlags
	var ahead int
	cmd := r.verb("preview", "List what a policy would do to which tokens, and when; change nothing", func(s *session) error {
		p, err := s.TokenPolicy(s.ctx)
		if err == nil {
			p, err = f.apply(s, p)
		}
		if err != nil {
			return err
		}
		plan, err := s.PreviewTokenPolicy(s.ctx, p, ahead)
		if err != nil {
			return err
		}
		t := table{header: []string{"WHEN", "WHAT", "TOKEN", "NAME", "ACCOUNT", "OWNER", "LAST USED"}}
		for _, k := range plan.Tokens {
			for _, step := range k.Steps {
				what := step.Do
				if step.Days > 0 {
					what += " " + daysText(step.Days) + " before"
				}
				t.rows = append(t.rows, []string{timeText(&step.At), what, number(k.TokenID), k.Token, k.ServiceAccount, k.Owner, timeText(k.LastUsedAt)})
			}
		}
		if s.json || len(t.rows) > 0 {
			return s.print(plan, t)
		}
		return s.say("Nothing would happen to any token within %d days.", ahead)
	})
	cmd.Long = `List what the policy would do to which tokens, and when, if nobody used them meanwhile:
the policy that is set, with what the flags change. Nothing is changed.`
	cmd.Example = `  hallpass token-policy preview --stale-after 90d --ahead 120`
	f.flags(cmd)
	cmd.Flags().IntVar(&ahead, "ahead", 30, "how many days to look ahead")
	return cmd
}
