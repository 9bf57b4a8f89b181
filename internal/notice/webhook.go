package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/wire"
)

// userAgent is how receivers know us.
const userAgent = "Hallpass"

// MessageID returns the webhook-id of a delivery: the same with every attempt, and no
// other delivery has it, even after the database came back from a backup.
func MessageID(d hallpass.Delivery) string {
	return fmt.Sprintf("msg_%d_%s", d.ID, strconv.FormatInt(d.CreatedAt.UnixMicro(), 36))
}

// postWebhook sends one notice as Standard Webhooks 1.0.0 says.
func (s *Sender) postWebhook(ctx context.Context, c hallpass.Channel, org hallpass.Org, d hallpass.Delivery) (httpd.Answer, error) {
	body, err := json.Marshal(s.event(org, d.Notice))
	if err != nil {
		return httpd.Answer{}, err
	}
	id, at := MessageID(d), time.Now().Unix() // the receiver compares it with its own clock
	signature, err := s.Keys.Sign(c.Signature, id+"."+strconv.FormatInt(at, 10)+"."+string(body), time.Now())
	if err != nil {
		return httpd.Answer{}, err
	}
	return s.Outbound.Post(ctx, c.URL, http.Header{
		"Content-Type": {"application/json"}, "User-Agent": {userAgent},
		"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(at, 10)}, "Webhook-Signature": {signature},
	}, body)
}

// event returns the body of a webhook.
func (s *Sender) event(org hallpass.Org, n hallpass.Notice) wire.NoticeEvent {
	data := wire.NoticeData{
		Org: wire.NoticeOrg{ID: int64(org.ID), Name: org.Name}, Owner: n.Owner, Purpose: n.Purpose, InUse: n.Token != 0 && n.InUse(), Days: n.Days,
		Actor: n.Actor, Reason: n.Reason, Text: n.Text(),
	}
	if n.Token != 0 {
		data.Token = &wire.NoticeToken{
			ID: int64(n.Token), Name: n.Name, LastFour: n.LastFour, State: string(n.State), Generation: n.Generation, Expiration: timeOrNil(n.ExpiresAt),
			LastUsedAt: timeOrNil(n.LastUse.At), LastUsedAddress: n.LastUse.Address, LastUsedUserAgent: n.LastUse.UserAgent, ReplacedByID: int64(n.Successor),
		}
		data.ServiceAccount = &wire.NoticeAccount{ID: int64(n.Account), Name: n.AccountName, Login: n.AccountLogin, URL: s.link(n)}
	}
	if n.From != (hallpass.From{}) {
		data.From = &wire.NoticeFrom{Address: n.From.Address, UserAgent: n.From.UserAgent}
	}
	return wire.NoticeEvent{Type: string(n.Kind), Timestamp: n.At, Data: data}
}

// link returns the page of the token's account, "" if this server does not know its own
// address or the notice is about no token.
func (s *Sender) link(n hallpass.Notice) string {
	if s.Root == "" || n.Account == 0 {
		return ""
	}
	return s.Root + "/org/serviceaccounts/" + strconv.FormatInt(int64(n.Account), 10)
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
