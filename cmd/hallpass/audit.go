//go:build !client && !windows

package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// auditDatabase returns what "audit verify" opens databases with.
func (p *program) auditDatabase() *cli.AuditDatabase {
	return &cli.AuditDatabase{
		Flags: func(cmd *cobra.Command) {
			takes := cmd.Args
			p.installationFlags(cmd)
			cmd.Args = takes
		},
		Prove: func(ctx context.Context, path string, known []hallpass.AuditMark) (report hallpass.AuditReport, err error) {
			if path != "" {
				return server.ProveAuditFile(ctx, path, known...)
			}
			c, err := p.loadConfig()
			if err != nil {
				return report, err
			}
			return server.ProveAudit(ctx, c, known...)
		},
	}
}
