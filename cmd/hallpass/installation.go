//go:build !client && !windows

package main

import (
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/server"
)

// about is the help of the whole program.
const about = `Hallpass issues, limits, watches and ends the bearer tokens that automation
uses. It has the HTTP API of Grafana's service accounts: scripts, CI jobs and
clients written for Grafana work with it unchanged.

To try it:

  hallpass quickstart`

// installation is what the commands on an installation need.
type installation struct {
	flags  flags
	config server.Config // of the server that runs
	log    *slog.Logger  // its log
	level  slog.LevelVar // of that log
}

// flags are those of every command that opens an installation.
type flags struct {
	config string
	data   string
	listen string
	dev    bool
}

// installationCommands returns the commands that serve, or work on the data directory.
func (p *program) installationCommands() []*cobra.Command {
	return []*cobra.Command{p.serve(), p.quickstart(), p.configCommand(), p.adminCommand(), p.backup(), p.restore(), p.migrate(), p.provision(), p.healthcheck()}
}

// installationFlags adds the flags that say which installation is meant.
func (p *program) installationFlags(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.NoArgs
	f := cmd.Flags()
	f.StringVar(&p.flags.config, "config", "", "read settings from this TOML file")
	f.StringVar(&p.flags.data, "data", "", `the data directory (default "data")`)
	return cmd
}

// serveFlags adds the flags of a command that serves.
func (p *program) serveFlags(cmd *cobra.Command) *cobra.Command {
	p.installationFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&p.flags.listen, "listen", "", `the address and port to listen on (default "127.0.0.1:3080")`)
	f.BoolVar(&p.flags.dev, "dev", false, "read pages from the source tree on every request")
	return cmd
}
