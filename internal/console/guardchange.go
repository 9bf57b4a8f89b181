package console

import (
	"errors"
	"reflect"

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
	if errors.Is(err, hallpass.NotFound) && req.caller.Can(hallpass.GuardsWrite, "") && in.Seen > 0 {
		in.number()
		return change{again: func(error) error { return req.showGuardError(errGuardSeen, in) }}, err
	}
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
	if err == nil && was.ID == 0 {
		err = req.o.Admin.GuardNameFree(req.Context(), req.caller, g.Name)
	}
	if err != nil {
		return c, err
	}
	c.do = func() error { return save(g) }
	if was.Suspended == "" && reflect.DeepEqual(guardFieldsOf(was), guardFieldsOf(g)) {
		c.same = "Nothing changed: the guard " + g.Name + " is as it was."
		return c, nil
	}
	steps, err := guardSteps(was, g)
	if err == nil {
		err = req.noteGuardSteps(&c, was, steps)
	}
	if err != nil {
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
	c.Facts = append(c.Facts, decidedToday(g.Name, calls))
	return err
}

// decidedToday says how much the guard is used.
func decidedToday(name string, calls int64) string {
	return "The guard " + name + " decided about " + hallpass.Counted(int(calls), "request") + " today, by all of its rules."
}

// guardCalls returns how many requests the guard decided today.
func (req *request) guardCalls(name string) (calls int64, err error) {
	use, err := req.guardUse(name)
	for _, u := range use {
		calls += u.calls
	}
	return calls, err
}
