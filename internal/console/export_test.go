package console

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/library"
)

// SafeNext is the check of where a sign-in may lead.
var SafeNext = safeNext

// TokenBadge is how pages show the state of a token that was used.
func TokenBadge(s hallpass.TokenState) string { return tokenBadge(s, true).Text }

// TokenViewLabel is what the list of tokens calls a view.
var TokenViewLabel = tokenViewLabel

// NodesBadge says how the nodes are.
var NodesBadge = nodesBadge

// Initials are those of a name.
func Initials(name string) string { return me{Name: name}.Initials() }

// views are the pages, each with the view it is bound to.
var views = map[string]any{
	"audit/list":               auditView{},
	"errors/error":             errorView{},
	"confirm/confirm":          confirmView{},
	"home/home":                homeView{},
	"home/index":               indexView{},
	"serviceaccounts/activity": activityView{},
	"serviceaccounts/create":   newAccountView{},
	"serviceaccounts/detail":   accountView{},
	"serviceaccounts/owners":   ownersView{},
	"serviceaccounts/owner":    ownerView{},
	"serviceaccounts/list":     accountsView{},
	"sessions/login":           loginView{},
	"sessions/logout":          struct{ frame }{},
	"sessions/signedin":        signedInView{},
	"sessions/signedout":       signedOutView{},
	"tokens/list":              tokenListView{},
	"tokens/created":           tokenCreatedView{},
	"tokens/detail":            tokenView{},
	"tokens/new":               tokenFormView{},
	"grants/list":              grantsView{},
	"explain/account":          explainView{},
	"folders/list":             foldersView{},
	"folders/detail":           folderView{},
	"guards/detail":            guardView{},
	"guards/edit":              guardFormView{},
	"guards/holders":           guardHoldersView{},
	"guards/list":              guardsView{},
	"nodes/list":               nodesView{},
	"orgs/list":                orgsView{},
	"orgs/detail":              orgView{},
	"roles/detail":             roleView{},
	"roles/edit":               roleFormView{},
	"roles/list":               rolesView{},
	"roles/picker":             rolePickerView{},
	"teams/detail":             teamView{},
	"teams/list":               teamsView{},
	"users/create":             newUserView{},
	"users/detail":             userView{},
	"users/list":               usersView{},
	"users/password":           passwordView{},
	"users/profile":            profileView{},
	"users/connect":            connectView{},
	"find/find":                findView{},
	"tokens/rotate":            tokenChangeView{},
	"tokens/pause":             tokenChangeView{},
	"tokens/narrow":            tokenChangeView{},
	"tokens/rename":            tokenChangeView{},
	"channels/list":            channelsView{},
	"channels/new":             newChannelView{},
	"channels/detail":          channelView{},
	"home/snooze":              snoozeView{},
}

// FoldersPage is the page with a tree of the hits.
func FoldersPage(a *admin.Admin, hits []library.Hit) (string, error) {
	req := &request{console: &console{o: Options{Admin: a}}}
	return render("folders/list", reflect.ValueOf(foldersView{Rows: req.treeRows(hits, "")}))
}

// PageNames lists the pages that there are templates for.
func PageNames() ([]string, error) {
	s, err := newSite(embedded)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, t := range s.pages.Templates() {
		if strings.Contains(t.Name(), "/") {
			names = append(names, t.Name())
		}
	}
	return names, nil
}

// RenderEmpty executes the page with nothing in its view.
func RenderEmpty(page string) (string, error) { return render(page, reflect.ValueOf(views[page])) }

// Render executes the page with text in every text of its view, one element in
// every list, and yes as every yes or no.
func Render(page, text string, yes bool) (string, error) {
	v := reflect.New(reflect.TypeOf(views[page])).Elem()
	fill(v, text, yes)
	return render(page, v)
}

func render(page string, view reflect.Value) (string, error) {
	s, err := newSite(embedded)
	if err != nil {
		return "", err
	}
	b, err := s.pages.execute(page, layout, view.Interface())
	return string(b), err
}

func fill(v reflect.Value, text string, yes bool) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		v.SetBool(yes)
	case reflect.Int, reflect.Int64:
		v.SetInt(2)
	case reflect.Uint8:
		v.SetUint(1)
	case reflect.Slice:
		if v.Type().Elem().Kind() != reflect.Uint8 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
			fill(v.Index(0), text, yes)
		}
	case reflect.Struct:
		fillStruct(v, text, yes)
	}
}

func fillStruct(v reflect.Value, text string, yes bool) {
	at := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	for _, whole := range []any{timestamp{at, at.Add(time.Hour)}, at, card{"key", text, text, text}} {
		if reflect.TypeOf(whole) == v.Type() {
			v.Set(reflect.ValueOf(whole))
			return
		}
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
			fill(v.Field(i), text, yes)
		}
	}
}

// Shadowed lists what a page's view has under a name that the frame around every
// page has too: the frame would show the view's.
func Shadowed() []string {
	var list []string
	layout := reflect.TypeOf(frame{})
	for page, view := range views {
		t := reflect.TypeOf(view)
		for i := range layout.NumField() {
			name := layout.Field(i).Name
			f, ok := t.FieldByName(name)
			_, method := t.MethodByName(name)
			if method || !ok || len(f.Index) != 2 || t.Field(f.Index[0]).Type != layout {
				list = append(list, page+": "+name)
			}
		}
	}
	return list
}

// PatternOf returns the line of the route table that takes a GET of the path.
func PatternOf(path string) string {
	mux := http.NewServeMux()
	for _, r := range table() {
		mux.HandleFunc(r.pattern, func(http.ResponseWriter, *http.Request) {})
	}
	_, pattern := mux.Handler(httptest.NewRequest(http.MethodGet, path, nil))
	return pattern
}

// Route is a line of the route table.
type Route struct {
	Pattern string
	Effect  string
}

// Routes is the route table, with what each does to the power of somebody.
func Routes() []Route {
	words := map[effect]string{reads: "reads", harmless: "harmless", states: "states", asks: "asks"}
	var all []Route
	for _, r := range table() {
		all = append(all, Route{r.pattern, words[r.effect]})
	}
	return all
}

// Said is the sentence of an entry of the audit without who did it, on a page about nothing.
// The thing it was done to has that name; without one its target is shown. Token 27 is
// called next.
func Said(e hallpass.AuditEntry, name string) string {
	r := auditRow{Action: e.Action, Target: e.Target, What: link{ID: e.Target, Name: name}, Reason: e.Reason, others: map[string]link{"token 27": {Name: "next", ID: "token:27"}}, entry: e}
	if before, to := reasonRef(e); to != "" {
		r.Reason, r.Said = before, link{ID: to, Name: to}
	}
	s := about{itself: "nothing"}.saying(r)
	words := []string{s.Verb, cmp.Or(s.What.Name, s.What.ID), s.Toward, s.To.Name}
	said := strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
	for i, p := range s.Detail {
		if i == 0 {
			said += ": "
		}
		said += p.Text + p.Link.Name
	}
	if s.Code != "" {
		said += " (" + s.Code + ")"
	}
	return said
}

// TimeWords are a time as pages show it at now: relative, and as a date.
func TimeWords(at, now time.Time) (relative, date string) {
	m := timestamp{at, now}
	return m.Relative(), m.Date()
}

// GuardAdvice says what to do about a refusal with that reason.
func GuardAdvice(reason string) string { return guardAdvice(reason, "/") }

// RefusalWords are why a request is refused and what to do about it, by the reason.
func RefusalWords() map[string][2]string {
	words := make(map[string][2]string)
	for reason, r := range refusals {
		words[reason] = [2]string{r.why, r.advice}
	}
	return words
}
