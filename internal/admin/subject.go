package admin

import (
	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// errNoSubject has the error about a subject that the org does not have.
var errNoSubject = map[hallpass.SubjectKind]error{
	hallpass.TokenSubject:   &hallpass.Error{Kind: hallpass.NotFound, ID: "serviceaccounts.ErrTokenNotFound", Message: "service account token not found"},
	hallpass.AccountSubject: errNoAccount,
	hallpass.ChannelSubject: &hallpass.Error{Kind: hallpass.NotFound, ID: "notifications.channel-not-found", Message: "Channel not found"},
	hallpass.GuardSubject:   &hallpass.Error{Kind: hallpass.NotFound, ID: "guard.not-found", Message: "Guard not found"},
	hallpass.OrgSubject:     errOrgNotFound,
}

// subjects are those of some subjects that an org has.
type subjects struct {
	org      hallpass.OrgID
	tokens   map[hallpass.TokenID]hallpass.Token
	accounts map[hallpass.ServiceAccountID]hallpass.ServiceAccount
	channels map[hallpass.ChannelID]hallpass.Channel
	guards   map[hallpass.GuardID]hallpass.Guard
}

// subjectsOf reads the subjects, of which there may be many: those of each kind in one
// statement.
func subjectsOf(tx *store.Tx, org hallpass.OrgID, list ...hallpass.Subject) (s subjects, err error) {
	s.org = org
	if s.tokens, err = tx.TokensByID(org, idsOf[hallpass.TokenID](list, hallpass.TokenSubject)); err != nil {
		return s, err
	}
	if s.accounts, err = tx.ServiceAccountsByID(org, idsOf[hallpass.ServiceAccountID](list, hallpass.AccountSubject)); err != nil {
		return s, err
	}
	if s.channels, err = tx.ChannelsByID(org, idsOf[hallpass.ChannelID](list, hallpass.ChannelSubject)); err != nil {
		return s, err
	}
	s.guards, err = tx.GuardsByID(org, idsOf[hallpass.GuardID](list, hallpass.GuardSubject))
	return s, err
}

// idsOf returns the IDs of the subjects of the kind.
func idsOf[ID ~int64](list []hallpass.Subject, kind hallpass.SubjectKind) (ids []ID) {
	for _, s := range list {
		if s.Kind == kind {
			ids = append(ids, ID(s.ID))
		}
	}
	return ids
}

// needs returns what reading one of the subjects demands, and what changing it. It is
// false if the org does not have the subject.
func (s subjects) needs(of hallpass.Subject) (read, write need, exists bool) {
	scope := hallpass.Scope("")
	reads, writes := hallpass.OrgsWrite, hallpass.OrgsWrite
	switch of.Kind {
	case hallpass.TokenSubject:
		var t hallpass.Token
		t, exists = s.tokens[hallpass.TokenID(of.ID)]
		scope, reads, writes = t.ServiceAccount.Scope(), hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite
	case hallpass.AccountSubject:
		id := hallpass.ServiceAccountID(of.ID)
		_, exists = s.accounts[id]
		scope, reads, writes = id.Scope(), hallpass.ServiceAccountsRead, hallpass.ServiceAccountsWrite
	case hallpass.ChannelSubject:
		_, exists = s.channels[hallpass.ChannelID(of.ID)]
	case hallpass.GuardSubject:
		var g hallpass.Guard
		g, exists = s.guards[hallpass.GuardID(of.ID)]
		scope, reads, writes = g.Scope(), hallpass.GuardsRead, hallpass.GuardsWrite
	case hallpass.OrgSubject:
		exists = of.ID == int64(s.org)
	}
	return need{action: reads, scope: scope}, need{action: writes, scope: scope}, exists
}
