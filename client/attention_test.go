package client_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// TestAttention reads what needs doing, and puts it off.
func TestAttention(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	k := f.token(wire.CreateToken{Name: "ever"})
	subject := "token:" + strconv.FormatInt(k.ID, 10)
	const section = "never-ends"
	waiting := func() bool {
		for _, s := range of(f.Attention(ctx, 5))(t).Sections {
			if s.Section == section {
				return s.Total == 1 && s.Rows[0].Subject == subject
			}
		}
		return false
	}
	if !waiting() {
		t.Fatal("the token that never ends does not need attention")
	}
	if rows := of(f.AttentionRows(ctx, section, 100))(t); len(rows) != 1 || rows[0].TokenID != k.ID {
		t.Errorf("the section: %+v", rows)
	}
	var one, all strings.Builder
	for to, section := range map[*strings.Builder]string{&one: section, &all: ""} {
		if err := f.ExportAttention(ctx, section, to); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Count(one.String(), "\n") != 2 || !strings.Contains(one.String(), subject) || !strings.Contains(all.String(), one.String()[strings.Index(one.String(), "\n")+1:]) {
		t.Errorf("the tables:\n%s\n%s", &one, &all)
	}
	z := of(f.Snooze(ctx, section, subject, wire.SetSnooze{Reason: "in May", Days: 3}))(t)
	if waiting() || z.By != "admin" || len(of(f.Snoozes(ctx))(t)) != 1 {
		t.Errorf("it was put off: %+v", z)
	}
	of(f.EndSnooze(ctx, section, subject))(t)
	if !waiting() {
		t.Error("it does not come back")
	}
	refused(t, f.ExportAttention(ctx, "tomorrow", &all), 400, "request.malformed")
}

// TestTokenPolicy sets what an org does about tokens that nobody uses, and deletes the
// tokens that have ended.
func TestTokenPolicy(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	k := f.token(wire.CreateToken{Name: "deploy"})
	in := wire.TokenPolicy{StaleAfterDays: 30, WarnDays: []int{7}, Pause: true, DeleteAfterPausedDays: 30, Exempt: []string{"owner:dev"}}
	if p := of(f.PreviewTokenPolicy(ctx, in, 90))(t); len(p.Tokens) != 1 || p.Tokens[0].TokenID != k.ID || len(p.Tokens[0].Steps) == 0 {
		t.Errorf("preview: %+v", p)
	}
	if p := of(f.TokenPolicy(ctx))(t); p.StaleAfterDays != 0 {
		t.Errorf("a preview set the policy: %+v", p)
	}
	if p := of(f.SetTokenPolicy(ctx, in))(t); p.StaleAfterDays != 30 || p.UpdatedBy != "admin" {
		t.Errorf("set: %+v", p)
	}
	if r := of(client.New(f.s.URL, k.Key).TokenRules(ctx))(t); r.Stale.StaleAfterDays != 30 || r.ExpirationRequired {
		t.Errorf("the rules: %+v", r)
	}
	of(f.RotateToken(ctx, f.account, k.ID, wire.RotateToken{}, ""))(t)
	of(f.RetireToken(ctx, f.account, k.ID))(t)
	if d := of(f.DeleteDeadTokens(ctx, f.account))(t); d.Deleted != 1 {
		t.Errorf("deleted: %+v", d)
	}
}

// TestChannels makes, changes and deletes a channel of notices.
func TestChannels(t *testing.T) {
	f, ctx := newFleet(t), t.Context()
	to := func(s string) *string { return &s }
	made := of(f.CreateChannel(ctx, wire.WriteChannel{Name: to("pager"), Type: to("webhook"), URL: to("https://pager.example.com/x")}))(t)
	if c := of(f.UpdateChannel(ctx, made.ID, wire.WriteChannel{Name: to("the pager")}))(t); c.Name != "the pager" || c.URL != "https://pager.example.com/x" {
		t.Errorf("changed: %+v", c)
	}
	if c := of(f.Channel(ctx, made.ID))(t); c.Name != "the pager" {
		t.Errorf("read: %+v", c)
	}
	d := of(f.TestChannel(ctx, made.ID))(t)
	if list := of(f.Deliveries(ctx, made.ID, "", 0))(t); len(list.Messages) != 1 || list.Messages[0].ID != d.ID {
		t.Errorf("deliveries: %+v", list)
	}
	if r := of(f.RetryNotices(ctx, made.ID))(t); r.Retried != 0 {
		t.Errorf("retried: %+v", r)
	}
	_, err := f.RetryNotice(ctx, made.ID, d.ID)
	refused(t, err, 404, "notifications.message-not-found")
	of(f.DeleteChannel(ctx, made.ID))(t)
	if n := of(f.Notifications(ctx))(t); len(n.Channels) != 0 || len(n.Days) == 0 {
		t.Errorf("after the deletion: %+v", n)
	}
}
