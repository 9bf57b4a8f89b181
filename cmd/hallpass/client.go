//go:build client || windows

package main

import (
	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/cli"
)

// about is the help of a program without the server.
const about = `Hallpass issues, limits, watches and ends the bearer tokens that automation
uses. This is the client of a server that runs elsewhere: it has no command that
serves.

To begin:

  hallpass login https://hallpass.example.com`

// installation is empty: a client has none.
type installation struct{}

// installationCommands returns none: a client works with a server alone.
func (p *program) installationCommands() []*cobra.Command { return nil }

// auditDatabase returns nil: a client opens no database.
func (p *program) auditDatabase() *cli.AuditDatabase { return nil }
