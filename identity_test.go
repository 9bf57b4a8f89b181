package hallpass_test

import (
	"errors"
	"testing"

	"github.com/hallpass-dev/hallpass"
)

func TestSignInPolicyAdmits(t *testing.T) {
	company := hallpass.SignInPolicy{Domains: []string{"example.com", "Example.org"}}
	anybody := hallpass.SignInPolicy{Domains: []string{hallpass.AnyDomain}}
	inGroup, strict := anybody, anybody
	inGroup.Groups = []string{"ops", "dev"}
	strict.Role, strict.RoleStrict = true, true
	ada := hallpass.OutsideUser{Email: "ada@example.com", EmailProven: true}
	for _, tt := range []struct {
		name   string
		policy hallpass.SignInPolicy
		user   hallpass.OutsideUser
		id     string // of the refusal; empty: admitted
	}{
		{"the zero policy", hallpass.SignInPolicy{}, ada, "federation.domain"},
		{"of the company", company, ada, ""},
		{"in another case", company, hallpass.OutsideUser{Email: "ada@EXAMPLE.ORG", EmailProven: true}, ""},
		{"of a company below", company, hallpass.OutsideUser{Email: "ada@evil.example.com", EmailProven: true}, "federation.domain"},
		{"of a company that ends alike", company, hallpass.OutsideUser{Email: "ada@evilexample.com", EmailProven: true}, "federation.domain"},
		{"two at signs", company, hallpass.OutsideUser{Email: "ada@example.com@evil.com", EmailProven: true}, "federation.domain"},
		{"a domain alone", company, hallpass.OutsideUser{Email: "@example.com", EmailProven: true}, "federation.domain"},
		{"an address that is not proven", company, hallpass.OutsideUser{Email: "ada@example.com"}, "federation.email-unproven"},
		{"no address", company, hallpass.OutsideUser{}, "federation.domain"},
		{"anybody", anybody, hallpass.OutsideUser{}, ""},
		{"in no group", inGroup, ada, "federation.group"},
		{"in another group", inGroup, hallpass.OutsideUser{Groups: []string{"op", "OPS"}}, "federation.group"},
		{"in a group", inGroup, hallpass.OutsideUser{Groups: []string{"hr", "dev"}}, ""},
		{"no role", strict, ada, "federation.role"},
		{"the role None", strict, hallpass.OutsideUser{HasRole: true}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.policy.Admits(tt.user)
			var refusal *hallpass.Error
			if errors.As(err, &refusal); (err == nil) != (tt.id == "") || err != nil && (refusal.ID != tt.id || refusal.Kind != hallpass.Denied) {
				t.Errorf("%v, want %q", err, tt.id)
			}
		})
	}
}

func TestOutsideUserNames(t *testing.T) {
	for _, tt := range []struct {
		name         string
		user         hallpass.OutsideUser
		login, email string // empty: refused
	}{
		{"both", hallpass.OutsideUser{Login: "ada", Email: "ada@example.com", EmailProven: true}, "ada", "ada@example.com"},
		{"no address", hallpass.OutsideUser{Login: "ada"}, "ada", "ada"},
		{"an address that is not proven", hallpass.OutsideUser{Login: "ada", Email: "boss@example.com"}, "ada", "ada"},
		{"no login", hallpass.OutsideUser{Email: "ada@example.com", EmailProven: true}, "ada@example.com", "ada@example.com"},
		{"a login that is the address", hallpass.OutsideUser{Login: "Ada@example.com", Email: "ada@example.com", EmailProven: true}, "Ada@example.com", "ada@example.com"},
		{"a login that is somebody's address", hallpass.OutsideUser{Login: "boss@example.com", Email: "ada@example.com", EmailProven: true}, "ada@example.com", "ada@example.com"},
		{"a login that is an address that is not proven", hallpass.OutsideUser{Login: "boss@example.com", Email: "boss@example.com"}, "", ""},
		{"nothing", hallpass.OutsideUser{}, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			login, email, err := tt.user.Names()
			if login != tt.login || email != tt.email || (err != nil) != (tt.login == "") {
				t.Errorf("%q, %q, %v; want %q, %q", login, email, err, tt.login, tt.email)
			}
		})
	}
}
