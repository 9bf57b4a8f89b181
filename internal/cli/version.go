package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/version"
)

// build is the JSON of `hallpass version`.
type build struct {
	Version  string     `json:"version"`
	Commit   string     `json:"commit,omitempty"`
	Time     *time.Time `json:"time,omitempty"` // of the commit
	Modified bool       `json:"modified,omitempty"`
	Go       string     `json:"go"`
	Platform string     `json:"platform"`
}

func versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use: "version", Short: "Print the version, the commit and the version of Go", Args: cobra.NoArgs,
		Long: `Print the version of this program, the commit that it was built from, and the
version of Go that compiled it. No server is called.

The version is "dev" when the program was not built from a commit.`,
		Example: `  hallpass version
  hallpass version -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := newPrinter(cmd, output)
			if err != nil {
				return err
			}
			return printVersion(p, version.Current())
		},
	}
	outputFlag(cmd, &output)
	quietFlags(cmd)
	return cmd
}

func printVersion(p printer, v version.Info) error {
	answer := build{Version: v.Version, Commit: v.Commit, Modified: v.Modified, Go: v.Go, Platform: v.Platform}
	t := table{rows: [][]string{{"hallpass", v.Version}}}
	if v.Commit != "" {
		t.rows = append(t.rows, []string{"commit", v.Commit})
	}
	if !v.Time.IsZero() {
		answer.Time = &v.Time
		t.rows = append(t.rows, []string{"time", v.Time.Format(time.RFC3339)})
	}
	if v.Modified {
		t.rows = append(t.rows, []string{"modified", "yes: files were changed since the commit"})
	}
	t.rows = append(t.rows, []string{"go", v.Go + " " + v.Platform})
	return p.print(answer, t)
}
