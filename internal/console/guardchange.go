package console

import (
	"reflect"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// errGuardSeen says that the form was filled in from a guard that is another one now.
var errGuardSeen = &hallpass.Error{Kind: hallpass.Conflict, ID: "guard.version-mismatch"}

// createGuard is POST /create/guard.
func createGuard(req *request) (change, error) {
	in := req.guardFields()
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.GuardsWrite, ""); err != nil {
		return change{}, err
	}
	in.Seen = 0
	c := change{
		Question: "Add guard", Button: "Add guard", Cancel: crumbGuards.URL, here: "guards", crumbs: []crumb{crumbGuards}, to: guardURL(in.Name),
		Text: "This is what the guard " + named(in.Name) + " will decide as soon as a proxy asks it, or the built-in proxy is used.",
		done: "The guard " + in.Name + " is there, on every node. Set up your proxy below.",
	}
	return req.saveGuard(c, in, hallpass.Guard{}, func(g hallpass.Guard) error {
		_, err := req.o.Admin.CreateGuard(req.Context(), req.caller, g)
		return err
	})
}

// editGuard is POST /guards/{guard}/edit. A change after which every request is decided
// as before is made without a question.
func editGuard(req *request) (change, error) {
	in := req.guardFields()
	was, err := req.changeableGuard()
	if err != nil {
		return change{}, err
	}
	c := change{
		Question: "Change guard", Button: "Change guard", Cancel: guardURL(was.Name), here: "guards", crumbs: []crumb{crumbGuards, {was.Name, guardURL(was.Name)}},
		Text: "Every node decides by this before you get an answer.",
		done: "The guard " + was.Name + " is changed, on every node.",
	}
	return req.saveGuard(c, in, was, func(g hallpass.Guard) error {
		_, err := req.o.Admin.UpdateGuard(req.Context(), req.caller, was.Name, g)
		return err
	})
}

// saveGuard completes the change of the guard that was to what the form says; save makes
// it. A button that arranges the rules changes nothing.
func (req *request) saveGuard(c change, in guardFields, was hallpass.Guard, save func(hallpass.Guard) error) (change, error) {
	if button := req.PostForm.Get("arrange"); button != "" {
		c.show = func() error { return req.arrangeGuard(in, button) }
		return c, nil
	}
	in = in.written()
	in.number()
	c.again = func(err error) error { return req.showGuardError(err, in) }
	if in.Seen != was.Version {
		return c, errGuardSeen
	}
	g, err := in.guard()
	if err == nil {
		err = req.o.Admin.ValidateGuard(g)
	}
	if err != nil {
		return c, err
	}
	c.do = func() error { return save(g) }
	if was.Suspended == "" && reflect.DeepEqual(guardFieldsOf(was), guardFieldsOf(g)) {
		c.same = "Nothing changed: the guard " + g.Name + " is as it was."
		return c, nil
	}
	if c.Steps, c.Destroys, err = guardSteps(was, g); err != nil {
		return c, err
	}
	return c, req.guardFacts(&c, was, g)
}

// guardFacts says what is probably not meant, and how much the guard is used.
func (req *request) guardFacts(c *change, was, g hallpass.Guard) error {
	warnings, err := req.o.Admin.GuardWarnings(req.Context(), req.caller, g)
	for _, w := range warnings {
		c.Facts, c.Alarm = append(c.Facts, guardWarning(w)), true
	}
	if err != nil || was.ID == 0 {
		return err
	}
	calls, err := req.guardCalls(g.Name)
	c.Facts = append(c.Facts, "It decided about "+hallpass.Counted(int(calls), "request")+" today.")
	return err
}

// guardCalls returns how many requests the guard decided today.
func (req *request) guardCalls(name string) (calls int64, err error) {
	use, err := req.guardUse(name)
	for _, u := range use {
		calls += u.calls
	}
	return calls, err
}

// guardSteps says what changes from one guard to the other, and whether requests are
// refused then that were not. The guard that was may be the zero Guard.
func guardSteps(was, now hallpass.Guard) (steps []step, refuses bool, err error) {
	after, err := hallpass.NewRuleset(now)
	if err != nil {
		return nil, false, err
	}
	before, unreadable := hallpass.NewRuleset(was)
	if was.Suspended != "" || unreadable != nil {
		if before, err = hallpass.NewRuleset(hallpass.Guard{}); err != nil {
			return nil, false, err
		}
		steps = append(steps, step{"Guard " + now.Name, "refuses every request", "decides by its rules"})
	}
	if was.ID == 0 {
		steps = append(steps, step{"Guard " + now.Name, "does not exist", "decides by its rules"})
	}
	shifts := before.Shifts(after)
	refuses = slices.ContainsFunc(shifts, func(s hallpass.RuleShift) bool { return s.Now == nil })
	steps = append(steps, shiftSteps(shifts)...)
	return append(steps, settingSteps(was, now)...), refuses, nil
}

// shiftSteps says which requests are treated otherwise: those that go from and to the
// same in one step, a line each.
func shiftSteps(shifts []hallpass.RuleShift) (steps []step) {
	type effects struct{ before, after string }
	lines := make(map[effects][]string)
	var order []effects
	for _, s := range shifts {
		e := effects{ruleEffect(s.Was), ruleEffect(s.Now)}
		if e.before == e.after { // they differ in what their paths capture
			e = effects{e.before + ", as in " + s.Was.Path, e.after + ", as in " + s.Now.Path}
		}
		if lines[e] == nil {
			order = append(order, e)
		}
		lines[e] = append(lines[e], s.Request())
	}
	for _, e := range order {
		steps = append(steps, step{strings.Join(lines[e], "\n"), e.before, e.after})
	}
	return steps
}

// settingSteps says what changes beside the rules.
func settingSteps(was, now hallpass.Guard) (steps []step) {
	add := func(what, before, after string) {
		if before != after {
			steps = append(steps, step{what, before, after})
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
