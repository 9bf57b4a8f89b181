package console

import "github.com/hallpass-dev/hallpass"

// deleteGuard is GET and POST /guards/{guard}/delete.
func deleteGuard(req *request) (change, error) {
	g, err := req.o.Admin.Guard(req.Context(), req.caller, req.PathValue("guard"))
	if err == nil {
		err = req.o.Admin.Authorize(req.Context(), req.caller, hallpass.GuardsDelete, g.Scope())
	}
	if err == nil {
		err = g.LockedError()
	}
	if err != nil {
		return change{}, err
	}
	calls, err := req.guardCalls(g.Name)
	c := change{
		Question: "Delete guard", Button: "Delete guard", Destroys: true, Cancel: guardURL(g.Name), to: crumbGuards.URL, here: "guards", crumbs: []crumb{crumbGuards, {g.Name, guardURL(g.Name)}},
		Text:  "Are you sure you want to delete the guard " + named(g.Name) + "? This cannot be undone.",
		Facts: []string{decidedToday(g.Name, calls), "From now on proxies that still ask it get refusals. Take it out of their configuration only when something else guards the API."},
		Alarm: calls > 0, done: "The guard " + g.Name + " is deleted.",
		do: func() error { return req.o.Admin.DeleteGuard(req.Context(), req.caller, g.Name) },
	}
	c.Steps = []step{{"Guard " + g.Name, hallpass.Counted(len(g.AllRules()), "rule"), wordDeleted}}
	return c, err
}
