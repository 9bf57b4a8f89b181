package test_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/hallpasstest"
)

// grpc measures checks of Envoy by a hundred rules beside a server that has one answer
// for all: on a listener of gRPC alone, and on the main port by net/http.
func (b *bench) grpc(s stock) {
	t := b.t
	checks := filepath.Join(t.TempDir(), "checks")
	if out, err := exec.Command("go", "build", "-o", checks, "./checks").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	s.addGuard(t, "bench", 100)
	_, grpcAddress := binaryAndAddress(t)
	ours := b.serve(s, "HALLPASS_SERVER_TRUSTED_PROXIES=127.0.0.1", "HALLPASS_GUARD_GRPC_LISTEN="+grpcAddress)
	defer b.stop(ours)
	ask := func(server *os.Process, address string) result {
		return b.measure(server, exec.Command("taskset", "-c", "1", checks, "-load", address, "-token", s.tokens[0], "-path", "/app/last/x/values?query=up", "-d", fmt.Sprint(b.each)))
	}
	for _, way := range []struct {
		what, address string
		flags         []string
	}{
		{"ext_authz on grpc_listen, 100 rules, processor time of a constant answer ÷ ours", grpcAddress, nil},
		{"ext_authz on the main port, processor time of a constant answer there ÷ ours", strings.TrimPrefix(ours.url, "http://"), []string{"-http"}},
	} {
		constant, address := b.constant(checks, way.flags...)
		ask(constant, address)
		ask(ours.cmd.Process, way.address)
		x, y := b.inTurn(func() result { return ask(constant, address) }, func() result { return ask(ours.cmd.Process, way.address) })
		b.add(way.what, "%.3f", x.cpu/y.cpu, "≥ 0.85", x.cpu >= 0.85*y.cpu)
		b.add("the same, checks a second ÷ a constant answer", "%.3f", y.rps/x.rps, "≥ 0.85", y.rps >= 0.85*x.rps)
	}
}

// constant starts the yardstick on the servers' core and returns it with its address.
func (b *bench) constant(checks string, flags ...string) (*os.Process, string) {
	t := b.t
	t.Helper()
	_, address := binaryAndAddress(t)
	cmd := exec.Command("taskset", append([]string{"-c", "0", checks, "-serve", address}, flags...)...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // it was killed
	hallpasstest.Eventually(t, "the constant server to listen", func() bool { return listens(address) })
	return cmd.Process, address
}
