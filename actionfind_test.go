package hallpass_test

import (
	"testing"

	"github.com/hallpass-dev/hallpass"
)

// TestFindActions finds actions by a part of their name, by what they do, and by words that
// mean the same.
func TestFindActions(t *testing.T) {
	for text, want := range map[string]hallpass.Action{
		"serviceaccounts:wr":      hallpass.ServiceAccountsWrite,
		"PERM dash":               hallpass.DashboardsPermissionsRead,
		"edit dashboards":         hallpass.DashboardsWrite,
		"share folders":           hallpass.FoldersPermissionsWrite,
		"history":                 hallpass.AuditRead,
		"who is in teams":         hallpass.TeamsPermissionsWrite,
		"remove  service account": hallpass.ServiceAccountsDelete,
		"":                        hallpass.OrgsRead,
	} {
		found := false
		for _, row := range hallpass.FindActions(text) {
			found = found || row.Action == want
		}
		if !found {
			t.Errorf("%q does not find %s", text, want)
		}
	}
	if got := len(hallpass.FindActions("")); got != len(hallpass.Actions()) {
		t.Errorf("no text finds %d actions, want all %d", got, len(hallpass.Actions()))
	}
	if got := hallpass.FindActions("zebra"); got != nil {
		t.Errorf("zebra finds %v", got)
	}
	if got := hallpass.FindActions("audit read folders"); got != nil {
		t.Errorf("words of several actions find %v", got)
	}
}
