package notice_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
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
	if i := strings.IndexAny(text.String(), "<>*`~"); i >= 0 {
		t.Errorf("a mark at %q", text.String()[i:])
	}
}
