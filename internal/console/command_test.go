package console_test

import (
	"html"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

var commandField = regexp.MustCompile(`(?s)<textarea id="token-([a-z]+)"[^>]*>(.*?)</textarea>`)

// TestCommandsStoreTheSecret runs the commands that stand beside a new secret in bash, with
// a program in place of each that they call. The secret comes from standard input: it
// arrives whole, is in no argument, and is in no command.
func TestCommandsStoreTheSecret(t *testing.T) {
	s := hallpasstest.New(t)
	b := signedIn(t, s, "admin", hallpasstest.AdminPassword)
	account := b.create("ci", "Viewer")
	for name, variable := range map[string]string{"ci-dashboard-sync-token": "CI_DASHBOARD_SYNC_TOKEN", `Ω "; rm -rf / #`: "RM_RF", "7 nights": "TOKEN_7_NIGHTS", "日本": "TOKEN"} {
		made := b.save(account+"/tokens/new", "name", name, "expires", "2592000")
		secret := secretField.FindStringSubmatch(made.text)
		if secret == nil {
			t.Fatalf("%s: no secret:\n%s", name, made.text)
		}
		found := commandField.FindAllStringSubmatch(made.text, -1)
		if len(found) != 6 {
			t.Fatalf("%s: %d commands, want 6", name, len(found))
		}
		for _, m := range found {
			text := html.UnescapeString(m[2])
			if strings.Contains(text, secret[1]) {
				t.Errorf("%s: the command for %s holds the secret", name, m[1])
			}
			got := runCommand(t, text, secret[1])
			if !strings.Contains(got.stored, secret[1]) || strings.Contains(got.args, secret[1]) {
				t.Errorf("%s: %s\nstored %q with %q", name, text, strings.ReplaceAll(got.stored, secret[1], "(the secret)"), got.args)
			}
			if m[1] != "curl" && m[1] != "kubernetes" && m[1] != "vault" && !strings.Contains(got.args+got.stored, variable) {
				t.Errorf("%s: the command for %s names no %s: %q %q", name, m[1], variable, got.args, got.stored)
			}
			if m[1] == "env" && got.stored != "OTHER=1\n"+variable+"="+secret[1]+"\n" {
				t.Errorf("%s: the file is %q", name, strings.ReplaceAll(got.stored, secret[1], "(the secret)"))
			}
		}
	}
}

// ran is what a command did.
type ran struct{ args, stored string }

// runCommand runs the command in a directory with a file .env, and types the secret.
func runCommand(t *testing.T, command, secret string) ran {
	t.Helper()
	dir := t.TempDir()
	for _, program := range []string{"curl", "gh", "glab", "kubectl", "vault"} {
		script := "#!/bin/sh\necho " + program + " \"$@\" >> args\ncase \"$*\" in *create*|*secret*|*variable*|*kv*|*@-*) cat /dev/stdin | tee -a stored;; *) cat >> stored;; esac\n"
		if err := os.WriteFile(filepath.Join(dir, program), []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(".env", "OTHER=1\nRM_RF=old\nTOKEN=old\nTOKEN_7_NIGHTS=old\nCI_DASHBOARD_SYNC_TOKEN=old\n")
	cmd := exec.Command("bash", "-c", command)
	cmd.Dir, cmd.Env, cmd.Stdin = dir, append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH")), strings.NewReader(secret+"\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	read := func(name string) string {
		text, _ := os.ReadFile(filepath.Join(dir, name)) // a file that is not there was not written
		return string(text)
	}
	out := ran{read("args"), read("stored")}
	if out.args == "" {
		out.stored = regexp.MustCompile(`(?m)^(RM_RF|TOKEN|TOKEN_7_NIGHTS|CI_DASHBOARD_SYNC_TOKEN)=old\n`).ReplaceAllString(read(".env"), "")
	}
	return out
}
