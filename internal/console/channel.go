package console

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

var crumbNotices = crumb{"Notices", "/org/notices"}

const newChannelURL = "/create/channel"

func channelURL(id hallpass.ChannelID) string { return crumbNotices.URL + "/" + idText(int64(id)) }

// channelsView is the list of the channels of notices.
type channelsView struct {
	frame
	Rows []channelRow
	Key  string // by which receivers of webhooks verify a signature; empty: there is none
	Days string // before the end of a token, on which it is told of
	Full bool   // the org can have no more channels
}

// channelRow is one channel.
type channelRow struct {
	ID      hallpass.ChannelID
	URL     string
	Name    string
	Kind    string
	To      string // where it leads, as far as that may be shown
	State   badge
	Error   string // why the last attempt failed, or why it is off
	Sent    timestamp
	Created timestamp
	Off     bool
	Fails   bool
}

// channelKindWords are what the kinds of channels are called, and what each does.
var channelKindWords = map[hallpass.ChannelKind]struct{ label, does string }{
	hallpass.WebhookChannel: {"Webhook", "A signed message to a program of yours, as Standard Webhooks describes it."},
	hallpass.MailChannel:    {"Mail", "To the owner of a token, once a day at most."},
	hallpass.SlackChannel:   {"Chat", "To a room of Slack, Mattermost or Rocket.Chat."},
}

// notices is GET /org/notices.
func notices(req *request) error {
	list, err := req.o.Admin.Channels(req.Context(), req.caller)
	if err != nil {
		return err
	}
	out := req.o.Admin.Outgoing()
	view := channelsView{Key: out.Key(), Full: len(list) >= hallpass.MaxChannels}
	var days []string
	for _, d := range out.Days {
		days = append(days, strconv.Itoa(d))
	}
	view.Days = hallpass.Enumerate(days)
	for _, c := range list {
		view.Rows = append(view.Rows, req.channelRow(c))
	}
	sortByName(view.Rows, func(r channelRow) string { return r.Name })
	if view.frame, err = req.frame("notices", crumbNotices.Label, crumbAdmin); err != nil {
		return err
	}
	return req.show("channels/list", view)
}

func (req *request) channelRow(c hallpass.Channel) channelRow {
	row := channelRow{
		ID: c.ID, URL: channelURL(c.ID), Name: c.Name, Kind: channelKindWords[c.Kind].label, To: c.ShownURL(), Error: c.LastError,
		Sent: req.timestamp(c.SentAt), Created: req.timestamp(c.CreatedAt), Off: c.Disabled, Fails: !c.Disabled && !c.FailingSince.IsZero(),
	}
	switch {
	case c.Kind == hallpass.MailChannel && len(c.Addresses) > 0:
		row.To = "owners, and " + hallpass.Enumerate(c.Addresses)
	case c.Kind == hallpass.MailChannel:
		row.To = "owners"
	case row.To == "":
		row.To = "the room of the configuration"
	}
	switch {
	case c.Disabled && c.OffReason != "":
		row.State, row.Error = badge{Text: "Turned off by Hallpass", Class: "bad"}, c.OffReason
	case c.Disabled:
		row.State, row.Error = badge{Text: "Off"}, ""
	case row.Fails:
		row.State = badge{Text: "Failing for " + roughly(req.o.Admin.Now().Sub(c.FailingSince)), Class: "bad"}
	case c.SentAt.IsZero():
		row.State = badge{Text: "Nothing sent yet"}
	default:
		row.State = badge{Text: "Works", Class: "good"}
	}
	return row
}

// channelView is the page of one channel: what was sent, and the form that changes it.
type channelView struct {
	frame
	Channel channelRow
	Form    channelForm
	Key     string // as in channelsView, of a webhook that it signs
	Dead    int    // notices that were given up
	Sent    []deliveryRow
}

// deliveryRow is one notice on its way.
type deliveryRow struct {
	What     string
	At       timestamp
	State    badge
	Attempts int
	To       string
	Error    string
	Next     timestamp // of the next attempt; zero: there is none
}

// channelForm is the form of a channel, a new one or one that exists.
type channelForm struct {
	Action     string
	Errors     fieldErrors
	Button     string
	Cancel     string
	Kinds      []choice // of a new one; nil: it cannot change
	Webhook    bool     // its fields are shown
	Mail       bool
	Chat       bool
	Name       string
	URL        string
	Signatures []choice // nil: there is one alone
	Addresses  string
	Events     []choice
	NoKey      string // why no webhook can be signed; empty: one can
	NoMail     bool   // no mail server is set up
	ChatSet    bool   // the configuration has a room
}

// noticeKindWords are what the kinds of notices are called in a form.
var noticeKindWords = map[hallpass.NoticeKind]string{
	hallpass.NoticeExpiring:         "A token ends soon",
	hallpass.NoticeExpired:          "A token has expired",
	hallpass.NoticeExpiredStillUsed: "An expired token is still used",
	hallpass.NoticeRotated:          "A token is being replaced",
	hallpass.NoticeUndone:           "A replacement was taken back",
	hallpass.NoticeRetired:          "A replaced token has ended",
	hallpass.NoticeReplacedUsed:     "A replaced token is still used",
	hallpass.NoticePausedUsed:       "A paused token is still used",
	hallpass.NoticeStale:            "Nobody uses a token any more",
	hallpass.NoticeNewPlace:         "A token is used from a new place",
	hallpass.NoticePolicyChanged:    "The policy for tokens changed",
}

// fill fills in the form from the channel.
func (req *request) fill(f *channelForm, c hallpass.Channel) {
	out := req.o.Admin.Outgoing()
	f.Name, f.URL, f.Addresses = c.Name, c.ShownURL(), strings.Join(c.Addresses, "\n")
	f.Webhook, f.Mail, f.Chat = c.Kind == hallpass.WebhookChannel, c.Kind == hallpass.MailChannel, c.Kind == hallpass.SlackChannel
	if out.Secret {
		f.Signatures = chosen([]choice{{string(hallpass.SignatureV1a), "v1a: by the key of this server", false}, {string(hallpass.SignatureV1), "v1: by the secret of the configuration", false}}, string(c.Signature))
	}
	f.Events = nil
	for _, k := range hallpass.NoticeKinds() {
		f.Events = append(f.Events, choice{string(k), noticeKindWords[k], slices.Contains(c.Kinds, k)})
	}
	if out.Key() == "" && !out.Secret {
		f.NoKey = "This server has no key to sign with: its operator sets webhook_key_file in the section [notices] of the configuration."
	}
	f.NoMail, f.ChatSet, f.Errors = !out.Mail, out.Slack, req.errors
}

// sent returns the channel as the form says it, when it was c.
func (req *request) sentChannel(c hallpass.Channel) hallpass.Channel {
	f := req.PostForm
	c.Name = f.Get("name")
	switch c.Kind {
	case hallpass.MailChannel:
		c.Addresses = strings.FieldsFunc(f.Get("addresses"), func(r rune) bool { return r == '\n' || r == '\r' || r == ',' || r == ' ' })
	default:
		c.SetURL(strings.TrimSpace(f.Get("url")))
	}
	if s := f.Get("signature"); s != "" && c.Kind == hallpass.WebhookChannel {
		c.Signature = hallpass.Signature(s)
	}
	c.Kinds = nil
	for _, e := range req.PostForm["event"] {
		if !slices.Contains(c.Kinds, hallpass.NoticeKind(e)) {
			c.Kinds = append(c.Kinds, hallpass.NoticeKind(e))
		}
	}
	return c
}

// channelFields are those of the form that an error may be about.
var channelFields = []string{"name", "url", "addresses", "signature", "events", "type"}

func newChannel(kind string) hallpass.Channel {
	c := hallpass.Channel{Kind: hallpass.ChannelKind(kind), Kinds: hallpass.DefaultNoticeKinds()}
	if !slices.Contains(hallpass.ChannelKinds(), c.Kind) {
		c.Kind = hallpass.WebhookChannel
	}
	if c.Kind == hallpass.WebhookChannel {
		c.Signature = hallpass.SignatureV1a
	}
	return c
}

// newChannelForm is GET /create/channel?type.
func newChannelForm(req *request) error {
	if err := req.o.Admin.Authorize(req.Context(), req.caller, hallpass.OrgsWrite, ""); err != nil {
		return err
	}
	return req.showNewChannel(http.StatusOK, newChannel(req.URL.Query().Get("type")))
}

// newChannelView is the page for a new channel.
type newChannelView struct {
	frame
	Form channelForm
}

func (req *request) showNewChannel(status int, c hallpass.Channel) (err error) {
	view := newChannelView{Form: channelForm{Action: newChannelURL, Button: "Add channel", Cancel: crumbNotices.URL}}
	req.fill(&view.Form, c)
	view.Form.Webhook, view.Form.Mail, view.Form.Chat = true, true, true // the stylesheet shows those of the kind
	for _, k := range hallpass.ChannelKinds() {
		view.Form.Kinds = append(view.Form.Kinds, choice{string(k), channelKindWords[k].label, k == c.Kind})
	}
	if view.frame, err = req.frame("notices", "Add channel", crumbAdmin, crumbNotices); err != nil {
		return err
	}
	return req.showStatus(status, "channels/new", view)
}

// createChannel is POST /create/channel.
func createChannel(req *request) error {
	c := req.sentChannel(newChannel(req.PostForm.Get("type")))
	made, err := req.o.Admin.CreateChannel(req.Context(), req.caller, c)
	if err == nil {
		req.flash("The channel " + made.Name + " is there. Send a test to see whether it arrives.")
		req.seeOther(channelURL(made.ID))
		return nil
	}
	if !req.formError(err, channelFields...) {
		return err
	}
	return req.showNewChannel(httpd.Status(err), c)
}

// channel returns the channel that the path names.
func (req *request) channel() (hallpass.Channel, error) {
	n, ok := hallpass.ParseID(req.PathValue("channel"))
	if !ok {
		return hallpass.Channel{}, errNoPage
	}
	return req.o.Admin.Channel(req.Context(), req.caller, hallpass.ChannelID(n))
}

// channelPage is GET /org/notices/{channel}.
func channelPage(req *request) error {
	c, err := req.channel()
	if err != nil {
		return err
	}
	return req.showChannel(http.StatusOK, c, c)
}

// shownDeliveries is how many notices the page of a channel shows, and how many dead ones
// it counts.
const shownDeliveries, countedDead = 20, 1000

// showChannel shows the page of the channel, and in its form what was typed.
func (req *request) showChannel(status int, c, typed hallpass.Channel) error {
	view := channelView{Channel: req.channelRow(c), Form: channelForm{Action: channelURL(c.ID), Button: "Save", Cancel: channelURL(c.ID)}}
	req.fill(&view.Form, typed)
	if c.Signature == hallpass.SignatureV1a {
		view.Key = req.o.Admin.Outgoing().Key()
	}
	list, err := req.o.Admin.Deliveries(req.Context(), req.caller, c.ID, "", 0, shownDeliveries)
	if err != nil {
		return err
	}
	for _, d := range list {
		view.Sent = append(view.Sent, req.deliveryRow(d))
	}
	dead, err := req.o.Admin.Deliveries(req.Context(), req.caller, c.ID, hallpass.NoticeDead, 0, countedDead)
	if err != nil {
		return err
	}
	view.Dead = len(dead)
	if view.frame, err = req.frame("notices", c.Name, crumbAdmin, crumbNotices); err != nil {
		return err
	}
	return req.showStatus(status, "channels/detail", view)
}

func (req *request) deliveryRow(d hallpass.Delivery) deliveryRow {
	row := deliveryRow{What: sentence(d.Notice.Title()), At: req.timestamp(d.CreatedAt), Attempts: d.Attempts, To: d.Recipient, Error: d.LastError}
	switch d.State {
	case hallpass.NoticeSent:
		row.State, row.Error = badge{Text: "Sent", Class: "good"}, ""
	case hallpass.NoticeDead:
		row.State = badge{Text: "Given up", Class: "bad"}
	default:
		row.State, row.Next = badge{Text: "On its way"}, req.timestamp(d.NextAt)
		if d.Attempts > 0 {
			row.State = badge{Text: "Tried again soon", Class: "warn"}
		}
	}
	return row
}

// editChannel is POST /org/notices/{channel}.
func editChannel(req *request) error {
	c, err := req.channel()
	if err != nil {
		return err
	}
	made, err := req.o.Admin.UpdateChannel(req.Context(), req.caller, c.ID, func(now *hallpass.Channel) { *now = req.sentChannel(*now) })
	if err == nil {
		return req.channelDone(c, "The channel "+made.Name+" is changed.")
	}
	if !req.formError(err, channelFields...) {
		return err
	}
	return req.showChannel(httpd.Status(err), c, req.sentChannel(c))
}

// channelDone goes back to the page of the channel with a message.
func (req *request) channelDone(c hallpass.Channel, text string) error {
	req.flash(text)
	req.seeOther(channelURL(c.ID))
	return nil
}

// withChannel returns the handler of a button on the page of a channel: do does it and
// returns the message. What cannot be done stands above the page.
func withChannel(do func(*request, hallpass.Channel) (string, error)) func(*request) error {
	return func(req *request) error {
		c, err := req.channel()
		if err != nil {
			return err
		}
		text, err := do(req, c)
		if err == nil {
			return req.channelDone(c, text)
		}
		if !req.formError(err, "") {
			return err
		}
		return req.showChannel(httpd.Status(err), c, c)
	}
}

// testChannel is POST /org/notices/{channel}/test.
func testChannel(req *request, c hallpass.Channel) (string, error) {
	_, err := req.o.Admin.TestChannel(req.Context(), req.caller, c.ID)
	return "A test is on its way. What became of it shows below.", err
}

// retryChannel is POST /org/notices/{channel}/retry.
func retryChannel(req *request, c hallpass.Channel) (string, error) {
	n, err := req.o.Admin.RetryDead(req.Context(), req.caller, c.ID, 0)
	if n == 0 {
		return "Nothing was given up: there is nothing to send again.", err
	}
	return hallpass.Counted(int(n), "notice") + " on the way again.", err
}

// turnChannel is POST /org/notices/{channel}/turn: it turns the channel on or off.
func turnChannel(req *request, c hallpass.Channel) (string, error) {
	off := req.PostForm.Get("to") == "off"
	_, err := req.o.Admin.UpdateChannel(req.Context(), req.caller, c.ID, func(c *hallpass.Channel) { c.Disabled = off })
	if off {
		return "The channel " + c.Name + " is off: nothing is written to it.", err
	}
	return "The channel " + c.Name + " is on. It is told what happens from now on.", err
}

// deleteChannel is GET and POST /org/notices/{channel}/delete.
func deleteChannel(req *request) (change, error) {
	ch, err := req.channel()
	if err != nil {
		return change{}, err
	}
	row := req.channelRow(ch)
	c := change{
		Question: "Delete channel", Button: "Delete channel", Destroys: true, Cancel: row.URL, to: crumbNotices.URL, here: "notices", crumbs: []crumb{crumbAdmin, crumbNotices, {ch.Name, row.URL}},
		Text:  "Are you sure you want to delete the channel " + named(ch.Name) + "? What is on its way there is not sent.",
		Steps: []step{{ch.Name, lowerFirst(row.Kind) + " to " + row.To, wordDeleted}},
		done:  "The channel " + ch.Name + " is deleted.",
		do:    func() error { return req.o.Admin.DeleteChannel(req.Context(), req.caller, ch.ID) },
	}
	list, err := req.o.Admin.Channels(req.Context(), req.caller)
	others := slices.ContainsFunc(list, func(o hallpass.Channel) bool { return o.ID != ch.ID && !o.Disabled })
	if err == nil && !ch.Disabled && !others {
		c.Alarm, c.Facts = true, []string{"It is the last channel that is on. Without it, nobody is told when a token ends."}
	}
	return c, err
}
