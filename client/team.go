package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/hallpass-dev/hallpass/wire"
)

// Teams returns the org's teams whose name or e-mail address contains query.
func (c *Client) Teams(ctx context.Context, query string) ([]wire.Team, error) {
	return c.teams(ctx, search(query))
}

func (c *Client) teams(ctx context.Context, query url.Values) ([]wire.Team, error) {
	return pages(1, query, func(q url.Values) ([]wire.Team, error) {
		out, err := call[wire.Teams](ctx, c, http.MethodGet, "/api/teams/search?"+q.Encode(), nil)
		return out.Teams, err
	})
}

// Team returns the team with that id or uid.
func (c *Client) Team(ctx context.Context, ref string) (wire.Team, error) {
	return call[wire.Team](ctx, c, http.MethodGet, "/api/teams/"+segment(ref), nil)
}

// FindTeam returns the team with that id, uid or name. A text of digits is an
// id.
func (c *Client) FindTeam(ctx context.Context, ref string) (wire.Team, error) {
	byID := func(ref string) (wire.Team, error) { return c.Team(ctx, ref) }
	return find(ref, byID, func(name string) (wire.Team, error) {
		list, err := c.teams(ctx, url.Values{"name": {name}})
		if err != nil {
			return wire.Team{}, err
		}
		return one("team", name, list, func(t wire.Team) bool { return t.Name == name })
	})
}

// CreateTeam creates a team.
func (c *Client) CreateTeam(ctx context.Context, in wire.CreateTeam) (wire.CreatedTeam, error) {
	return call[wire.CreatedTeam](ctx, c, http.MethodPost, "/api/teams", in)
}

// UpdateTeam changes a team's name and e-mail address.
func (c *Client) UpdateTeam(ctx context.Context, id int64, in wire.CreateTeam) (wire.Message, error) {
	return c.tell(ctx, http.MethodPut, teamPath(id), in)
}

// DeleteTeam deletes a team.
func (c *Client) DeleteTeam(ctx context.Context, id int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, teamPath(id), nil)
}

// TeamMembers returns the users and service accounts in a team.
func (c *Client) TeamMembers(ctx context.Context, id int64) ([]wire.TeamMember, error) {
	return call[[]wire.TeamMember](ctx, c, http.MethodGet, teamPath(id)+"/members", nil)
}

// AddTeamMember adds a user or service account to a team, as an admin of the team (4) or
// a plain member (0).
func (c *Client) AddTeamMember(ctx context.Context, id, member, permission int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodPost, teamPath(id)+"/members", wire.AddTeamMember{UserID: member, Permission: permission})
}

// UpdateTeamMember makes a member the team's admin (4) or a plain member (0).
func (c *Client) UpdateTeamMember(ctx context.Context, id, member, permission int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodPut, fmt.Sprintf("%s/members/%d", teamPath(id), member), wire.UpdateTeamMember{Permission: permission})
}

// RemoveTeamMember removes a user or service account from a team.
func (c *Client) RemoveTeamMember(ctx context.Context, id, member int64) (wire.Message, error) {
	return c.tell(ctx, http.MethodDelete, fmt.Sprintf("%s/members/%d", teamPath(id), member), nil)
}

func teamPath(id int64) string { return fmt.Sprintf("/api/teams/%d", id) }
