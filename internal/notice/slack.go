package notice

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// slackPause is the time between two messages to a chat, as Slack asks for.
const slackPause = time.Second

// postSlack sends some notices as one message. Mattermost and Rocket.Chat take it too.
func (s *Sender) postSlack(ctx context.Context, c hallpass.Channel, org hallpass.Org, due []hallpass.Delivery) (httpd.Answer, error) {
	lines := make([]string, 0, len(due)+1)
	lines = append(lines, "Hallpass, "+chatText(org.Name)+":")
	for _, d := range due {
		line := "• " + chatText(d.Notice.Text())
		if link := s.link(d.Notice); link != "" {
			line += " <" + link + "|Open>"
		}
		lines = append(lines, line)
	}
	body, err := json.Marshal(map[string]string{"text": strings.Join(lines, "\n")})
	if err != nil {
		return httpd.Answer{}, err
	}
	to := c.URL
	if to == "" {
		if to = s.SlackURL.Reveal(); to == "" {
			return httpd.Answer{}, plainError("the channel has no URL, and the configuration has no slack_url in the section [notices]")
		}
	}
	return s.Outbound.Post(ctx, to, http.Header{"Content-Type": {"application/json"}, "User-Agent": {userAgent}}, body)
}
