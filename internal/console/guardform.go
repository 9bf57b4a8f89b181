package console

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// guardFormView is the form of a guard.
type guardFormView struct {
	frame
	guardFields
	New         bool
	Action      string
	Cancel      string
	Presets     []choice
	PresetTitle string // empty: the guard has no preset
	PresetRules []presetRow
	Tenants     bool     // the preset can be copied so that it asks for tenants
	Ticks       []choice // the spellings that paths may have, by the names of their fields
	MoreOpen    bool
	Warnings    []string // about the guard as a whole
	Actions     []string // that rules of presets name
	Focus       string   // the id of the element that has the focus; empty: the page says it
	Said        string   // what the last button did with the rules
	LeftOut     string   // which rules of the preset it did not copy, and why
	Gone        bool     // the guard of the address was deleted: the form adds it
}

// presetRow is a rule of the preset.
type presetRow struct {
	Number         int
	Request, Needs string
}

// newGuardURL is the address of the form for a new guard. It is not below the address of
// guards, because a guard may have any word for a name.
const newGuardURL = "/create/guard"

// newGuardForm is GET /create/guard.
func newGuardForm(req *request) error {
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.GuardsWrite, ""); err != nil {
		return err
	}
	in := guardFields{Rows: []ruleFields{blankRule()}}
	in.number()
	return req.showGuardForm(http.StatusOK, guardFormView{guardFields: in})
}

// editGuardForm is GET /guards/{guard}/edit.
func editGuardForm(req *request) error {
	g, err := req.changeableGuard()
	if err != nil {
		return err
	}
	view := guardFormView{guardFields: guardFieldsOf(g)}
	if err := req.guardFormWarnings(&view); err != nil {
		return err
	}
	return req.showGuardForm(http.StatusOK, view)
}

// changeableGuard returns the guard of the address, if the viewer may change it.
func (req *request) changeableGuard() (hallpass.Guard, error) {
	g, err := req.o.Admin.Guard(req.Context(), req.caller, req.PathValue("guard"))
	if err == nil {
		err = req.o.Admin.Authorize(req.Context(), req.caller, hallpass.GuardsWrite, g.Scope())
	}
	if err == nil {
		err = g.LockedError()
	}
	return g, err
}

// arrangeGuard shows the form again after a button has arranged its rules.
func (req *request) arrangeGuard(in guardFields, button string) error {
	view := guardFormView{guardFields: in}
	view.Focus, view.Said, view.LeftOut = view.arrange(button)
	if err := req.guardFormWarnings(&view); err != nil {
		return err
	}
	return req.showGuardForm(http.StatusOK, view)
}

// guardFormWarnings puts what is probably not meant at the rules.
func (req *request) guardFormWarnings(view *guardFormView) error {
	written := view.written()
	g, err := written.guard()
	if err != nil {
		return nil // saving tells what is wrong
	}
	list, err := req.o.Admin.GuardWarnings(req.Context(), req.caller, g)
	for _, w := range list {
		if w.Rule == 0 || w.Rule > len(written.Rows) {
			view.Warnings = append(view.Warnings, guardWarning(w))
			continue
		}
		row := &view.Rows[written.Rows[w.Rule-1].Number-1]
		row.Warnings = append(row.Warnings, sentence(w.Message))
	}
	return err
}

// showGuardForm shows the form of the guard of the address, or of a new one.
func (req *request) showGuardForm(status int, view guardFormView) error {
	title, crumbs := "Add guard", []crumb{crumbGuards}
	view.Action, view.Cancel, view.New = newGuardURL, crumbGuards.URL, true
	if name := req.PathValue("guard"); name != "" && !view.Gone {
		title, crumbs = "Edit rules", append(crumbs, crumb{name, guardURL(name)})
		view.Action, view.Cancel, view.New = guardURL(name)+"/edit", guardURL(name), false
	}
	view.fillPreset()
	for i, s := range hallpass.PathSpellings() {
		view.Ticks = append(view.Ticks, choice{spellingField(i), s, slices.Contains(view.Spellings, s)})
	}
	view.MoreOpen = view.Timeout != "" || view.JWT || view.AllowPreflight || len(view.Spellings) > 0
	view.Actions = presetActions()
	var err error
	if view.frame, err = req.frame("guards", title, crumbs...); err != nil {
		return err
	}
	return req.showStatus(status, "guards/edit", view)
}

// fillPreset lists the presets, and the rules of the one that is chosen.
func (view *guardFormView) fillPreset() {
	list := []choice{{Label: "No preset"}}
	for _, name := range hallpass.GuardPresetNames() {
		p, _ := hallpass.GuardPresetByName(name)
		list = append(list, choice{Value: name, Label: p.DisplayName})
	}
	view.Presets = chosen(list, view.Preset)
	p, _ := hallpass.GuardPresetByName(view.Preset)
	view.PresetTitle, view.Tenants = p.DisplayName, p.Tenants
	own := len(view.written().Rows)
	for i, r := range p.Rules {
		words, code := needWords(r.Need)
		if code != "" {
			words = code
		}
		view.PresetRules = append(view.PresetRules, presetRow{own + i + 1, r.Request(), words})
	}
}

// presetActions lists the actions that rules of presets name.
func presetActions() (all []string) {
	for _, name := range hallpass.GuardPresetNames() {
		p, _ := hallpass.GuardPresetByName(name)
		for _, r := range p.Rules {
			if a := string(r.Need.Action); a != "" && !slices.Contains(all, a) {
				all = append(all, a)
			}
		}
	}
	slices.Sort(all)
	return all
}

// guardField is the field of the form that an error about a guard belongs to; empty:
// none. "rules[1].path" is path-2.
func guardField(err error) string {
	var e *hallpass.Error
	if !errors.As(err, &e) {
		return ""
	}
	if e.ID == "guard.name-taken" {
		return "name"
	}
	rest, ofRule := strings.CutPrefix(e.Field, "rules[")
	if !ofRule {
		return e.Field
	}
	number, name, _ := strings.Cut(rest, "].")
	i, _ := hallpass.ParseID(number)
	return ruleFields{Number: int(i) + 1}.Field(name)
}

// inForm returns the error about the form in the words of the form, and opens what is
// folded at the rule that it is about.
func (in *guardFields) inForm(err error) error {
	var e *hallpass.Error
	const elsewhere = "nor in captures"
	if !errors.As(err, &e) || !strings.Contains(e.Message, elsewhere) {
		return err
	}
	field := guardField(err)
	for i := range in.Rows {
		in.Rows[i].Open = in.Rows[i].Open || field == in.Rows[i].Field("scope") || field == in.Rows[i].Field("set")
	}
	out := *e
	out.Message = strings.Replace(e.Message, elsewhere, "nor under “Values from headers” below", 1)
	return &out
}

// showGuardError shows the form with its error. After somebody else has changed the
// guard, it is about that guard from then on. After somebody has deleted it, it adds one.
func (req *request) showGuardError(err error, in guardFields) error {
	err = in.inForm(err)
	if !req.formError(err, guardField(err)) {
		return err
	}
	view, status := guardFormView{guardFields: in}, httpd.Status(err)
	var e *hallpass.Error
	if errors.As(err, &e) && e.ID == errGuardSeen.ID {
		g, failed := req.o.Admin.Guard(req.Context(), req.caller, in.Name)
		switch {
		case errors.Is(failed, hallpass.NotFound):
			view.Seen, view.Gone = 0, true
			req.fieldError("", req.lastChange(in.Name)+" What you wrote is not lost: it is below, and adds the guard again.")
		case failed != nil:
			return failed
		default:
			view.Seen = g.Version
			req.fieldError("", req.lastChange(in.Name)+" What you wrote is not saved yet: save again to see what it changes now.")
		}
	}
	return req.showGuardForm(status, view)
}

// lastChange says who changed or deleted the guard last, when and how, as far as the viewer
// may see the audit.
func (req *request) lastChange(name string) string {
	if !req.caller.Can(hallpass.AuditRead, "") {
		return "Somebody changed or deleted the guard meanwhile."
	}
	page, err := req.o.Admin.Audit(req.Context(), req.caller, hallpass.AuditFilter{Org: req.caller.Org, Target: "guard:" + name, Outcome: hallpass.Done, Limit: 1})
	if err != nil || len(page.Entries) == 0 {
		return "Somebody changed or deleted the guard meanwhile."
	}
	e := page.Entries[0]
	who, did := cmp.Or(e.ActorName, e.Actor.Login, "Hallpass"), " changed"
	if e.Actor == req.caller.Principal {
		who = "You"
	}
	if e.Action == "guard.delete" {
		did = " deleted"
	}
	words := who + did + " the guard meanwhile, " + req.timestamp(e.At).Relative()
	if e.Reason != "" {
		return words + ": " + cutText(e.Reason, maxChangeWords) + "."
	}
	return words + "."
}

// maxChangeWords is how many bytes of what somebody else changed a form says.
const maxChangeWords = 300

// cutText returns the text, or its beginning and an ellipsis if it is longer than most bytes.
func cutText(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "…"
}
