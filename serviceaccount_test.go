package hallpass_test

import (
	"testing"
	"time"

	"github.com/hallpass-dev/hallpass"
)

func TestServiceAccountLogin(t *testing.T) {
	for _, tt := range []struct {
		org  hallpass.OrgID
		name string
		want string
	}{
		{1, "ci", "sa-1-ci"},
		{1, "Dashboard Sync", "sa-1-dashboard-sync"},
		{27, "A  b", "sa-27-a--b"},
		{1, "ÄRGER", "sa-1-ärger"},
	} {
		if got := hallpass.ServiceAccountLogin(tt.org, tt.name); got != tt.want {
			t.Errorf("ServiceAccountLogin(%d, %q) = %q, want %q", tt.org, tt.name, got, tt.want)
		}
	}
}

func TestManagedIsTheOneAccount(t *testing.T) {
	set := hallpass.NewPermissions(managedAccount(7)...)
	for _, action := range []hallpass.Action{
		hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite, hallpass.ServiceAccountsDelete,
		hallpass.ServiceAccountsPermissionsRead, hallpass.ServiceAccountsPermissionsWrite,
	} {
		if !set.Has(hallpass.Permission{Action: action, Scope: "serviceaccounts:id:7"}) {
			t.Errorf("%s on the managed account is missing", action)
		}
		for _, other := range []hallpass.Scope{"serviceaccounts:id:8", "serviceaccounts:id:70", "serviceaccounts:id:*", "serviceaccounts:*", "*"} {
			if set.Has(hallpass.Permission{Action: action, Scope: other}) {
				t.Errorf("managing account 7 gives %s on %s", action, other)
			}
		}
	}
	if set.Has(hallpass.Permission{Action: hallpass.ServiceAccountsCreate}) {
		t.Error("managing an account gives the right to create others")
	}
}

func TestExpiresSoon(t *testing.T) {
	for _, tt := range []struct {
		name string
		next time.Time
		want bool
	}{
		{"no token expires", time.Time{}, false},
		{"in an hour", noon.Add(time.Hour), true},
		{"in seven days", noon.AddDate(0, 0, 7), true},
		{"in more than seven days", noon.AddDate(0, 0, 7).Add(time.Microsecond), false},
	} {
		if got := (hallpass.ServiceAccountSummary{TokenFigures: hallpass.TokenFigures{NextExpiry: tt.next}}).ExpiresSoon(noon); got != tt.want {
			t.Errorf("%s: soon = %v, want %v", tt.name, got, tt.want)
		}
	}
}
