package store

import (
	"fmt"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// A Holding picks service accounts by the roles that they have. The zero Holding picks
// none.
type Holding struct {
	Basic []hallpass.Role      // accounts with any of these basic roles
	Roles []hallpass.NamedRole // accounts that were given any of these, themselves or through a team
}

// where is the condition that h picks the account a of the org that $1 stands for.
func (h Holding) where(bind func(any) string) string {
	var ways []string
	if len(h.Basic) > 0 {
		var names []string
		for _, r := range h.Basic {
			names = append(names, "'"+r.String()+"'")
		}
		ways = append(ways, `a.role IN (`+strings.Join(names, ", ")+`)`)
	}
	if len(h.Roles) > 0 {
		var roles []string
		for _, r := range h.Roles {
			roles = append(roles, fmt.Sprintf(`(%d, CAST(%s AS TEXT))`, r.Org, bind(r.UID)))
		}
		of := `ra.org_id IN (0, $1) AND (ra.role_org, ra.role_uid) IN (VALUES ` + strings.Join(roles, ", ") + `)`
		ways = append(ways, `a.id IN (
			SELECT ra.grantee_id FROM role_assignments ra WHERE ra.kind = 'principal' AND `+of+`
			UNION ALL
			SELECT m.principal_id FROM role_assignments ra JOIN team_members m ON m.team_id = ra.grantee_id AND m.org_id = $1 WHERE ra.kind = 'team' AND `+of+`)`)
	}
	if len(ways) == 0 {
		return `1 = 0`
	}
	return `(` + strings.Join(ways, " OR ") + `)`
}

// CountHoldings returns how many of the org's service accounts each of the holdings
// picks; limit stands for limit and more. It is one statement.
func (tx *Tx) CountHoldings(org hallpass.OrgID, list []Holding, limit int) ([]int, error) {
	if len(list) == 0 {
		return nil, nil
	}
	args := []any{org}
	var columns []string
	counts, into := make([]int, len(list)), make([]any, len(list))
	for i, h := range list {
		columns = append(columns, fmt.Sprintf(`(SELECT COUNT(*) FROM (SELECT a.id FROM service_accounts a WHERE a.org_id = $1 AND %s LIMIT %d) held)`, h.where(binder(&args)), limit))
		into[i] = &counts[i]
	}
	if err := tx.sql.QueryRow(`SELECT `+strings.Join(columns, ",\n"), args...).Scan(into...); err != nil {
		return nil, fmt.Errorf("store: count who holds: %w", err)
	}
	return counts, nil
}
