package wire

import "time"

// Attention is GET /api/attention: what needs doing, section by section, the most
// urgent first. Sections that the caller may not read are left out.
type Attention struct {
	Sections    []AttentionSection `json:"sections"`
	FailingWork []FailingJob       `json:"failingWork"` // of the server that answers, told to those who may read its nodes
}

// FailingJob is background work of the server whose last run failed.
type FailingJob struct {
	Name  string     `json:"name"` // as "notices"
	Does  string     `json:"does"` // in words
	Error string     `json:"error"`
	RanAt *time.Time `json:"ranAt,omitempty"` // when the last run began
}

// AttentionSection is one section of an Attention.
type AttentionSection struct {
	Section string         `json:"section"` // as "never-used"
	Title   string         `json:"title"`
	Total   int            `json:"total"` // of its rows; after "after", if that was given
	More    bool           `json:"more"`  // there are more than total
	Rows    []AttentionRow `json:"rows"`
	Next    string         `json:"next"` // gives the next rows as "after"; "": there are none
}

// AttentionRow says what needs doing about one subject, and the one right action. What
// a section does not have is left out.
type AttentionRow struct {
	Section string `json:"section"`
	Subject string `json:"subject"` // as "token:7", "serviceaccount:3", "channel:2", of a guard "guard:4:0", of its rule 1 "guard:4:1"
	What    string `json:"what"`    // in words
	Action  string `json:"action"`  // as "rotate"
	Reason  string `json:"reason,omitempty"`

	TokenID           int64      `json:"tokenId,omitempty"`
	Token             string     `json:"token,omitempty"` // its name
	LastFour          string     `json:"lastFour,omitempty"`
	State             string     `json:"state,omitempty"`
	Created           *time.Time `json:"created,omitempty"`
	Expiration        *time.Time `json:"expiration,omitempty"`
	ReplacedByID      int64      `json:"replacedById,omitempty"`
	ClosesAt          *time.Time `json:"closesAt,omitempty"`
	LastUsedAt        *time.Time `json:"lastUsedAt,omitempty"`
	LastUsedAddress   string     `json:"lastUsedAddress,omitempty"`
	LastUsedUserAgent string     `json:"lastUsedUserAgent,omitempty"`

	ServiceAccountID int64  `json:"serviceAccountId,omitempty"`
	ServiceAccount   string `json:"serviceAccount,omitempty"` // its name
	Login            string `json:"login,omitempty"`
	Role             string `json:"role,omitempty"`
	Owner            string `json:"owner,omitempty"`
	LowerRole        string `json:"lowerRole,omitempty"`     // the role that is enough
	SecondsToLive    int64  `json:"secondsToLive,omitempty"` // of set-end: the lifetime of the token that replaces it

	ChannelID int64  `json:"channelId,omitempty"`
	Channel   string `json:"channel,omitempty"`
	Guard     string `json:"guard,omitempty"`
	Rule      int    `json:"rule,omitempty"`

	Since     *time.Time `json:"since,omitempty"` // of tries: the first within the hour; of an API that fails: the first minute
	Last      *time.Time `json:"last,omitempty"`  // of tries: the last; of refusals: its day; of an API that fails: the last minute
	Count     int64      `json:"count,omitempty"`
	Answers   int64      `json:"answers,omitempty"` // of an API that fails, since then
	Failed    int64      `json:"failed,omitempty"`  // of answers: errors
	Address   string     `json:"address,omitempty"` // where the last try came from
	UserAgent string     `json:"userAgent,omitempty"`
}

// SetSnooze is PUT /api/attention/{section}/{subject}/snooze. Days that are 0 or absent
// are 30.
type SetSnooze struct {
	Reason string `json:"reason"`
	Days   int64  `json:"days"`
}

// Snooze is its answer, and a row of GET /api/attention/snoozes.
type Snooze struct {
	Section string    `json:"section"`
	Subject string    `json:"subject"`
	Until   time.Time `json:"until"`
	Reason  string    `json:"reason"`
	Created time.Time `json:"created"`
	By      string    `json:"by"` // login
}
