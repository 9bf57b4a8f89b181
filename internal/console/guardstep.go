package console

import (
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
)

// guardStep is a step of a change of a guard.
type guardStep struct {
	step
	opens, closes bool                   // whether requests may pass that did not, and the other way round
	rules         bool                   // whether it is about what rules decide
	was, now      *hallpass.CompiledRule // of the first of its requests; nil: none decides
}

// guardSteps says what changes from one guard to the other. The guard that was may be
// the zero Guard.
func guardSteps(was, now hallpass.Guard) (steps []guardStep, err error) {
	after, err := hallpass.NewRuleset(now)
	if err != nil {
		return nil, err
	}
	before, unreadable := hallpass.NewRuleset(was)
	if was.Suspended != "" || unreadable != nil {
		if before, err = hallpass.NewRuleset(hallpass.Guard{}); err != nil {
			return nil, err
		}
		steps = append(steps, guardStep{step: step{"Guard " + now.Name, "refuses every request", "decides by its rules"}})
	}
	if was.ID == 0 {
		steps = append(steps, guardStep{step: step{"Guard " + now.Name, "does not exist", "decides by its rules"}})
	}
	steps = append(steps, shiftSteps(before.Shifts(after))...)
	return append(steps, settingSteps(was, now)...), nil
}

// shiftSteps says which requests are treated otherwise: those that go from and to the
// same in one step, a line each.
func shiftSteps(shifts []hallpass.RuleShift) (steps []guardStep) {
	type effects struct{ before, after string }
	index := make(map[effects]int)
	lines := make([][]string, 0, len(shifts)) // by step
	for _, s := range shifts {
		e := effects{ruleEffect(s.Was), ruleEffect(s.Now)}
		if e.before == e.after { // they differ in what their paths capture
			e = effects{e.before + ", as in " + s.Was.Path, e.after + ", as in " + s.Now.Path}
		}
		i, known := index[e]
		if !known {
			i = len(steps)
			index[e], lines = i, append(lines, nil)
			steps = append(steps, guardStep{step: step{"", e.before, e.after}, rules: true, was: s.Was, now: s.Now})
		}
		lines[i] = append(lines[i], s.Request())
		steps[i].opens, steps[i].closes = steps[i].opens || s.Opens(), steps[i].closes || s.Closes()
	}
	for i := range steps {
		steps[i].What = strings.Join(lines[i], "\n")
	}
	return steps
}

// settingSteps says what changes beside the rules.
func settingSteps(was, now hallpass.Guard) (steps []guardStep) {
	add := func(what, before, after string) {
		if before != after {
			steps = append(steps, guardStep{step: step{what, before, after}, opens: before == passes(false, ""), closes: after == passes(false, "")})
		}
	}
	add("The built-in proxy sends requests to", upstreamWords(was), upstreamWords(now))
	add("A browser’s preflight without a token", passes(was.AllowPreflight, "passes"), passes(now.AllowPreflight, "passes"))
	for _, s := range hallpass.PathSpellings() {
		add("A path with "+s, passes(slices.Contains(was.PathAllow, s), "judged by the rules"), passes(slices.Contains(now.PathAllow, s), "judged by the rules"))
	}
	add("The API learns who calls from", strings.Join(was.Identity(), " and "), strings.Join(now.Identity(), " and "))
	return steps
}

// noteGuardSteps puts the steps into the change, and says beside each what it opens or
// closes, and who passes before and after. Of a guard that decides nothing yet it marks
// what passes without a token alone: all of its rules open something.
func (req *request) noteGuardSteps(c *change, was hallpass.Guard, steps []guardStep) error {
	fresh := was.ID == 0 || was.Suspended != ""
	passing := make([]string, len(steps))
	if !fresh {
		var err error
		if passing, err = req.whoPasses(was.Name, steps); err != nil {
			return err
		}
	}
	c.Notes = make(map[step]stepNote)
	for i, s := range steps {
		c.Steps = append(c.Steps, s.step)
		note := stepNote{Words: passing[i]}
		switch everybody := s.now != nil && s.now.Need.Kind == hallpass.NeedNothing; {
		case fresh && !everybody && s.rules:
		case s.opens && everybody:
			note = stepNote{toneOpens, "Opens to everybody, without a token. " + passing[i]}
		case s.opens && s.closes:
			note = stepNote{toneOpens, "Lets others pass than before. " + passing[i]}
		case s.opens:
			note = stepNote{toneOpens, "Lets more pass. " + passing[i]}
		case s.closes:
			note = stepNote{toneCloses, "Lets less pass. " + passing[i]}
		}
		c.Notes[s.step] = note
	}
	return nil
}

// whoPasses says for each step how many service accounts have what its requests need,
// before and after; "" for a step that is not about needs, or a viewer who may not know.
func (req *request) whoPasses(guard string, steps []guardStep) ([]string, error) {
	words := make([]string, len(steps))
	if !req.caller.MayReadHolders() {
		return words, nil
	}
	var needs []hallpass.Need
	for _, s := range steps {
		needs = append(needs, needOf(s.was), needOf(s.now))
	}
	counts, err := req.o.Admin.NeedHolders(req.Context(), req.caller, guard, needs)
	if err != nil {
		return nil, err
	}
	for i, s := range steps {
		if before, after := passers(needs[2*i], counts[2*i]), passers(needs[2*i+1], counts[2*i+1]); s.rules && before != "" && after != "" {
			words[i] = "Now " + before + ", then " + after + "."
		}
	}
	return words, nil
}

// needOf returns what the rule needs; the zero Need, which nobody has, if there is none.
func needOf(r *hallpass.CompiledRule) hallpass.Need {
	if r == nil {
		return hallpass.Need{}
	}
	return r.Need
}

// passers says who has what is needed, of whom so many hold it; "" if nobody counted.
func passers(n hallpass.Need, count int) string {
	switch {
	case n.Kind == hallpass.NeedUnknown:
		return "nobody passes"
	case n.Kind == hallpass.NeedNothing:
		return "everybody passes"
	case count == admin.NotCounted:
		return ""
	}
	words := heldWords(count)
	switch count {
	case 0:
		words = "no account holds it"
	case 1:
		words += " holds it"
	default:
		words += " hold it"
	}
	if n.HasCaptures() {
		words += " on some scope"
	}
	return words
}
