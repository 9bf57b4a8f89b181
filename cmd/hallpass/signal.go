//go:build !client && !windows

package main

import (
	"context"
	"os"
	"os/signal"
	"reflect"
	"slices"
	"strings"
	"syscall"

	"github.com/hallpass-dev/hallpass/internal/server"
)

// serveWithSignals serves and handles signals. SIGHUP makes the server read its settings
// again; a server at a terminal it stops, because a terminal sends SIGHUP when it is
// closed. SIGPIPE, SIGUSR1 and SIGUSR2 are ignored: by default each of them ends the
// process in the middle of its requests, SIGPIPE when the reader of the log is gone.
func (p *program) serveWithSignals(ctx context.Context, s *server.Server) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signal.Ignore(syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2)
	terminal := isTerminal(p.stdin) // asked before SIGHUP: a closed terminal no longer looks like one
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	go func() { // its own: the end of the server waits for no file and no database that a reload waits for
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			if terminal {
				p.log.Info("the terminal was closed")
				stop()
				return
			}
			done := s.Reloading()
			p.reload(ctx, s)
			if ctx.Err() == nil {
				done()
			}
		}
	}()
	return s.Serve(ctx)
}

// reload reads the settings again and applies those that can change while the server
// runs: the log's level, the guards, and the files of TLS and provisioning. If one of them
// is not valid, those after it stay as they were. What the end of ctx cuts off is not told.
func (p *program) reload(ctx context.Context, s *server.Server) {
	failed := func(what string, err error) {
		if ctx.Err() == nil {
			p.log.Error(what, "error", err)
		}
	}
	c, err := p.loadConfig()
	if err != nil {
		failed("the settings were read again and are not valid: the settings from before stay in effect", err)
		return
	}
	if err := s.ReloadCertificates(); err != nil {
		failed("the settings were read again, and the files of TLS cannot be used: the settings from before stay in effect", err)
		return
	}
	if c.ConfigFile != "" {
		if err := s.ApplyGuards(ctx, c.Guards); err != nil {
			failed("the settings were read again, and the guards cannot be applied: the settings from before stay in effect", err)
			return
		}
	}
	if err := s.ApplyFiles(ctx, c.Provisioning); err != nil {
		failed("the provisioning files were read again, and cannot be applied: what they declared before stays in effect, and it is tried again every ten seconds", err)
		return
	}
	p.level.Set(levelOf(c))
	if changed := changedKeys(&p.config, &c, "log.level", "provisioning.path", "provisioning.prune"); len(changed) > 0 {
		p.log.Warn("the settings were read again: some changes need a restart", "log.level", c.Log.Level, "restart_for", strings.Join(changed, " "))
		return
	}
	p.log.Info("the settings were read again", "log.level", c.Log.Level)
}

// changedKeys lists the keys whose values in before and after differ, without those in
// except.
func changedKeys(before, after *server.Config, except ...string) []string {
	var keys []string
	now := settings(after)
	for i, s := range settings(before) {
		if !slices.Contains(except, s.key) && !reflect.DeepEqual(s.value.Interface(), now[i].value.Interface()) {
			keys = append(keys, s.key)
		}
	}
	return keys
}
