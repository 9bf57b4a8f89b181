package admin

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hallpass-dev/hallpass"
)

// maxBrought bounds how many tokens an error or a dry run names.
const maxBrought = 5

// adopt finds for each step that adopts a thing what the thing brings along that no file
// declares. It returns an error if that would get more power by a step whose section does
// not say that it may: somebody may have made the thing under this name to get it.
func (p *provisioning) adopt(steps []hallpass.ProvisionStep) error {
	for i, s := range steps {
		if s.Do != hallpass.ProvisionAdopt {
			continue
		}
		brings, err := p.brings(s)
		if err != nil {
			return located(s.Want, err)
		}
		if key := s.Widens(); key != "" && brings != "" && !s.Want.Adopt {
			return s.Want.Wrong(key, conflicting(fmt.Sprintf(
				"the %s %q was made before, and this would give more power to what it brings along: %s. Remove that or declare it, or write adopt = true in the section if it may have the power",
				s.Want.Noun.Words(), s.Have.Title(), brings)))
		}
		steps[i].Brings = brings
	}
	return nil
}

// brings says what the adopted thing brings along that no file declares; "" if nothing.
func (p *provisioning) brings(s hallpass.ProvisionStep) (string, error) {
	switch s.Want.Noun {
	case hallpass.DeclaredAccount:
		tokens, err := p.undeclaredTokens(s.Have.Account)
		return tokensInWords(tokens), err
	case hallpass.DeclaredTeam:
		return p.undeclaredMembers(s)
	case hallpass.DeclaredRole:
		return p.undeclaredHolders(s)
	}
	return "", nil
}

// undeclaredTokens returns the live tokens of the account that no file declares.
func (p *provisioning) undeclaredTokens(a hallpass.ServiceAccount) ([]hallpass.Token, error) {
	list, err := p.Tokens(a.Org, a.ID)
	return slices.DeleteFunc(list, func(t hallpass.Token) bool {
		section := p.as[thing{a.Org, target(auditNouns[hallpass.DeclaredToken], int64(t.ID))}]
		_, declared := p.wanted[section]
		return declared || !t.Live(p.admin.now())
	}), err
}

// tokensInWords names tokens and who made them.
func tokensInWords(list []hallpass.Token) string {
	var words []string
	for i, t := range list {
		if i == maxBrought {
			words = append(words, fmt.Sprintf("and %d more", len(list)-i))
			break
		}
		words = append(words, fmt.Sprintf("the token %q made by %s", t.Name, t.CreatedBy))
	}
	return strings.Join(words, ", ")
}

// undeclaredMembers says how many members the team has that files do not put there.
func (p *provisioning) undeclaredMembers(s hallpass.ProvisionStep) (string, error) {
	list, err := p.TeamMembers(s.Have.Team.ID)
	if err != nil {
		return "", err
	}
	n := 0
	for _, m := range list {
		d, err := p.wholly(s.Have.In, m.Principal.ID)
		if err != nil {
			return "", err
		}
		if !slices.Contains(d.Teams, s.Want.Key) {
			n++
		}
	}
	return counted(n, "member"), nil
}

// undeclaredHolders says how many have the role to whom files do not give it. A team
// counts, whoever gave it the role.
func (p *provisioning) undeclaredHolders(s hallpass.ProvisionStep) (string, error) {
	list, err := p.AssignmentsOf(s.Have.In, s.Have.Role)
	if err != nil {
		return "", err
	}
	n := 0
	for _, as := range list {
		var d hallpass.Declaration
		if as.To.Kind == hallpass.ToPrincipal {
			if d, err = p.wholly(s.Have.In, as.To.ID); err != nil {
				return "", err
			}
		}
		if !slices.Contains(d.Roles, s.Want.Key) {
			n++
		}
	}
	return counted(n, "holder"), nil
}

// wholly returns the section of the account if files declare all of it: the account and
// its live tokens. It returns the zero Declaration for everybody else.
func (p *provisioning) wholly(org hallpass.OrgID, principal int64) (hallpass.Declaration, error) {
	d, declared := p.wanted[p.as[thing{org, target(auditNouns[hallpass.DeclaredAccount], principal)}]]
	if !declared {
		return hallpass.Declaration{}, nil
	}
	a, err := p.ServiceAccount(org, hallpass.ServiceAccountID(principal))
	if errors.Is(err, hallpass.NotFound) {
		return hallpass.Declaration{}, nil
	}
	if err != nil {
		return d, err
	}
	if tokens, err := p.undeclaredTokens(a); err != nil || len(tokens) > 0 {
		return hallpass.Declaration{}, err
	}
	return d, nil
}

// counted says how many there are that no file declares; "" for none.
func counted(n int, noun string) string {
	switch n {
	case 0:
		return ""
	case 1:
		return "1 " + noun + " that no file puts there"
	}
	return fmt.Sprintf("%d %ss that no file puts there", n, noun)
}
