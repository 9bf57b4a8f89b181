package hallpass

import "slices"

// auditActions lists the actions of audit entries, apart from the permissions that
// refused callers lacked. It stands on the lowest floor because store, verify and
// admin write such entries, and the doors search for them. Add every new action
// here: a test server fails its test when the audit holds an action that is not in
// the list.
var auditActions = []string{
	"attention.snooze", "attention.wake", AuditPrune,
	"channel.create", "channel.delete", "channel.disable", "channel.retry", ChannelTest, "channel.update",
	"dashboard.create", "dashboard.delete", "dashboard.update", "database.write",
	"folder.create", "folder.delete", "folder.move", "folder.update",
	"guard.create", "guard.delete", "guard.request", "guard.update",
	"history.reapply", "identity.create", "identity.delete", "installation.begin",
	"member.add", "member.remove", "member.update",
	"org.create", "org.current", "org.delete", "org.preferences", "org.token-policy", "org.update",
	"password.change", "password.reset", "password.set", "password.verify",
	"permission.set", MoreRefusals, "request.cross-origin",
	"role.assign", "role.assignments.set", "role.create", "role.delete", "role.reset", "role.unassign", "role.update", "roles.set",
	"serviceaccount.create", "serviceaccount.delete", "serviceaccount.disable", "serviceaccount.enable", "serviceaccount.update",
	"session.create", "session.end",
	"team.create", "team.delete", "team.group.add", "team.group.remove", "team.member.remove", "team.member.set", "team.members.set",
	"team.preferences", "team.update",
	"token.create", "token.delete", "token.extend", "token.pause", "token.reissue", "token.resume", "token.retire", "token.rotate", "token.undo", "token.update", "token.revoke", "token.stale", "token.prune", TokenVerify,
	"user.create", "user.delete", "user.demote", "user.disable", "user.enable", "user.logout", "user.org", "user.preferences", "user.promote",
	"user.self", "user.sync", "user.update",
}

// Actions of entries that one package writes and another looks for.
const (
	MoreRefusals = "refusals.more" // counts the refusals of a caller beyond those that have entries of their own within the minute
	ChannelTest  = "channel.test"  // somebody tried a channel
	TokenVerify  = "token.verify"  // somebody presented a token that is known, and it was refused
)

// AuditActions lists the actions of audit entries, apart from the permissions that refused
// callers lacked. The list is a copy.
func AuditActions() []string { return slices.Clone(auditActions) }

// AuditAction reports whether a server of this version itself writes entries with
// the action name: a change, or a permission that a caller lacked. An API behind
// the guard may demand other permissions.
func AuditAction(name string) bool {
	return slices.Contains(auditActions, name) || name != "" && !Action(name).Foreign()
}

// NearestAuditAction returns the known audit action with the smallest edit distance
// to name, and that distance.
func NearestAuditAction(name string) (nearest string, least int) {
	try := func(known string) {
		if n := Distance(name, known); nearest == "" || n < least || n == least && known < nearest {
			nearest, least = known, n
		}
	}
	for _, known := range auditActions {
		try(known)
	}
	for known := range vocabulary {
		try(string(known))
	}
	return nearest, least
}
