package notice

import "strings"

// joint is a space of no width (U+200B): it parts signs that a chat would read as one
// mark, and nobody sees it.
const joint = "\u200b"

// chatMarks has for each sign that begins a mark in a chat what is written instead. Slack
// reads &, < and > (Formatting text for app surfaces), and every escape that it knows
// stands here. Mattermost, Rocket.Chat and others that take the same messages also read
// Markdown and names after @, and have no escape that Slack does not show: there the mark
// is parted, or the sign is one that looks like it.
var chatMarks = strings.NewReplacer(
	"&", "&amp;", "<", "&lt;", ">", "&gt;", // <!channel>, <https://evil.example|text>, HTML
	"@", "@"+joint, "＠", "＠"+joint, // @here, @all, @channel, @somebody
	"](", "]"+joint+"(", "][", "]"+joint+"[", "]:", "]"+joint+":", // [text](https://evil.example)
	"://", ":"+joint+"//", "www.", "www"+joint+".", "WWW.", "WWW"+joint+".", "mailto:", "mailto"+joint+":", // addresses that become links by themselves
	"*", "∗", "`", "ˋ", "~", "∼", // bold, code, and text that is struck out
)

// chatText returns a text so that it stands in a message to a chat as it is: it calls
// nobody, links to nothing, and does not change how the rest looks. Every text of a
// message goes through it but the links that the server makes itself.
func chatText(text string) string { return chatMarks.Replace(text) }
