package hallpass

import "strconv"

// IDs are small positive integers, given once and never again. Users and
// service accounts draw from one counter, so that a number names one
// principal; every other noun has its own. Zero is no ID.
type (
	OrgID            int64
	UserID           int64
	ServiceAccountID int64
	TokenID          int64
	SessionID        int64
	AuditID          int64
	TeamID           int64
	GrantID          int64
	FolderID         int64
	DashboardID      int64
	GuardID          int64
	ChannelID        int64
	NoticeID         int64
)

// ParseID reads a decimal ID as it stands in a path: digits alone, no sign, no
// leading zero, within int64, not zero.
func ParseID(s string) (int64, bool) {
	if s == "" || s[0] < '1' || s[0] > '9' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// ValidUID reports whether s has the form of a uid: a letter, then letters,
// digits, dashes and underscores, 40 characters at most. Ours are 14 characters
// of 0-9a-z; the wider form admits imported ones. A uid is never a number.
func ValidUID(s string) bool {
	if s == "" || len(s) > 40 || !letter(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !letter(c) && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func letter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

// Scope returns the scope of the user as a member of an org.
func (id UserID) Scope() Scope { return Scope("users:id:" + strconv.FormatInt(int64(id), 10)) }

// GlobalScope returns the scope of the user on the server.
func (id UserID) GlobalScope() Scope {
	return Scope("global.users:id:" + strconv.FormatInt(int64(id), 10))
}
