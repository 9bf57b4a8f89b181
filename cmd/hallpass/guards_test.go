//go:build !client && !windows

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/server"
)

// TestReadGuards reads guards that use whatever a file can say about them.
func TestReadGuards(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hallpass.toml")
	err := os.WriteFile(path, []byte(`
[guard.prom]
org = 2
upstream = "http://127.0.0.1:9090"
preset = "prometheus"

[[guard.loki.rule]]
methods = ["GET", "POST"]
path = "/loki/api/v1/{rest...}"
action = "loki:read"
scope = "loki:tenants:{tenant}"
captures = { tenant = "header:X-Scope-OrgID" }
split = "|"
set = { X-Scope-OrgID = "{tenant}" }

[[guard.loki.rule]]
path = "/ready"
public = true

[guard.loki]
path_allow = ["%2f", ";"]
preflight = "allow"
identity = ["headers", "jwt"]

[log]
level = "warn"
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	r := reading{config: server.DefaultConfig(), origins: make(map[string]string)}
	if err := r.readFile(path); err != nil {
		t.Fatal(err)
	}
	c := r.config
	want := []hallpass.Guard{
		{Name: "loki", Org: 1, PathAllow: []string{"%2f", ";"}, AllowPreflight: true, JWT: true, Rules: []hallpass.GuardRule{
			{Methods: []string{"GET", "POST"}, Path: "/loki/api/v1/{rest...}", Need: hallpass.Need{Kind: hallpass.NeedPermission, Action: "loki:read", Scope: "loki:tenants:{tenant}"},
				Captures: map[string]string{"tenant": "header:X-Scope-OrgID"}, Split: "|", Set: map[string]string{"X-Scope-OrgID": "{tenant}"}},
			{Path: "/ready", Need: hallpass.Need{Kind: hallpass.NeedNothing}},
		}},
		{Name: "prom", Org: 2, Upstream: "http://127.0.0.1:9090", Preset: "prometheus"},
	}
	if d := cmp.Diff(c.Guards, want); d != "" || c.ConfigFile != path || c.Log.Level != "warn" {
		t.Errorf("of %s, with the level %s; got, want:\n%s", c.ConfigFile, c.Log.Level, d)
	}
}

// TestGuardsOfTheManual reads the files that the manual shows.
func TestGuardsOfTheManual(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "guard", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(text), "```toml\n")[1:]
	if len(blocks) == 0 {
		t.Fatal("it shows no file")
	}
	for _, b := range blocks {
		file, _, _ := strings.Cut(b, "```")
		path := filepath.Join(t.TempDir(), "hallpass.toml")
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
		r := reading{config: server.DefaultConfig(), origins: make(map[string]string)}
		if err := r.readFile(path); err != nil || len(r.config.Guards) == 0 {
			t.Errorf("%d guards, %v in\n%s", len(r.config.Guards), err, file)
		}
	}
}
