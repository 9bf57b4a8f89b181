package admin

import (
	"context"
	"slices"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A PreferencesPatch changes preferences; a nil field leaves a thing as it is.
type PreferencesPatch struct {
	Theme, HomeDashboardUID, Timezone, WeekStart, Language *string
}

func (p PreferencesPatch) apply(to *hallpass.Preferences) error {
	for _, f := range []struct {
		name string
		from *string
		to   *string
	}{
		{"theme", p.Theme, &to.Theme},
		{"homeDashboardUID", p.HomeDashboardUID, &to.HomeDashboardUID},
		{"timezone", p.Timezone, &to.Timezone},
		{"weekStart", p.WeekStart, &to.WeekStart},
		{"language", p.Language, &to.Language},
	} {
		if f.from == nil {
			continue
		}
		if err := hallpass.ValidateText(f.name, *f.from, hallpass.MaxName); err != nil {
			return err
		}
		*f.to = *f.from
	}
	if !slices.Contains([]string{"", "light", "dark", "system"}, to.Theme) {
		return hallpass.Invalidf("theme", "theme is none of light, dark, system")
	}
	if !slices.Contains([]string{"", "saturday", "sunday", "monday", "browser"}, to.WeekStart) {
		return hallpass.Invalidf("weekStart", "weekStart is none of saturday, sunday, monday, browser")
	}
	return nil
}

// OrgPreferences returns the preferences of the caller's org.
func (a *Admin) OrgPreferences(ctx context.Context, c hallpass.Caller) (p hallpass.Preferences, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgsPreferencesRead}, func(tx *store.Tx) error {
		p, err = tx.Preferences(ctx, store.PreferencesOf{Org: c.Org, Kind: "org"})
		return err
	})
	return p, err
}

// SetOrgPreferences changes the preferences of the caller's org; replace clears
// what the patch leaves out.
func (a *Admin) SetOrgPreferences(ctx context.Context, c hallpass.Caller, patch PreferencesPatch, replace bool) error {
	return a.change(ctx, c, need{action: hallpass.OrgsPreferencesWrite}, nil, func(tx *store.Tx, c hallpass.Caller) (hallpass.AuditEntry, error) {
		entry := a.entry(c, "org.preferences", target("org", int64(c.Org)))
		return entry, setPreferences(ctx, tx, store.PreferencesOf{Org: c.Org, Kind: "org"}, patch, replace)
	})
}

func setPreferences(ctx context.Context, tx *store.Tx, of store.PreferencesOf, patch PreferencesPatch, replace bool) error {
	var p hallpass.Preferences
	if !replace {
		var err error
		if p, err = tx.Preferences(ctx, of); err != nil {
			return err
		}
	}
	if err := patch.apply(&p); err != nil {
		return err
	}
	return tx.SetPreferences(ctx, of, p)
}

// TeamPreferences returns the preferences of the team.
func (a *Admin) TeamPreferences(ctx context.Context, c hallpass.Caller, id hallpass.TeamID) (p hallpass.Preferences, err error) {
	err = a.readTeam(ctx, c, hallpass.TeamsRead, id, func(tx *store.Tx, _ hallpass.Team) error {
		p, err = tx.Preferences(ctx, store.PreferencesOf{Org: c.Org, Kind: "team", ID: int64(id)})
		return err
	})
	return p, err
}

// SetTeamPreferences changes the preferences of the team; replace clears what
// the patch leaves out.
func (a *Admin) SetTeamPreferences(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, patch PreferencesPatch, replace bool) error {
	return a.changeTeam(ctx, c, hallpass.TeamsWrite, id, nil, "team.preferences", func(tx *store.Tx, c hallpass.Caller, _ hallpass.Team) (string, error) {
		return "", setPreferences(ctx, tx, store.PreferencesOf{Org: c.Org, Kind: "team", ID: int64(id)}, patch, replace)
	})
}

// UserPreferences returns the preferences of the user who calls, in this org.
func (a *Admin) UserPreferences(ctx context.Context, c hallpass.Caller) (p hallpass.Preferences, err error) {
	if c.User() == 0 {
		return p, a.refused(ctx, c, errUsersOnly, "user.self", "user")
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		p, err = tx.Preferences(ctx, store.PreferencesOf{Org: c.Org, Kind: "user", ID: c.Principal.ID})
		return err
	})
	return p, err
}

// SetUserPreferences changes the preferences of the user who calls; replace
// clears what the patch leaves out.
func (a *Admin) SetUserPreferences(ctx context.Context, c hallpass.Caller, patch PreferencesPatch, replace bool) error {
	if c.User() == 0 {
		return a.refused(ctx, c, errUsersOnly, "user.self", "user")
	}
	return a.change(ctx, c, need{}, nil, func(tx *store.Tx, c hallpass.Caller) (hallpass.AuditEntry, error) {
		entry := a.entry(c, "user.preferences", target("user", c.Principal.ID))
		return entry, setPreferences(ctx, tx, store.PreferencesOf{Org: c.Org, Kind: "user", ID: c.Principal.ID}, patch, replace)
	})
}
