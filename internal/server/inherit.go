package server

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// firstInherited is the file descriptor of the first socket that a supervisor hands over
// (sd_listen_fds(3)).
const firstInherited = 3

// InheritedSockets returns the sockets that a supervisor, such as systemd, opened for
// this process, as the environment says it (LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES;
// sd_listen_fds(3)): for Config.Sockets. A socket that takes no connections is an error.
// It is called once: a second call would find other files under these descriptors.
func InheritedSockets(environ []string) (list []net.Listener, err error) {
	value := make(map[string]string)
	for _, kv := range environ {
		if name, v, _ := strings.Cut(kv, "="); strings.HasPrefix(name, "LISTEN_") {
			value[name] = v
		}
	}
	if value["LISTEN_PID"] != strconv.Itoa(os.Getpid()) { // they are for another process
		return nil, nil
	}
	n, err := strconv.ParseUint(value["LISTEN_FDS"], 10, 8)
	if err != nil {
		return nil, fmt.Errorf("LISTEN_FDS: %q is not a number of sockets", value["LISTEN_FDS"])
	}
	names := strings.Split(value["LISTEN_FDNAMES"], ":")
	for i := range int(n) {
		name := "unknown"
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		l, err := inherit(uintptr(firstInherited+i), name)
		if err != nil {
			for _, l := range list {
				_ = l.Close() // the process ends
			}
			return nil, fmt.Errorf("LISTEN_FDS: socket %d, %s, takes no connections: %w", i+1, name, err)
		}
		list = append(list, l)
	}
	return list, nil
}

// inherit returns the listener of a file descriptor, which it closes.
func inherit(fd uintptr, name string) (net.Listener, error) {
	f := os.NewFile(fd, name)
	if f == nil {
		return nil, os.ErrInvalid
	}
	defer func() { _ = f.Close() }() // the listener has a copy
	l, err := net.FileListener(f)
	if err != nil {
		return nil, err
	}
	if l.Addr().Network() == "unix" {
		return httpd.LocalPeers(l), nil
	}
	return l, nil
}
