//go:build !client && !windows

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/hallpass-dev/hallpass/client"
	"github.com/hallpass-dev/hallpass/internal/cli"
	"github.com/hallpass-dev/hallpass/internal/server"
)

func (p *program) serve() *cobra.Command {
	return p.serveFlags(&cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: `Run the server until Ctrl-C or SIGTERM stops it.

On SIGHUP the server reads its settings again. A new log.level, the guards of the
file, the files of TLS and the provisioning files take effect at once; the log names
the changed settings that need a restart. A server that runs in a terminal stops on SIGHUP, because the terminal
sends it when it is closed.

Settings come from --config (a TOML file with the sections and keys of
grafana.ini), from the environment (HALLPASS_<SECTION>_<KEY>, for a secret also
HALLPASS_<SECTION>_<KEY>_FILE with the name of a file that holds it) and from flags;
the later ones win. The server does not start with a setting that is not valid.`,
		Example: `  hallpass serve
  hallpass serve --data /var/lib/hallpass --listen 0.0.0.0:3080
  HALLPASS_SERVICE_ACCOUNTS_TOKEN_EXPIRATION_DAY_LIMIT=30 hallpass serve`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			s, err := p.open(cmd.Context(), p.logger)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			if _, err := s.Listen(); err != nil {
				return err
			}
			if err := p.tellFirstPassword(s); err != nil {
				return err
			}
			return p.serveWithSignals(cmd.Context(), s)
		},
	})
}

// tellFirstPassword shows the password that was made at this start to a person at
// a terminal. Elsewhere it would stay in whatever keeps the output: there the log
// says which file has it.
func (p *program) tellFirstPassword(s *server.Server) error {
	text, path, fresh := s.FirstPassword()
	if !fresh {
		return nil
	}
	if !isTerminal(p.stdout) {
		p.log.Info("the first admin was created; this file has its random password until the password is changed", "login", s.AdminLogin(), "file", path)
		return nil
	}
	_, err := fmt.Fprintf(p.stdout, "Console:   %s\nSign in:   %s / %s\n           (kept in %s until it is changed)\n", s.ConsoleURL(), s.AdminLogin(), text.Reveal(), path)
	return err
}

// isTerminal reports whether a person may be reading or typing there.
func isTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// open loads the settings and opens the server.
func (p *program) open(ctx context.Context, logger func(server.Config) *slog.Logger) (*server.Server, error) {
	r, err := p.readConfig()
	if err != nil {
		return nil, err
	}
	c := r.config
	if c.Sockets, err = server.InheritedSockets(p.environ); err != nil {
		return nil, err
	}
	p.takeBallast()
	p.config = c
	addThread()
	log := logger(c)
	for _, w := range r.warnings {
		log.Warn(w)
	}
	s, err := server.Open(ctx, c, log)
	if err != nil {
		return nil, r.locate(err)
	}
	p.log = s.Log()
	return s, nil
}

// addThread lets Go use three threads on a machine with two cores. Hashing a password
// occupies a thread for some 40 ms, and Go interrupts it only every 10 ms, which is
// long for a token that waits to be verified; the operating system shares a core
// between threads much sooner.
func addThread() {
	if n := runtime.GOMAXPROCS(0); n == 2 {
		runtime.GOMAXPROCS(n + 1)
	}
}

func (p *program) quickstart() *cobra.Command {
	return p.serveFlags(&cobra.Command{
		Use:   "quickstart",
		Short: "Create an account and a token, test the token, then serve",
		Long: `Start the server on the embedded database, create the service account
dashboard-sync (role Viewer) with a token of 90 days, test the token with GET
/api/org, and serve until Ctrl-C. The admin is the owner of the account.

A second run creates nothing new and says so.`,
		Example: `  hallpass quickstart
  hallpass quickstart --data /tmp/try --listen 127.0.0.1:4000`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			quiet := func(c server.Config) *slog.Logger { // the words below are what a stranger should read
				if c.Log.Level == "info" {
					c.Log.Level = "warn"
				}
				return p.logger(c)
			}
			s, err := p.open(cmd.Context(), quiet)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, s.Close()) }()
			ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGHUP) // its terminal was closed
			defer stop()
			return p.prove(ctx, s)
		},
	})
}

// prove serves, and tells meanwhile what was made and that it works.
func (p *program) prove(ctx context.Context, s *server.Server) error {
	if p.config.Server.Protocol != "http" {
		return errors.New("quickstart calls itself over plain HTTP: set server.protocol to http, or run hallpass serve")
	}
	if _, err := s.Listen(); err != nil {
		return err
	}
	r, err := s.Quickstart(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	told := p.report(ctx, s, s.LocalURL(), r)
	if told != nil {
		cancel()
	}
	return errors.Join(told, <-served)
}

func (p *program) report(ctx context.Context, s *server.Server, url string, r server.QuickstartResult) error {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("")
	if r.Created {
		_, answer, err := client.New(url, r.Secret.Reveal()).Org(ctx)
		if err != nil {
			return fmt.Errorf("the new token does not work: %w", err)
		}
		say("Created the service account %s (role %s, owner %s) and a token for it.", r.Account.Name, r.Account.Role, r.Account.Owner)
		say("The token, which is shown only now and ends at %s:", cli.ExactTime(r.Token.ExpiresAt, time.Now()))
		say("")
		say("  %s", r.Secret.Reveal())
		say("")
		say("Test it from another terminal:")
		say("")
		say(`  curl -H "Authorization: Bearer %s" %s/api/org`, r.Secret.Reveal(), url)
		say("")
		say("The answer to this call:")
		say("")
		say("  %s", answer)
	} else {
		say("Nothing new was created: the service account %s exists from an earlier start.", r.Account.Name)
		switch {
		case r.Token.ID == 0:
			say("Its token %q has ended or was deleted. Create another on the page below.", "quickstart")
		case r.Token.LastUse.At.IsZero():
			say("Its token …%s was never used. It was shown when it was created:", r.Token.LastFour)
			say("if you did not keep it, create another on the page below.")
		default:
			say("Its token …%s was last used at %s. It was shown when it was created:", r.Token.LastFour, cli.ExactTime(r.Token.LastUse.At, time.Now()))
			say("if you did not keep it, create another on the page below.")
		}
	}
	say("")
	say("Console:  %s/org/serviceaccounts/%s", s.ConsoleURL(), r.Account.UID)
	switch text, path, _ := s.FirstPassword(); {
	case path != "" && r.Created:
		say("Sign in:  %s / %s", s.AdminLogin(), text.Reveal())
		say("          (kept in %s until you change it)", path)
	case path != "":
		say("Sign in:  %s, with the password in %s", s.AdminLogin(), path)
	default:
		say("Sign in:  %s, with the password you chose", s.AdminLogin())
	}
	say("")
	say("Serving. Press Ctrl-C to stop.")
	_, err := io.WriteString(p.stdout, b.String())
	return err
}
