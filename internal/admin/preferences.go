package admin

import (
	"context"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/store"
)

// A PreferencesPatch changes preferences; a nil field leaves a thing as it is.
// HomeDashboardID is the number of a dashboard, and is read where there is no
// HomeDashboardUID; 0 is none.
type PreferencesPatch struct {
	Theme, HomeDashboardUID, Timezone, WeekStart, Language *string
	HomeDashboardID                                        *int64
}

// apply takes any short text: what the values mean is for those who draw pages
// to know, not for us.
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
	return nil
}

// OrgPreferences returns the preferences of the caller's org.
func (a *Admin) OrgPreferences(ctx context.Context, c hallpass.Caller) (p hallpass.Preferences, err error) {
	err = a.read(ctx, c, need{action: hallpass.OrgsPreferencesRead}, func(tx *store.Tx) error {
		p, err = tx.Preferences(store.PreferencesOf{Org: c.Org, Kind: "org"})
		return err
	})
	return p, err
}

// SetOrgPreferences changes the preferences of the caller's org; replace clears
// what the patch leaves out.
func (a *Admin) SetOrgPreferences(ctx context.Context, c hallpass.Caller, patch PreferencesPatch, replace bool) error {
	return a.change(ctx, c, need{action: hallpass.OrgsPreferencesWrite}, "org.preferences", func(t *Turn) error {
		if err := a.setPreferences(t, store.PreferencesOf{Org: t.Caller.Org, Kind: "org"}, patch, replace); err != nil {
			return err
		}
		return t.Audit("org", idText(t.Caller.Org), "")
	})
}

func (a *Admin) setPreferences(t *Turn, of store.PreferencesOf, patch PreferencesPatch, replace bool) error {
	var p hallpass.Preferences
	if !replace {
		var err error
		if p, err = t.Preferences(of); err != nil {
			return err
		}
	}
	if err := patch.apply(&p); err != nil {
		return err
	}
	if patch.HomeDashboardUID != nil || patch.HomeDashboardID != nil {
		var err error
		if p.HomeDashboardUID, err = a.home(t.Tx, t.Caller, patch); err != nil {
			return err
		}
	}
	return t.SetPreferences(of, p)
}

// errNoDashboard says of a dashboard that the caller may not read what is said of
// one that does not exist.
var errNoDashboard = &hallpass.Error{Kind: hallpass.NotFound, ID: "dashboard.not-found", Message: "Dashboard not found"}

// home returns the uid of the home dashboard that the patch names, "" when it
// names none. One that is not there, or that the caller may not read, is
// NotFound.
func (a *Admin) home(tx *store.Tx, c hallpass.Caller, p PreferencesPatch) (string, error) {
	var d hallpass.Dashboard
	var err error
	switch {
	case p.HomeDashboardUID != nil && *p.HomeDashboardUID != "":
		d, err = tx.Dashboard(c.Org, *p.HomeDashboardUID)
	case p.HomeDashboardUID == nil && *p.HomeDashboardID != 0:
		d, err = tx.DashboardByID(c.Org, hallpass.DashboardID(*p.HomeDashboardID))
	default:
		return "", nil
	}
	if err != nil {
		return "", err
	}
	r, err := a.reach(tx, c)
	if err != nil {
		return "", err
	}
	chain, err := tx.FolderChain(c.Org, d.Folder)
	if err != nil {
		return "", err
	}
	if !r.Can(hallpass.DashboardsRead, DashboardScopes(d.UID, chain)) {
		return "", errNoDashboard
	}
	return d.UID, nil
}

// TeamPreferences returns the preferences of the team.
func (a *Admin) TeamPreferences(ctx context.Context, c hallpass.Caller, id hallpass.TeamID) (p hallpass.Preferences, err error) {
	err = a.readTeam(ctx, c, hallpass.TeamsRead, id, func(tx *store.Tx, _ hallpass.Team) error {
		p, err = tx.Preferences(store.PreferencesOf{Org: c.Org, Kind: "team", ID: int64(id)})
		return err
	})
	return p, err
}

// SetTeamPreferences changes the preferences of the team; replace clears what
// the patch leaves out.
func (a *Admin) SetTeamPreferences(ctx context.Context, c hallpass.Caller, id hallpass.TeamID, patch PreferencesPatch, replace bool) error {
	return a.changeTeam(ctx, c, hallpass.TeamsWrite, id, "team.preferences", func(t *Turn, _ hallpass.Team) (string, error) {
		return "", a.setPreferences(t, store.PreferencesOf{Org: t.Caller.Org, Kind: "team", ID: int64(id)}, patch, replace)
	})
}

// UserPreferences returns the preferences of the user who calls, in this org.
func (a *Admin) UserPreferences(ctx context.Context, c hallpass.Caller) (p hallpass.Preferences, err error) {
	err = a.read(ctx, c, self, func(tx *store.Tx) error {
		p, err = tx.Preferences(store.PreferencesOf{Org: c.Org, Kind: "user", ID: c.Principal.ID})
		return err
	})
	return p, err
}

// SetUserPreferences changes the preferences of the user who calls; replace
// clears what the patch leaves out.
func (a *Admin) SetUserPreferences(ctx context.Context, c hallpass.Caller, patch PreferencesPatch, replace bool) error {
	return a.change(ctx, c, self, "user.preferences", func(t *Turn) error {
		if err := a.setPreferences(t, store.PreferencesOf{Org: t.Caller.Org, Kind: "user", ID: t.Caller.Principal.ID}, patch, replace); err != nil {
			return err
		}
		return t.Audit("user", idText(t.Caller.Principal.ID), "")
	})
}
