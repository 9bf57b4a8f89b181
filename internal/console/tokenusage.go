package console

import (
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// usageView is how a token was used on the last days.
type usageView struct {
	Known   bool // there is a chart
	Chart   spark
	Sum     hallpass.TokenDay
	Axis    []string
	Places  []placeRow
	Actions []actionRow
}

// Answered returns how many requests were answered well.
func (u usageView) Answered() string { return grouped(u.Sum.OK) }

// Failed returns how many requests were let in and answered with an error; empty: none.
func (u usageView) Failed() string { return someOf(u.Sum.Failed) }

// Refused returns how many requests were refused; empty: none.
func (u usageView) Refused() string { return someOf(u.Sum.Denied + u.Sum.Refused) }

// Limited returns how many requests came too often; empty: none.
func (u usageView) Limited() string { return someOf(u.Sum.Limited) }

func someOf(n int64) string {
	if n == 0 {
		return ""
	}
	return grouped(n)
}

// placeRow is a client that used the token.
type placeRow struct {
	Address, Client, Agent string
	Route                  string // of its latest request, with its answer
	New                    bool   // since less than a day, and others were there before
	Wrong                  string // what the answer means, if it was an error; empty: it was none
	Used                   timestamp
	Count                  string
}

// actionRow is an action that the token was used for.
type actionRow struct {
	Words, Code string
	On          link
	Used        timestamp
	Count       string
}

// usageView returns how the token named of was used.
func (req *request) usageView(u hallpass.TokenUsage, t hallpass.Token) (usageView, error) {
	now := req.o.Admin.Now()
	view := usageView{Known: true}
	view.Chart, view.Sum = daysCanvas.daysChart(u.Days, now, t.Name)
	for _, back := range []int{usageDays - 1, 22, 15, 8} {
		view.Axis = append(view.Axis, now.UTC().AddDate(0, 0, -back).Format("2 Jan"))
	}
	view.Axis = append(view.Axis, "Today")
	for _, p := range u.Places {
		row := placeRow{Address: p.Address, Client: client(p.UserAgent), Agent: p.UserAgent, Route: routeWords(p), Wrong: wrongAnswer(p.Status), Used: req.timestamp(p.Last), Count: grouped(p.Count)}
		row.New = len(u.Places) > 1 && now.Sub(p.First) < 24*time.Hour && p.First.Sub(t.CreatedAt) > 24*time.Hour
		view.Places = append(view.Places, row)
	}
	var list []hallpass.Permission
	for _, a := range u.Actions {
		p := hallpass.Permission{Action: a.Action, Scope: hallpass.AnyScope} // of what is not known on what it was done, the action is told alone
		if a.Scoped() {
			p.Scope = a.Scope
		}
		list = append(list, p)
	}
	n, err := req.namesIn(list)
	if err != nil {
		return view, err
	}
	for i, a := range u.Actions {
		row := actionRow{Used: req.timestamp(a.Last), Count: grouped(a.Count), Code: hallpass.Permission{Action: a.Action, Scope: a.Scope}.String()}
		if role, is := a.Role(); is {
			row.Words, row.Code = "What a guard allows to the role "+role.String(), ""
		} else {
			_, row.Words = areaOf(list[i], n.scopeName)
			row.On = n.linkTo(a.Scope)
		}
		view.Actions = append(view.Actions, row)
	}
	return view, nil
}

// routeWords says what the latest request of a client asked for, and its answer.
func routeWords(p hallpass.TokenPlace) string {
	if p.Route.Pattern == "" {
		return ""
	}
	words := p.Route.Pattern
	if p.Status > 0 {
		words += " answered " + strconv.Itoa(p.Status)
	}
	return words
}

// wrongAnswer says of the status of an answer what went wrong; empty: nothing, or nobody
// told it.
func wrongAnswer(status int) string {
	switch {
	case status == http.StatusForbidden || status == http.StatusUnauthorized:
		return "refused"
	case status == http.StatusTooManyRequests:
		return "over a rate"
	case status >= http.StatusInternalServerError:
		return "the API failed"
	case status >= http.StatusBadRequest:
		return "answered with an error"
	}
	return ""
}
