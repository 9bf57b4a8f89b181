package test_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// guardServer is a running Hallpass with guards in its configuration.
type guardServer struct {
	*process
	address, data string
	args          []string
}

// newGuardServer starts a server with this configuration.
func newGuardServer(t *testing.T, configuration string) *guardServer {
	t.Helper()
	g := &guardServer{address: freeAddress(t), data: t.TempDir()}
	config := filepath.Join(g.data, "hallpass.toml")
	if err := os.WriteFile(config, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	g.args = []string{"--listen", g.address, "--config", config}
	g.again(t)
	return g
}

// withUpstream returns the configuration with the address of a guard's API, for the built-in
// proxy.
func withUpstream(configuration, guard string, api *witness) string {
	section := "[guard." + guard + "]\n"
	return strings.Replace(configuration, section, section+"upstream = \"http://"+api.address+"\"\n", 1)
}

// again starts the server, for the first time or after it ended, with nothing in its memory.
func (g *guardServer) again(t *testing.T) {
	t.Helper()
	g.process = start(t, g.data, []string{"HALLPASS_SERVER_SHUTDOWN_DELAY=0s"}, g.args...)
	g.process.url = "http://" + g.address
	g.await()
}

// holder makes an account that has these permissions alone, each an action, perhaps with @ and
// a scope, and a token of it.
func (g *guardServer) holder(permissions ...string) credential {
	g.t.Helper()
	c := credential{}
	n := credentials.Add(1)
	var account struct{ ID int64 }
	g.must(201, "POST", "/api/serviceaccounts", fmt.Sprintf(`{"name":"holder-%d","role":"None"}`, n), &account)
	if len(permissions) > 0 {
		var list []string
		for _, p := range permissions {
			action, scope, _ := strings.Cut(p, "@")
			list = append(list, fmt.Sprintf(`{"action":%q,"scope":%q}`, action, scope))
		}
		g.must(201, "POST", "/api/access-control/roles", fmt.Sprintf(`{"uid":"held-%d","name":"held-%d","permissions":[%s]}`, n, n, strings.Join(list, ",")), nil)
		g.must(200, "POST", fmt.Sprintf("/api/access-control/users/%d/roles", account.ID), fmt.Sprintf(`{"roleUid":"held-%d"}`, n), nil)
	}
	c.account = account.ID
	return g.another(c)
}

// another makes another token of the account.
func (g *guardServer) another(c credential) credential {
	g.t.Helper()
	var token struct {
		ID  int64
		Key string
	}
	g.must(200, "POST", fmt.Sprintf("/api/serviceaccounts/%d/tokens", c.account), fmt.Sprintf(`{"name":"holder-%d"}`, credentials.Add(1)), &token)
	c.token, c.key = token.ID, token.Key
	return c
}

// freeze stops the process where it is, as SIGSTOP does, and waits until it stands.
func (g *guardServer) freeze() {
	g.t.Helper()
	g.signal(syscall.SIGSTOP)
	hallpasstest.Eventually(g.t, "the server to stand still", func() bool {
		state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", g.cmd.Process.Pid))
		return err != nil || strings.Contains(string(state), ") T ") // an error: a system without /proc
	})
}
