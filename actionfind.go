package hallpass

import "strings"

// otherWords are words that people search actions by, beside those of the table of
// actions, by a word of the table.
var otherWords = []struct{ word, others string }{
	{"read", "view see look list show get open"},
	{"change", "edit update write modify set rename rotate"},
	{"create", "add new make"},
	{"delete", "remove destroy"},
	{"add", "give grant assign"},
	{"remove", "take away unassign withdraw kick"},
	{"enable", "unlock activate"},
	{"disable", "lock block deactivate"},
	{"sign out", "logout sign off end session"},
	{"end", "logout sign out revoke"},
	{"query", "search data metrics logs"},
	{"service accounts", "robots bots machines secrets keys"},
	{"who may", "permissions access share sharing"},
	{"who is in", "membership people"},
	{"members", "people users humans"},
	{"users of the server", "people humans logins"},
	{"organization", "org tenant"},
	{"audit log", "history events trail"},
	{"passwords", "credentials login"},
	{"guards", "proxies apis forward-auth"},
	{"folders", "directories"},
	{"dashboards", "panels graphs"},
	{"preferences", "settings theme time zone"},
	{"server admin", "superuser root"},
}

// searchWords is everything that a search for the action looks at, folded.
func (i ActionInfo) searchWords() string {
	words := []string{string(i.Action), i.Words(), string(i.Area)}
	for _, o := range otherWords {
		if strings.Contains(i.Words(), o.word) {
			words = append(words, o.others)
		}
	}
	return NameKey(strings.Join(words, " "))
}

// searched holds searchWords of each row of the table.
var searched = func() (all []string) {
	for _, row := range actionTable {
		all = append(all, row.searchWords())
	}
	return all
}()

// FindActions returns the rows of the table of actions that text finds, by area: those
// whose action, description or area has every word of text, or a word that means the
// same, whole or in part. Empty text finds all.
func FindActions(text string) (found []ActionInfo) {
	words := strings.Fields(NameKey(text))
	for i, row := range actionTable {
		if holdsAll(searched[i], words) {
			found = append(found, row)
		}
	}
	return found
}

func holdsAll(text string, words []string) bool {
	for _, w := range words {
		if !strings.Contains(text, w) {
			return false
		}
	}
	return true
}
