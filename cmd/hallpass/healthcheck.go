//go:build !client && !windows

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/hallpass-dev/hallpass/internal/server"
)

func (p *program) healthcheck() *cobra.Command {
	var ready bool
	cmd := p.installationFlags(&cobra.Command{
		Use:   "healthcheck",
		Short: "Ask the server on this machine whether it is healthy",
		Long: `Ask the server that runs on this machine with the same settings whether it is
healthy (GET /healthz), for the health checks of containers. With --ready it is
asked whether requests should be sent to it (GET /readyz). The answer to that is no
while its database is away: do not restart a server for this.

It is asked at [server] socket if there is one, else at http_addr and http_port of
[metrics] if a port is set there, else at those of [server]. Its certificate is not
verified, because that is for another name.

The exit status is 0 if the server says yes within five seconds, else 1.`,
		Example: `  hallpass healthcheck
  hallpass healthcheck --config /etc/hallpass/hallpass.toml --ready`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := p.loadConfig()
			if err != nil {
				return err
			}
			path, state := "/healthz", "healthy"
			if ready {
				path, state = "/readyz", "ready"
			}
			asked, err := server.Healthcheck(cmd.Context(), c, path)
			if err != nil {
				return fmt.Errorf("not %s: %w", state, err)
			}
			_, err = fmt.Fprintf(p.stdout, "%s: %s\n", state, asked)
			return err
		},
	})
	cmd.Flags().StringVar(&p.flags.listen, "listen", "", `the address and port of the server (default "127.0.0.1:3080")`)
	cmd.Flags().BoolVar(&ready, "ready", false, "ask whether requests should be sent to it")
	return cmd
}
