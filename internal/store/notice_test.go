package store_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

func newChannel(t *testing.T, db *store.DB, c hallpass.Channel) hallpass.Channel {
	t.Helper()
	c.CreatedAt, c.UpdatedAt = noon, noon
	if c.Kinds == nil {
		c.Kinds = hallpass.DefaultNoticeKinds()
	}
	write(t, db, func(tx *store.Tx) (err error) {
		c, err = tx.CreateChannel(c)
		return err
	})
	return c
}

// deliveries returns what is on its way to the channel, the newest first.
func deliveries(t *testing.T, db *store.DB, c hallpass.Channel) (list []hallpass.Delivery) {
	t.Helper()
	err := db.Read(t.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.Deliveries(c.ID, "", 0, 100)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestNotify writes notices: each channel that takes one gets it once, with all that it
// tells, and mail goes to the owner.
func TestNotify(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org, other := newOrg(t, db, "Main Org."), newOrg(t, db, "Other")
		a := newAccount(t, db, org.ID, "ci")
		a.Owner = "Ada <ada@example.com>"
		tok, err := createToken(db, t.Context(), a, "t", noon, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		hook := newChannel(t, db, hallpass.Channel{Org: org.ID, Name: "hook", Kind: hallpass.WebhookChannel, URL: "https://example.com/", Signature: hallpass.SignatureV1a})
		post := newChannel(t, db, hallpass.Channel{Org: org.ID, Name: "post", Kind: hallpass.MailChannel, Addresses: []string{"ops@example.com", "sec@example.com"}})
		quiet := newChannel(t, db, hallpass.Channel{Org: org.ID, Name: "off", Kind: hallpass.SlackChannel, Disabled: true})
		foreign := newChannel(t, db, hallpass.Channel{Org: other.ID, Name: "hook", Kind: hallpass.SlackChannel})
		n := hallpass.TokenNotice(hallpass.NoticeExpiring, tok, a, noon.Add(time.Minute))
		n.Mark, n.Days, n.Reason = "1", 1, "glsa_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa \x00"
		n.LastUse = hallpass.Use{At: noon, Address: "10.0.0.9", UserAgent: "curl/8"}
		for range 2 {
			write(t, db, func(tx *store.Tx) error { return tx.Notify(n) })
		}
		got := deliveries(t, db, hook)
		if len(got) != 1 {
			t.Fatalf("%d notices at the webhook", len(got))
		}
		want := n
		want.Reason = hallpass.Clean(n.Reason, 1000)
		if d := cmp.Diff(want, got[0].Notice); d != "" || got[0].State != hallpass.NoticeDue || !got[0].NextAt.Equal(n.At) {
			t.Errorf("read again: %+v\n%s", got[0], d)
		}
		if m := deliveries(t, db, post); len(m) != 1 || m[0].Recipient != "ada@example.com" {
			t.Errorf("mail: %+v", m)
		}
		n.Owner, n.Mark = "the ops team", "2"
		write(t, db, func(tx *store.Tx) error { return tx.Notify(n) })
		if m := deliveries(t, db, post); len(m) != 3 || m[0].Recipient != "sec@example.com" || m[1].Recipient != "ops@example.com" {
			t.Errorf("mail of an owner without an address: %+v", m)
		}
		n.Kind = hallpass.NoticeNewPlace
		write(t, db, func(tx *store.Tx) error { return tx.Notify(n) })
		n.Kind, n.ExpiresAt = hallpass.NoticeExpired, noon.Add(-time.Second)
		write(t, db, func(tx *store.Tx) error { return tx.Notify(n) })
		if m := deliveries(t, db, hook); len(m) != 2 {
			t.Errorf("the webhook has what it does not take, or what was before it: %+v", m)
		}
		for _, c := range []hallpass.Channel{quiet, foreign} {
			if m := deliveries(t, db, c); len(m) != 0 {
				t.Errorf("channel %s of org %d has %+v", c.Name, c.Org, m)
			}
		}
	})
}

// TestNotifyIsCommitted writes a notice in a transaction that fails: nothing is told.
func TestNotifyIsCommitted(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Main Org.")
		hook := newChannel(t, db, hallpass.Channel{Org: org.ID, Name: "hook", Kind: hallpass.SlackChannel})
		failed := errors.New("no")
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			if err := tx.Notify(hallpass.Notice{Kind: hallpass.NoticePolicyChanged, Org: org.ID, At: noon}); err != nil {
				return err
			}
			return failed
		})
		if list := deliveries(t, db, hook); !errors.Is(err, failed) || len(list) != 0 {
			t.Errorf("%v, %+v", err, list)
		}
	})
}

// TestChannels makes, changes and deletes channels.
func TestChannels(t *testing.T) {
	eachDB(t, func(t *testing.T, db *store.DB, _ string) {
		org := newOrg(t, db, "Main Org.")
		c := newChannel(t, db, hallpass.Channel{
			Org: org.ID, Name: "Hook", Kind: hallpass.WebhookChannel, URL: "https://example.com/", Signature: hallpass.SignatureV1, Kinds: []hallpass.NoticeKind{hallpass.NoticeExpired},
		})
		read := func() (got hallpass.Channel, err error) {
			err = db.Read(t.Context(), func(tx *store.Tx) (err error) {
				got, err = tx.Channel(org.ID, c.ID)
				return err
			})
			return got, err
		}
		c.Addresses = []string{}
		if got, err := read(); err != nil || cmp.Diff(c, got) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(c, got))
		}
		err := db.Write(t.Context(), func(tx *store.Tx) error {
			_, err := tx.CreateChannel(hallpass.Channel{Org: org.ID, Name: "hook", Kind: hallpass.MailChannel})
			return err
		})
		if hallpass.KindOf(err) != hallpass.Conflict {
			t.Errorf("a second one of the name: %v", err)
		}
		c.Name, c.Disabled, c.OffReason, c.UpdatedAt = "other", true, "410", noon.Add(time.Hour)
		write(t, db, func(tx *store.Tx) error { return tx.UpdateChannel(c) })
		if got, err := read(); err != nil || cmp.Diff(c, got) != "" {
			t.Errorf("%v\n%s", err, cmp.Diff(c, got))
		}
		err = db.Read(t.Context(), func(tx *store.Tx) error {
			failing, err := tx.FailingChannels(org.ID, noon)
			if len(failing) != 1 {
				t.Errorf("failing: %+v", failing)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
		write(t, db, func(tx *store.Tx) error {
			return tx.NotifyChannel(c, hallpass.Notice{Kind: hallpass.NoticeTest, Org: org.ID, At: noon})
		})
		write(t, db, func(tx *store.Tx) error { return tx.DeleteChannel(org.ID, c.ID) })
		if _, err := read(); hallpass.KindOf(err) != hallpass.NotFound || len(deliveries(t, db, c)) != 0 {
			t.Errorf("deleted, and %v", err)
		}
		newChannel(t, db, hallpass.Channel{Org: org.ID, Name: "again", Kind: hallpass.SlackChannel})
		write(t, db, func(tx *store.Tx) error {
			return tx.Notify(hallpass.Notice{Kind: hallpass.NoticePolicyChanged, Org: org.ID, At: noon})
		})
		write(t, db, func(tx *store.Tx) error { return tx.DeleteOrg(org.ID) })
	})
}
