package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

func channel() *cobra.Command {
	r := &remote{}
	cmd := r.noun("channel", "List, create, test and delete channels: where notices about tokens go",
		listChannels(r),
		r.verb("get CHANNEL", "Show a channel", func(s *session) error {
			c, _, err := s.channel()
			if err != nil {
				return err
			}
			return s.printChannel(c)
		}),
		createChannel(r), updateChannel(r), testChannel(r), channelMessages(r), retryChannel(r), deleteChannel(r),
	)
	cmd.Long = `List, create, test and delete channels. A channel tells people or programs what
happens to tokens: that one ends soon, has ended, is being replaced, or is still used
though it has ended. CHANNEL is an id or a name.`
	cmd.SuggestFor = []string{"notice", "notices", "notification", "notifications", "webhook", "notify"}
	return cmd
}

// channel returns the channel that the first argument names, and what is set up for
// channels.
func (s *session) channel() (wire.Channel, wire.Notifications, error) {
	n, err := s.Notifications(s.ctx)
	if err != nil {
		return wire.Channel{}, n, err
	}
	id, notNumber := strconv.ParseInt(s.args[0], 10, 64)
	var names []string
	for _, c := range n.Channels {
		if notNumber == nil && c.ID == id || notNumber != nil && strings.EqualFold(c.Name, s.args[0]) { // names are unique so
			return c, n, nil
		}
		names = append(names, c.Name)
	}
	return wire.Channel{}, n, orMeant(fmt.Sprintf("there is no channel %q", s.args[0]), s.args[0], names)
}

func listChannels(r *remote) *cobra.Command {
	cmd := r.verb("list", "List the channels, and the key by which webhooks are verified", func(s *session) error {
		n, err := s.Notifications(s.ctx)
		if err != nil {
			return err
		}
		t := table{header: []string{"ID", "NAME", "TYPE", "TO", "STATE", "LAST SENT"}}
		for _, c := range n.Channels {
			t.rows = append(t.rows, []string{number(c.ID), c.Name, c.Type, channelTo(c), channelState(c), timeText(c.LastSentAt)})
		}
		if err := s.print(n, t); err != nil || s.json || n.PublicKey == "" {
			return err
		}
		return s.say("Webhooks are signed; the public key (v1a) is %s", n.PublicKey)
	})
	return cmd
}

func channelTo(c wire.Channel) string {
	if c.Type == string(hallpass.MailChannel) {
		return strings.Join(append([]string{"owners"}, c.Addresses...), ", ")
	}
	return c.URL
}

// channelState says in words whether the channel works.
func channelState(c wire.Channel) string {
	switch {
	case c.Disabled && c.OffReason != "":
		return "off: " + c.OffReason
	case c.Disabled:
		return "off"
	case c.FailingSince != nil:
		return "fails since " + timeText(c.FailingSince)
	}
	return "on"
}

func (s *session) printChannel(c wire.Channel) error {
	return s.print(c, table{rows: [][]string{
		{"id", number(c.ID)}, {"name", c.Name}, {"type", c.Type}, {"to", channelTo(c)}, {"signature", c.Signature}, {"events", strings.Join(c.Events, ", ")},
		{"state", channelState(c)}, {"last error", c.LastError}, {"last sent", exactText(c.LastSentAt)}, {"created", exactText(&c.Created)},
	}})
}

// channelFlags are the flags that describe a channel.
type channelFlags struct {
	url, signature    string
	addresses, events []string
}

func (f *channelFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "where a webhook or a chat gets notices; - to be asked for it, or to read it from stdin: the URL of a chat is a secret")
	flags.StringVar(&f.signature, "signature", "", "how a webhook is signed: v1a (Ed25519, the default) or v1 (HMAC, with a secret of the server's configuration)")
	flags.StringArrayVar(&f.addresses, "address", nil, "mail: who is told of tokens whose owner has no mail address; repeat the flag for more")
	flags.StringArrayVar(&f.events, "event", nil, "what the channel is told, such as token.expiring; repeat the flag for more (default all but token.new_place)")
	offersWords(cmd, "signature", []string{string(hallpass.SignatureV1a), string(hallpass.SignatureV1)})
	var events []string
	for _, k := range hallpass.NoticeKinds() {
		events = append(events, string(k))
	}
	offersWords(cmd, "event", events)
}

// input returns what the command line says about a channel of the type.
func (f channelFlags) input(s *session, kind string) (in wire.WriteChannel, err error) {
	given := s.cmd.Flags().Changed
	if given("url") {
		url := f.url
		if kind == string(hallpass.SlackChannel) && url != "-" && url != "" {
			return in, errors.New("the URL of a chat is a secret: give --url -, and the URL on stdin, so that it does not get into the shell's history")
		}
		if url == "-" {
			t, err := askSecret(s.cmd, "URL", false)
			if err != nil {
				return in, err
			}
			url = strings.TrimSpace(t.Reveal())
		}
		in.URL = &url
	}
	if given("signature") {
		in.Signature = &f.signature
	}
	if given("address") {
		in.Addresses = &f.addresses
	}
	if given("event") {
		in.Events = &f.events
	}
	return in, nil
}

func createChannel(r *remote) *cobra.Command {
	var f channelFlags
	var kind string
	cmd := r.verb("create NAME", "Create a channel", func(s *session) error {
		if kind == "" {
			return errors.New("--type is required: webhook, mail or slack (also for Mattermost and Rocket.Chat)")
		}
		in, err := f.input(s, kind)
		if err != nil {
			return err
		}
		in.Name, in.Type = &s.args[0], &kind
		c, err := s.CreateChannel(s.ctx, in)
		if err != nil {
			return err
		}
		if err := s.printChannel(c); err != nil || s.json {
			return err
		}
		return s.say("Try it: %s", shellLine("channel", "test", c.Name))
	})
	cmd.Long = `Create a channel of the type webhook (a program, by Standard Webhooks), mail (the
owners of tokens) or slack (Slack, Mattermost or Rocket.Chat).`
	cmd.Example = `  hallpass channel create pager --type webhook --url https://pager.example.com/hallpass
  hallpass channel create owners --type mail --address ops@example.com
  pass show slack/hallpass | hallpass channel create chat --type slack --url -`
	cmd.Flags().StringVar(&kind, "type", "", "webhook, mail or slack (required)")
	f.flags(cmd)
	var kinds []string
	for _, k := range hallpass.ChannelKinds() {
		kinds = append(kinds, string(k))
	}
	offersWords(cmd, "type", kinds)
	return cmd
}

func updateChannel(r *remote) *cobra.Command {
	var f channelFlags
	var name string
	var disabled bool
	cmd := r.verb("update CHANNEL", "Change a channel, or turn it off and on", func(s *session) error {
		c, _, err := s.channel()
		if err != nil {
			return err
		}
		in, err := f.input(s, c.Type)
		if err != nil {
			return err
		}
		if s.cmd.Flags().Changed("name") {
			in.Name = &name
		}
		if s.cmd.Flags().Changed("disabled") {
			in.Disabled = &disabled
		}
		if in == (wire.WriteChannel{}) {
			return errNothingToChange
		}
		if c, err = s.UpdateChannel(s.ctx, c.ID, in); err != nil {
			return err
		}
		return s.printChannel(c)
	})
	cmd.Flags().StringVar(&name, "name", "", "the new name")
	cmd.Flags().BoolVar(&disabled, "disabled", false, "turn the channel off; --disabled=false turns it on again")
	f.flags(cmd)
	return cmd
}

// testWait is how long a test waits for the receiver's answer.
const testWait = 20 * time.Second

func testChannel(r *remote) *cobra.Command {
	cmd := r.verb("test CHANNEL", "Send a test to a channel, and wait for the answer", func(s *session) error {
		c, _, err := s.channel()
		if err != nil {
			return err
		}
		d, err := s.TestChannel(s.ctx, c.ID)
		if err != nil {
			return err
		}
		for until := time.Now().Add(testWait); d.State == "due" && d.Attempts == 0 && time.Now().Before(until); {
			if !sleep(s.ctx, time.Second/2) {
				return s.ctx.Err()
			}
			if d, err = s.delivery(c.ID, d.ID); err != nil {
				return err
			}
		}
		switch {
		case d.State == "sent":
			return s.done(d, "%s took the test.", c.Name)
		case d.Attempts > 0:
			return fmt.Errorf("%s did not take the test: %s", c.Name, d.LastError)
		}
		return fmt.Errorf("the test is not sent yet: %q shows what becomes of it", shellLine("channel", "messages", c.Name))
	})
	return cmd
}

// delivery returns a message of a channel, which is among the newest.
func (s *session) delivery(channel, id int64) (wire.Delivery, error) {
	page, err := s.Deliveries(s.ctx, channel, "", 0)
	if err != nil {
		return wire.Delivery{}, err
	}
	i := slices.IndexFunc(page.Messages, func(d wire.Delivery) bool { return d.ID == id })
	if i < 0 {
		return wire.Delivery{}, errors.New("the test is not among the messages of the channel any more")
	}
	return page.Messages[i], nil
}

func channelMessages(r *remote) *cobra.Command {
	var state string
	var limit int
	cmd := r.verb("messages CHANNEL", "List what was written to a channel, and what became of it", func(s *session) error {
		c, _, err := s.channel()
		if err != nil {
			return err
		}
		list := []wire.Delivery{}
		for after := int64(0); len(list) < limit; {
			page, err := s.Deliveries(s.ctx, c.ID, state, after)
			if err != nil {
				return err
			}
			list = append(list, page.Messages...)
			if after = page.Next; after == 0 {
				break
			}
		}
		list = list[:min(limit, len(list))]
		t := table{header: []string{"ID", "CREATED", "EVENT", "STATE", "ATTEMPTS", "NEXT", "TEXT", "LAST ERROR"}}
		for _, d := range list {
			next := ""
			if d.NextAt != nil {
				next = timeText(d.NextAt)
			}
			t.rows = append(t.rows, []string{number(d.ID), timeText(&d.Created), d.Type, d.State, fmt.Sprint(d.Attempts), next, shortReason(d.Text), shortReason(d.LastError)})
		}
		return s.print(list, t)
	})
	cmd.Flags().StringVar(&state, "state", "", "only messages in this state: due, sent or dead (given up)")
	cmd.Flags().IntVar(&limit, "limit", 50, "the largest number of messages to list")
	offersWords(cmd, "state", []string{"due", "sent", "dead"})
	return cmd
}

func retryChannel(r *remote) *cobra.Command {
	return r.verb("retry CHANNEL", "Send the messages again that a channel gave up", func(s *session) error {
		c, _, err := s.channel()
		if err != nil {
			return err
		}
		out, err := s.RetryNotices(s.ctx, c.ID)
		if err != nil {
			return err
		}
		return s.done(out, "%s to %s on the way again.", hallpass.Counted(int(out.Retried), "message"), c.Name)
	})
}

func deleteChannel(r *remote) *cobra.Command {
	var yes bool
	return yesFlag(r.verb("delete CHANNEL", "Delete a channel with what is on its way there", func(s *session) error {
		c, _, err := s.channel()
		if err != nil {
			return err
		}
		if err := confirm(s.cmd, yes, "Delete the channel %s (id %d)?", c.Name, c.ID); err != nil {
			return err
		}
		m, err := s.DeleteChannel(s.ctx, c.ID)
		if err != nil {
			return err
		}
		return s.done(m, "Deleted the channel %s (id %d).", c.Name, c.ID)
	}), &yes)
}
