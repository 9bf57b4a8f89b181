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

// serveWithSignals serves, and does what signals ask for meanwhile: SIGHUP has the
// settings read again, or stops a server at a terminal, which sends it when it is
// closed. Those that mean nothing here are let go by: each of them would end the
// process in the middle of its requests, SIGPIPE when whoever reads the log is
// gone.
func (p *program) serveWithSignals(ctx context.Context, s *server.Server) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	signal.Ignore(syscall.SIGPIPE, syscall.SIGUSR1, syscall.SIGUSR2)
	terminal := isTerminal(p.stdin) // asked now: one that is closed is none any more
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	for {
		select {
		case err := <-served:
			return err
		case <-hangups:
			if terminal {
				p.log.Info("the terminal was closed")
				stop()
				continue
			}
			p.reload()
		}
	}
}

// reload reads the settings again and takes over those that can change while the
// server runs. With any that is not understood all stay as they were.
func (p *program) reload() {
	c, err := p.loadConfig()
	if err != nil {
		p.log.Error("the settings were read again and are not valid: the settings from before stay in effect", "error", err)
		return
	}
	p.level.Set(levelOf(c))
	if waiting := differ(&p.config, &c, "log.level"); len(waiting) > 0 {
		p.log.Warn("the settings were read again: some changes need a restart", "log.level", c.Log.Level, "restart_for", strings.Join(waiting, " "))
		return
	}
	p.log.Info("the settings were read again", "log.level", c.Log.Level)
}

// differ lists the keys, but those named, that have another value in b than in a.
func differ(a, b *server.Config, but ...string) []string {
	var keys []string
	other := settings(b)
	for i, s := range settings(a) {
		if !slices.Contains(but, s.key) && !reflect.DeepEqual(s.value.Interface(), other[i].value.Interface()) {
			keys = append(keys, s.key)
		}
	}
	return keys
}
