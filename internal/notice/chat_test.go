package notice_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
	"github.com/hallpass-dev/hallpass/internal/notice"
)

// TestChatMarks puts marks of each chat into every text that people or strangers choose:
// none comes through, and the one link is that of the server.
func TestChatMarks(t *testing.T) {
	w := newWorld(t, hallpasstest.OpenSQLite(t, t.TempDir()+"/test.db"))
	r := newReceiver(t)
	w.channel(hallpass.Channel{Kind: hallpass.SlackChannel, URL: r.URL})
	marks := []string{
		"<!channel>", "<!here|here>", "<@U123>", "<#C123>", "<https://evil.example|Open>", "<a href=x>", // Slack, Discord, HTML
		"@here", "@channel", "@all", "@everyone", "@ada", // Mattermost, Rocket.Chat, Discord
		"[Open](https://evil.example)", "![x](https://evil.example)", "[a][b]", "https://evil.example", "www.evil.example", "wWw2.evil.example", "evil.example/login", "mailto:a", "tel:112", "[a]: evil", // Markdown, and what becomes a link
		"*bold*", "~~gone~~", "`code`", "_slanted_", "__bold__", "||hidden||", ":tada:", "#general",
	}
	var list []hallpass.Notice
	for i, mark := range marks {
		for j, kind := range []hallpass.NoticeKind{hallpass.NoticeRotated, hallpass.NoticePausedUsed, hallpass.NoticePolicyChanged} {
			n := w.about(3*i+j+1, "")
			n.Kind, n.Name, n.AccountName, n.Actor, n.Reason, n.Account = kind, mark, mark, mark, mark, 0
			n.From = hallpass.From{Address: "203.0.113.9", UserAgent: mark}
			n.LastUse.UserAgent = mark
			list = append(list, n)
		}
	}
	w.notify(list...)
	w.send()
	var text strings.Builder
	for _, m := range r.messages() {
		var body struct{ Text string }
		if err := json.Unmarshal([]byte(m.body), &body); err != nil {
			t.Fatal(err)
		}
		text.WriteString(body.Text)
	}
	for _, mark := range marks {
		if strings.Contains(text.String(), mark) {
			t.Errorf("%s came through", mark)
		}
	}
	if n := strings.Count(text.String(), "•"); n != len(list) {
		t.Errorf("%d of %d notices", n, len(list))
	}
	rest := text.String()
	for _, address := range []string{"`203.0.113.9`", "`10.0.0.9`"} { // they stand as code: chats make no link of them, and they can be copied
		if n := strings.Count(rest, address); n != len(marks) {
			t.Errorf("%s stands there %d times", address, n)
		}
		rest = strings.ReplaceAll(rest, address, "")
	}
	if i := strings.IndexAny(rest, "<>*`~"); i >= 0 {
		t.Errorf("a mark at %q", rest[i:])
	}
}

// TestChatText has texts as they stand in a message. _ is the joint, which nobody sees.
func TestChatText(t *testing.T) {
	for text, want := range map[string]string{
		"from 203.0.113.9 with curl": "from `203.0.113.9` with curl", "203.0.113.9": "`203.0.113.9`", "(203.0.113.9).": "(`203.0.113.9`).", "from 203.0.113.9. Next": "from `203.0.113.9`. Next",
		"203.0.113.9, 198.51.100.7": "`203.0.113.9`, `198.51.100.7`", "203.0.113.0/24": "`203.0.113.0/24`", "2001:db8::1": "`2001:db8::1`", "[2001:db8:100:a::/64]": "[`2001:db8:100:a::/64`]",
		"::1": "`::1`", "fe80::": "`fe80::`", "203.0.113.9: refused": "`203.0.113.9`:_ refused",
		// What only looks like one stays text.
		"203.0.113.9/login": "203._0._113._9/login", "203.0.113.9.evil.example": "203._0._113._9._evil._example", "a@203.0.113.9": "a@_203._0._113._9", "https://203.0.113.9": "https:_//203._0._113._9",
		"203.0.113.999": "203._0._113._999", "203.0.113.9/33": "203._0._113._9/33", "Chrome/120.0.0.0": "Chrome/120._0._0._0", "curl/8.5.0": "curl/8._5._0", "x203.0.113.9": "x203._0._113._9",
		"203.0.113.9:443": "203._0._113._9:_443", "203.0.113.9-evil": "203._0._113._9-evil", "1.2": "1._2", ":100:": ":_100:_", "12:30": "12:_30", "bad cafe": "bad cafe", "`203.0.113.9`": "ˋ`203.0.113.9`ˋ",
		"<203.0.113.9|Open>": "&lt;`203.0.113.9`|Open&gt;", "[Open](203.0.113.9)": "[Open]_(`203.0.113.9`)", "": "",
	} {
		want := strings.ReplaceAll(want, "_", "\u200b")
		if got := notice.ChatText(text); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}
