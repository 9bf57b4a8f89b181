package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/wire"
)

// limitFlags are the flags that make a token narrower than its account.
type limitFlags struct {
	readOnly              bool
	maxRole, rate         string
	permissions, networks []string
}

func (f *limitFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.readOnly, "read-only", false, "the token may only read")
	flags.StringVar(&f.maxRole, "max-role", "", "the token has at most this role: None, Viewer or Editor")
	flags.StringArrayVarP(&f.permissions, "permission", "p", nil, `the token has only these permissions of its account: ACTION or ACTION@SCOPE; repeat the flag for more; "none" for none at all`)
	flags.StringArrayVar(&f.networks, "network", nil, "the token works only from this address or network, such as 10.0.0.0/8; repeat the flag for more")
	flags.StringVar(&f.rate, "rate", "", "the token makes at most so many requests in so long: 100/60 is 100 in 60 seconds, 100/1m+20 allows 20 more at once after a rest")
	offersWords(cmd, "max-role", []string{"None", "Viewer", "Editor"})
}

// lifted is the word that takes a limit away.
const lifted = "any"

// create sets the limits of a token that is to be made.
func (f limitFlags) create(s *session, in *wire.CreateToken) error {
	in.ReadOnly, in.MaxRole, in.Networks = f.readOnly, f.maxRole, f.networks
	if s.cmd.Flags().Changed("permission") {
		list := ceilingOf(f.permissions)
		in.Permissions = &list
	}
	if f.rate != "" {
		rate, err := parseRate(f.rate)
		if err != nil {
			return err
		}
		in.RateLimit = &rate
	}
	return nil
}

// update sets the limits that the command line names, and takes away those that it
// says "any" of.
func (f limitFlags) update(s *session, in *wire.UpdateToken) error {
	given := s.cmd.Flags().Changed
	if given("read-only") {
		in.ReadOnly = wire.To(f.readOnly)
	}
	if given("max-role") {
		in.MaxRole = wire.To(f.maxRole)
		if strings.EqualFold(f.maxRole, lifted) {
			in.MaxRole = wire.Null[string]()
		}
	}
	if given("network") {
		in.Networks = wire.To(f.networks)
		if len(f.networks) == 1 && f.networks[0] == lifted {
			in.Networks = wire.Null[[]string]()
		}
	}
	if given("permission") && len(f.permissions) == 1 && f.permissions[0] == lifted {
		in.Permissions = wire.Null[[]wire.Permission]()
	} else if given("permission") {
		in.Permissions = wire.To(ceilingOf(f.permissions))
	}
	if given("rate") && f.rate == lifted {
		in.RateLimit = wire.Null[wire.RateLimit]()
	} else if given("rate") {
		rate, err := parseRate(f.rate)
		if err != nil {
			return err
		}
		in.RateLimit = wire.To(rate)
	}
	return nil
}

// ceilingOf reads permissions as ACTION or ACTION@SCOPE; "none" alone is none.
func ceilingOf(list []string) []wire.Permission {
	if len(list) == 1 && list[0] == "none" {
		return []wire.Permission{}
	}
	return permissionsOf(list)
}

// parseRate reads a rate as 100/60, 100/1m or 100/1m+20.
func parseRate(s string) (wire.RateLimit, error) {
	requests, rest, _ := strings.Cut(s, "/")
	every, burst, more := strings.Cut(rest, "+")
	if n, ok := parseSpan(every); ok { // not a bare number of seconds
		every = number(n)
	}
	text := requests + "/" + every
	if more {
		text += "+" + burst
	}
	r, err := hallpass.ParseRateLimit(text)
	if err != nil || s == "" {
		return wire.RateLimit{}, errors.New("--rate reads like 100/60 or 100/1m (100 requests in a minute), or 100/1m+20 (20 more at once after a rest)")
	}
	return wire.RateLimit{Requests: int64(r.Requests), Seconds: int64(r.Every / time.Second), Burst: int64(r.Burst)}, nil
}

func narrowToken(r *remote) *cobra.Command {
	var f limitFlags
	cmd := r.verb("narrow ACCOUNT TOKEN", "Limit what a token may do, from where and how often", func(s *session) error {
		var in wire.UpdateToken
		if err := f.update(s, &in); err != nil {
			return err
		}
		if in == (wire.UpdateToken{}) {
			return errNothingToChange
		}
		n, err := s.toChange()
		if err != nil {
			return err
		}
		return s.changed(n, in)
	})
	cmd.Long = `Make a token narrower than its account: it may do what both allow. Limits that no
flag names stay as they are; --permission and --network replace the list. When the
command returns, every server goes by the new limits. "token usage" shows what the
token was used for, and from where.

"any" takes a limit away: --max-role any, --permission any, --network any, --rate any,
and --read-only=false. That gives power, so you must hold what the account holds.`
	cmd.Example = `  hallpass token narrow ci deploy --read-only
  hallpass token narrow ci deploy -p dashboards:read -p dashboards:write@folders:uid:ops
  hallpass token narrow ci deploy --network 10.0.0.0/8 --network 2001:db8::7 --rate 100/1m
  hallpass token narrow ci deploy --network any`
	f.flags(cmd)
	return cmd
}

// limitRows returns the limits of a token as rows of a table: name and value.
func limitRows(k wire.Token) (rows [][2]string) {
	if k.ReadOnly {
		rows = append(rows, [2]string{"read-only", "yes"})
	}
	if k.MaxRole != nil {
		rows = append(rows, [2]string{"max role", *k.MaxRole})
	}
	if k.Permissions != nil {
		list := []string{}
		for _, p := range *k.Permissions {
			list = append(list, permissionText(p.Action, p.Scope))
		}
		if len(list) == 0 {
			list = []string{"none at all"}
		}
		rows = append(rows, [2]string{"permissions", strings.Join(list, ", ")})
	}
	if len(k.Networks) > 0 {
		rows = append(rows, [2]string{"networks", strings.Join(k.Networks, ", ")})
	}
	if r := k.RateLimit; r != nil {
		text := fmt.Sprintf("%d in %s", r.Requests, spanText(r.Seconds))
		if r.Burst > 0 {
			text += fmt.Sprintf(", and %d more at once after a rest", r.Burst)
		}
		rows = append(rows, [2]string{"requests", text})
	}
	return rows
}
