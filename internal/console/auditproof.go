package console

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
)

// auditDetail is one entry in full, beside the list.
type auditDetail struct {
	auditRow
	Sentence saying
	Number   int64
	Close    string // addresses: of the list without it, of all of the same, and of itself
	AllBy    string // empty: the server did it
	AllAbout string // empty: it is about nothing
	Proof    string
	Proved   bool
}

// shownEntry returns the entry that the query asks for; nil: none, or one that the caller
// may not see.
func (req *request) shownEntry() (*hallpass.AuditEntry, error) {
	id, ok := hallpass.ParseID(req.URL.Query().Get("entry"))
	if !ok {
		return nil, nil
	}
	e, err := req.o.Admin.AuditEntry(req.Context(), req.caller, hallpass.AuditID(id))
	if hallpass.KindOf(err) == hallpass.NotFound {
		req.fieldError("entry", "There is no entry "+idText(id)+", or not in your organization.")
		return nil, nil
	}
	return &e, err
}

// Whole is the reason as the audit has it.
func (d auditDetail) Whole() string { return d.entry.Reason }

// auditDetail returns the entry of the row in full. at is the query of the list.
func (req *request) auditDetail(r auditRow, at url.Values) *auditDetail {
	d := auditDetail{auditRow: r, Sentence: auditSaying(r), Number: int64(r.entry.ID), Close: "/admin/audit?" + at.Encode()}
	if r.Actor != "" {
		d.AllBy = "/admin/audit?" + url.Values{"actor": {r.Actor}}.Encode()
	}
	if r.Target != "" {
		d.AllAbout = "/admin/audit?" + url.Values{"target": {r.Target}}.Encode()
	}
	switch last := req.o.Admin.LastProof(); {
	case last.At.IsZero():
		d.Proof = "Nobody has proved the chain since this server started."
	case !last.OK():
		d.Proof = "The chain is not whole, or not for now: see above the list."
	case last.End.ID < r.entry.ID:
		d.Proof = "Newer than the last proof."
	default:
		d.Proof, d.Proved = "The chain was whole up to this entry "+strings.ToLower(req.timestamp(last.At).Relative())+".", true
	}
	return &d
}

// auditProofView says whether the chain of the audit is whole, as far as this server knows.
type auditProofView struct {
	Class   string // good, bad, or empty: nobody has looked
	Text    string
	At      timestamp // when that was found out; zero: it was not
	Digest  string    // the last one; empty: the viewer may not see it
	Command string    // that compares it later
	Says    []string  // what retention deleted, and what tells so
	Faults  []string
	More    string // how many faults are not among Faults; empty: none
	May     bool   // the viewer may prove it now
}

// shownFaults is how many faults the page lists.
const shownFaults = 10

func (req *request) auditProofView() (v auditProofView) {
	last := req.o.Admin.LastProof()
	v.May = req.caller.ServerAdmin
	if last.At.IsZero() {
		v.Text = "Nobody has proved the chain of the audit since this server started."
		return v
	}
	v.At = req.timestamp(last.At)
	if v.May { // the numbers of entries are of all organizations
		v.Says = last.Retention()
	}
	if len(last.Faults) == 0 && last.Untold {
		v.Text = "The audit is not whole for now: " + hallpass.AuditUntold + "."
		return v
	}
	if !last.OK() {
		v.Class, v.Text = "bad", "The audit is not whole."
		if !v.May {
			v.Text += " Tell a server admin."
			return v
		}
		for _, f := range last.Faults[:min(shownFaults, len(last.Faults))] {
			v.Faults = append(v.Faults, sentenceStart(f.String())+".")
		}
		if n := int64(len(last.Faults)-len(v.Faults)) + last.Unnamed; n > 0 {
			v.More = grouped(n) + " more"
		}
		return v
	}
	v.Class, v.Text = "good", "Whole: nothing was changed, added or taken away"
	if last.Lacks() {
		v.Text = "Whole, without what retention deleted: nothing else was changed or added"
	}
	if !last.First.IsZero() {
		v.Text += " since " + last.First.UTC().Format("2 January 2006")
	}
	v.Text += "."
	if v.May {
		v.Text += " " + grouped(last.Entries) + " " + noun{"entry", "entries"}.Of(int(last.Entries)) + "."
		v.Digest = last.End.String()
		v.Command = "hallpass audit verify --known " + v.Digest
	}
	return v
}

// proveAudit is POST /admin/audit/prove.
func proveAudit(req *request) error {
	// A long audit takes longer than an answer may.
	_ = http.NewResponseController(req.w).SetWriteDeadline(time.Now().Add(proveLimit)) // without it a long proof is cut off, and can be seen afterwards
	p, err := req.o.Admin.ProveAudit(req.Context(), req.caller)
	switch {
	case err != nil:
		return err
	case p.OK():
		req.flash("The audit is whole.")
	case len(p.Faults) == 0:
		req.flash("The audit is not whole for now: retention is at work, or was stopped.")
	default:
		req.flash("The audit is not whole: see what was found.")
	}
	req.seeOther("/admin/audit")
	return nil
}

// proveLimit is how long an answer waits for a proof.
const proveLimit = 5 * time.Minute
