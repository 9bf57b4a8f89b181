package hallpass

import "time"

// FirstOrg is the org that a new installation begins with.
const FirstOrg OrgID = 1

// An Org is an organisation. It separates its service accounts, tokens and members
// from those of every other org. An Org is a plain value.
type Org struct {
	ID        OrgID
	Name      string // unique on the server, case-folded
	Address   Address
	File      string // the provisioning file that declares it; empty: none does
	CreatedAt time.Time
	UpdatedAt time.Time
}

// An Address is an org's postal address; every part may be empty.
type Address struct {
	Address1, Address2, City, ZipCode, State, Country string
}

// A Member is a user's membership in an org.
type Member struct {
	Org      OrgID
	User     User
	Role     Role
	JoinedAt time.Time
	Given    Given // where lists tell it
}

// A UserOrg is an org that a user is a member of.
type UserOrg struct {
	Org  OrgID
	Name string
	Role Role
}

// An OrgSummary is an org with how much is in it. It is a plain value.
type OrgSummary struct {
	Org
	Members    int
	Accounts   int
	LiveTokens int // that have not ended; those that are paused among them
	Teams      int
	Guards     int
	Folders    int
	Dashboards int
}
