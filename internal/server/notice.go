package server

import (
	"context"
	"errors"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/notice"
)

// newOutgoing returns what is set up for notices. A server with a SQLite file makes the
// key that signs webhooks; several nodes need the same one, which the operator puts
// there.
func (s *Server) newOutgoing() (admin.Outgoing, error) {
	c := s.config
	allow, err := httpd.ParseOutbound(c.Server.OutboundAllow)
	if err != nil {
		return admin.Outgoing{}, err
	}
	s.outbound = httpd.NewOutbound(httpd.OutboundOptions{Allow: allow})
	keys := c.keys()
	if !c.Database.postgres() && c.Notices.WebhookKeyFile == "" {
		if err := notice.MakeKey(keys.Private); err != nil {
			s.log.Warn("the key that signs webhooks cannot be made: webhooks are not sent until a start succeeds in that. Look at the disk of the data directory", "error", err)
		}
	}
	public := func() string {
		key, err := keys.Public()
		if err != nil {
			return ""
		}
		return key
	}
	return admin.Outgoing{
		Days: c.Notices.Days, PublicKey: public, Secret: c.Notices.WhsecFile != "", Mail: c.SMTP.Enabled, Slack: !c.Notices.SlackURL.Empty(),
		Insecure: c.Notices.AllowHTTP, Permit: s.outbound.Permit,
	}, nil
}

// newSender returns what sends notices.
func (s *Server) newSender() *notice.Sender {
	c := s.config
	return notice.New(notice.Options{
		DB: s.db, Now: s.admin.Now, Outbound: s.outbound, Root: strings.TrimRight(c.Server.RootURL, "/"), Keys: c.keys(), SlackURL: c.Notices.SlackURL, Mail: c.SMTP.mailer(), Log: s.log,
	})
}

// noticeTokens writes the notices of tokens that end soon or have ended, and of dead
// ones that somebody uses.
func (s *Server) noticeTokens(ctx context.Context) error {
	return errors.Join(s.admin.NoticeEnds(ctx), s.admin.NoticeDeadUses(ctx), s.admin.NoticePlaces(ctx))
}

// SendNotices sends the notices that are due, for tests that do not wait for the job.
func (s *Server) SendNotices(ctx context.Context) error { return s.notices.Send(ctx) }

// NoticeTokens writes the notices of tokens, for tests that do not wait for the job.
func (s *Server) NoticeTokens(ctx context.Context) error { return s.noticeTokens(ctx) }
