package hallpasstest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
)

// Ports of FreeAddress: below those that systems give to outgoing connections, which begin
// at 32768 on Linux. One of those could go to a client of any test before the server
// listens there, or while it restarts.
const (
	firstPort = 10_000
	lastPort  = 29_999
)

var givenPorts sync.Map // the ports that FreeAddress gave

// FreeAddress returns a TCP address on this machine where nobody listens, and which no
// other call in this process returned.
func FreeAddress(t testing.TB) string {
	t.Helper()
	var err error
	for range 100 {
		port := firstPort + rand.IntN(lastPort-firstPort+1) // #nosec G404 -- so that processes rarely try the same one
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		var l net.Listener
		if l, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		return l.Addr().String()
	}
	t.Fatalf("no free address: %v", err)
	return ""
}
