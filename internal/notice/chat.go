package notice

import (
	"net/netip"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

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
	"](", "]"+joint+"(", "][", "]"+joint+"[", // [text](https://evil.example)
	":", ":"+joint, "#", "#"+joint, // https://evil.example, tel:112, [a]: evil.example, :tada:, #channel
	"*", "∗", "`", "ˋ", "~", "∼", "||", "|"+joint+"|", // bold, code, and text that is struck out or hidden
)

// chatText returns a text so that it stands in a message to a chat as it is: it calls
// nobody, links to nothing, and does not change how the rest looks. Every text of a
// message goes through it but the links that the server makes itself. Addresses of the
// network can be copied: they stand as code, in which no chat looks for a mark or a link.
func chatText(text string) string {
	var b strings.Builder
	from := 0
	for _, at := range addressLike.FindAllStringIndex(text, -1) {
		if begin, end := at[0], at[1]; isAddress(text, begin, end) {
			b.WriteString(plainText(text[from:begin]) + "`" + text[begin:end] + "`")
			from = end
		}
	}
	return b.String() + plainText(text[from:])
}

// addressLike finds what may be an IP address or a network.
var addressLike = regexp.MustCompile(`(?:[0-9A-Fa-f]|::)(?:[0-9A-Fa-f.:]*(?:[0-9A-Fa-f]|::))?(?:/[0-9]+)?`)

// isAddress reports whether the part of the text is an IP address or a network, and a word
// of its own.
func isAddress(text string, begin, end int) bool {
	before, _ := utf8.DecodeLastRuneInString(text[:begin])
	after, size := utf8.DecodeRuneInString(text[end:])
	next, _ := utf8.DecodeRuneInString(text[end+size:])
	if strings.ContainsRune("/@._-%", before) || inWord(before) || strings.ContainsRune("/@_-%", after) || inWord(after) || after == '.' && inWord(next) {
		return false
	}
	_, noAddress := netip.ParseAddr(text[begin:end])
	_, noNetwork := netip.ParsePrefix(text[begin:end])
	return noAddress == nil || noNetwork == nil
}

// plainText is chatText for a text without addresses.
func plainText(text string) string {
	text = chatMarks.Replace(text)
	if !strings.ContainsAny(text, "._") {
		return text
	}
	var b strings.Builder
	signs := []rune(text)
	for i, r := range signs {
		inside := i > 0 && inWord(signs[i-1]) && i+1 < len(signs) && inWord(signs[i+1])
		switch {
		case r == '.' && inside: // evil.example, which some make a link
			b.WriteString("." + joint)
		case r == '_' && !inside: // _slanted_, __bold__; not ci_job
			b.WriteString("ˍ")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// inWord reports whether the sign is of a word, as chats take it.
func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
