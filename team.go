package hallpass

import (
	"strconv"
	"strings"
	"time"
)

// A Team is a group of principals of an org that share roles and access. A Team
// is a plain value.
type Team struct {
	ID        TeamID
	UID       string // unique in the org
	Org       OrgID
	Name      string // unique in the org, case-folded
	Email     string
	Members   int64  // filled in by lists
	File      string // the provisioning file that declares it; empty: none does
	CreatedAt time.Time
	UpdatedAt time.Time
}

// Scope returns the scope of the team.
func (id TeamID) Scope() Scope { return TeamResource.Scope(strconv.FormatInt(int64(id), 10)) }

// TidyTeam brings the name of a team into the form in which it is kept. It returns an
// Invalid error that names the field if name or address break a rule of their form.
func TidyTeam(name *string, email string) error {
	if err := TidyName("name", name); err != nil {
		return err
	}
	return ValidateText("email", email, MaxName)
}

// maxGroup is the longest name of an outside group, in bytes: an index of PostgreSQL takes
// no longer ones.
const maxGroup = 1024

// TidyGroup brings the name of an outside group into the form in which it is kept; Invalid
// if it breaks a rule of its form.
func TidyGroup(group *string) error {
	*group = strings.TrimSpace(*group)
	if len(*group) > maxGroup {
		return Invalidf("groupId", "groupId is longer than %d bytes", maxGroup)
	}
	if *group == "" {
		return Invalidf("groupId", "groupId is required")
	}
	return ValidateText("groupId", *group, maxGroup)
}

// A TeamMember is a principal's membership in a team. An Admin manages the team; a
// member has what the team was given.
type TeamMember struct {
	Team      TeamID
	Principal PrincipalInfo
	Admin     bool
	Synced    bool // an outside group put the principal in; set when the membership begins
	JoinedAt  time.Time
}

// Level returns the level of access to the team that membership is.
func (m TeamMember) Level() Level {
	if m.Admin {
		return LevelAdmin
	}
	return LevelMember
}

// PrincipalInfo is what people need to recognise a principal.
type PrincipalInfo struct {
	Principal
	UID   string
	Name  string
	Email string // of a user
}

// Preferences are how a user, team or org wants pages to look. Every part may
// be empty.
type Preferences struct {
	Theme            string
	HomeDashboardUID string
	Timezone         string
	WeekStart        string
	Language         string
}
