package cli

import (
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/wire"
)

// stateList are the states of tokens as the API names them, in a sentence, each with what
// people call it if that is another word.
func stateList() string {
	var list []string
	for _, s := range hallpass.TokenStates() {
		text := string(s)
		if words := strings.TrimPrefix(s.Words(), text); words != "" {
			text += " (" + strings.TrimPrefix(words, ": ") + ")"
		}
		list = append(list, text)
	}
	return strings.Join(list[:len(list)-1], ", ") + " or " + list[len(list)-1]
}

func stateWords() (words []string) {
	for _, s := range hallpass.TokenStates() {
		words = append(words, string(s))
	}
	return words
}

// inventoryFlags are the flags of the inventory.
type inventoryFlags struct {
	client.InventoryFilter
	account, within, unused string
	limit                   int
}

func (f *inventoryFlags) flags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.State, "state", "", "only tokens in this state: "+stateList())
	flags.StringVar(&f.Owner, "owner", "", "only tokens of this owner, or of accounts of this owner")
	flags.StringVar(&f.account, "account", "", "only tokens of this account")
	flags.StringVar(&f.within, "expires-within", "", "only tokens that end within so long, such as 14d; without --state not those that have ended")
	flags.StringVar(&f.unused, "unused-for", "", "only tokens that nobody has used for so long, such as 90d; not those that are younger")
	flags.BoolVar(&f.NeverUsed, "never-used", false, "only tokens that nobody has ever used")
	flags.BoolVar(&f.NoExpiry, "no-expiry", false, "only tokens that never expire")
	flags.StringVar(&f.LastFour, "last-four", "", "only tokens whose secret ends with these four characters")
	flags.StringVarP(&f.Query, "query", "q", "", "only tokens whose name, or whose account's name, contains this text")
	flags.StringVar(&f.Sort, "sort", "", "the order: name, created, expires or lastUsed, with - before it for the reverse (default name)")
	flags.IntVar(&f.limit, "limit", 1000, "the largest number of tokens to list")
	offersWords(cmd, "state", stateWords())
	offersWords(cmd, "sort", sortWords())
}

func sortWords() (words []string) {
	for _, o := range hallpass.TokenOrders() {
		words = append(words, string(o), "-"+string(o))
	}
	return words
}

// filter returns the filter. Names of accounts are looked up.
func (f *inventoryFlags) filter(s *session, now time.Time) (client.InventoryFilter, error) {
	for flag, to := range map[string]struct {
		value string
		at    *time.Time
		sign  int64
	}{"expires-within": {f.within, &f.ExpiresBefore, 1}, "unused-for": {f.unused, &f.LastUsedBefore, -1}} {
		if to.value == "" {
			continue
		}
		n, err := seconds(flag, to.value)
		if err != nil {
			return f.InventoryFilter, err
		}
		*to.at = now.Add(time.Duration(to.sign*n) * time.Second)
	}
	if f.within != "" && f.State == "" {
		f.ExpiresAfter = now // those that have ended do not end any more
	}
	if holdsToken(f.LastFour + f.Query) {
		return f.InventoryFilter, errTokenArgument
	}
	if f.account != "" {
		a, err := s.FindServiceAccount(s.ctx, f.account)
		if err != nil {
			return f.InventoryFilter, err
		}
		f.Account = a.ID
	}
	return f.InventoryFilter, nil
}

func inventory() *cobra.Command {
	r := &remote{}
	var f inventoryFlags
	cmd := r.verb("inventory", "List the tokens of all service accounts", func(s *session) error {
		if f.limit < 1 {
			return errors.New("--limit must be at least 1")
		}
		filter, err := f.filter(s, time.Now())
		if err != nil {
			return err
		}
		if s.csv {
			return s.ExportInventory(s.ctx, filter, s.out)
		}
		list, err := s.Inventory(s.ctx, filter, f.limit)
		if err != nil {
			return err
		}
		if err := s.printInventory(list); err != nil {
			return err
		}
		if len(list) == 0 && !s.json {
			return s.say("There are no such tokens.")
		}
		if len(list) == f.limit {
			return s.say("There may be more: --limit shows more than %d, -o csv all of them.", f.limit)
		}
		return nil
	})
	cmd.Long = `List the tokens of all service accounts that you may read, also those that have ended
as long as the server keeps them. Filters may be combined. -o csv writes all of them,
whatever --limit says.`
	cmd.Example = `  hallpass inventory --expires-within 14d --sort expires
  hallpass inventory --no-expiry --state live
  hallpass inventory --last-four a1b2
  hallpass inventory -o csv > tokens.csv`
	r.csvFlags(cmd)
	f.flags(cmd)
	offers(cmd, "account", func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return r.offer(cmd, "ACCOUNT", args, typed)
	})
	cmd.SuggestFor = []string{"find", "search", "tokens"}
	return cmd
}

// csvFlags are the flags of a command that can write CSV too.
func (r *remote) csvFlags(cmd *cobra.Command) {
	r.flags(cmd)
	cmd.Annotations = map[string]string{takesCSV: "yes"}
	cmd.PersistentFlags().Lookup("output").Usage = "the output format: table, json or csv"
}

func (s *session) printInventory(list []wire.ListedToken) error {
	t := table{header: []string{"ID", "ACCOUNT", "NAME", "STATE", "EXPIRES", "LAST USED", "FROM", "USER AGENT", "OWNER", "LAST FOUR"}}
	for _, k := range list {
		t.rows = append(t.rows, []string{
			number(k.ID), k.ServiceAccount.Name, k.Name, stateText(k.Token, k.ServiceAccount.IsDisabled), timeText(k.Expiration), timeText(k.LastUsedAt), text(k.LastUsedAddress), shortAgent(text(k.LastUsedUserAgent)), k.Owner, k.LastFour,
		})
	}
	return s.print(list, t)
}
