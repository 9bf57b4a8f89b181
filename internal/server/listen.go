package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// The values of ServerConfig.Protocol. Grafana's https has no HTTP/2; here https and h2
// are two names of one thing.
const (
	protocolHTTP   = "http"
	protocolHTTPS  = "https"
	protocolH2     = "h2"
	protocolSocket = "socket"
)

// secure reports whether the server speaks TLS on its addresses of TCP.
func (c ServerConfig) secure() bool { return c.Protocol == protocolHTTPS || c.Protocol == protocolH2 }

// address returns the address and port of the settings, as 127.0.0.1:3080.
func (c ServerConfig) address() string {
	return joinAddress(c.HTTPAddr, c.HTTPPort)
}

// joinAddress returns an address, of IPv6 with or without brackets, and a port in one.
func joinAddress(address string, port int) string {
	return net.JoinHostPort(strings.Trim(address, "[]"), strconv.Itoa(port))
}

// validateAddress returns an error if http_addr or http_port of the section is not valid.
func validateAddress(section, address string, port int) error {
	if port < 0 || port > 65535 {
		return fmt.Errorf("%s.http_port: %d is not a port", section, port)
	}
	if _, err := netip.ParseAddrPort(address); err == nil {
		return fmt.Errorf("%s.http_addr: %q has a port: that belongs into %s.http_port", section, address, section)
	}
	return nil
}

// place returns where the settings have the server listen, for people: an address and
// port, or the path of a socket.
func (c ServerConfig) place() string {
	if c.Protocol == protocolSocket {
		return c.Socket
	}
	return c.address()
}

// socketOrigin is what clients of a socket write: they look no name up.
const socketOrigin = "http://localhost"

// origin returns the URL of address, on which this server listens.
func (c ServerConfig) origin(address string) string {
	switch {
	case c.Protocol == protocolSocket:
		return socketOrigin
	case c.secure():
		return "https://" + address
	}
	return "http://" + address
}

// LocalURL returns where clients on this machine reach the server, once it listens. Who
// calls it through a socket may write any host.
func (s *Server) LocalURL() string {
	if s.config.Server.ServeFromSubPath {
		return s.localOrigin() + string(s.base)
	}
	return s.localOrigin()
}

// ConsoleURL returns where people on this machine find the console, once the server
// listens. Below a path that a proxy takes off, it is behind that proxy.
func (s *Server) ConsoleURL() string {
	if s.base != "" && !s.config.Server.ServeFromSubPath {
		return strings.TrimRight(s.config.Server.RootURL, "/")
	}
	return s.LocalURL()
}

func (s *Server) localOrigin() string {
	at := s.listeners[0].Addr()
	if at.Network() == "unix" {
		return socketOrigin
	}
	return s.config.Server.origin(reachable(at.String()))
}

// reachable turns an address to listen on into one to call.
func reachable(address string) string {
	host, port, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		return net.JoinHostPort("127.0.0.1", port)
	}
	return address
}

// Listen binds the configured addresses and returns the real one of the main port, with
// the port that a port of 0 became; or the path of the socket if there is no such port.
func (s *Server) Listen() (string, error) {
	if err := s.listenForClients(); err != nil {
		return "", err
	}
	if address := s.config.Guard.GRPCListen; address != "" {
		if err := listen(&s.grpc, address); err != nil {
			return "", fmt.Errorf("guard.grpc_listen: %w", err)
		}
	}
	if c := s.config.Metrics; c.apart() {
		if err := listen(&s.scrapes, c.address()); err != nil {
			return "", fmt.Errorf("metrics.%s: %w", keyOf(err), err)
		}
	}
	if err := s.listenForGuards(); err != nil {
		return "", err
	}
	return s.listeners[0].Addr().String(), nil
}

// listenForClients opens the main port and the socket, as far as the settings have them,
// or takes the sockets that a supervisor opened, unless that was done before.
func (s *Server) listenForClients() error {
	c := s.config.Server
	if len(s.listeners) == 0 {
		s.listeners = slices.Clone(s.config.Sockets)
	}
	if len(s.listeners) > 0 {
		return nil
	}
	if c.Protocol != protocolSocket {
		var l net.Listener
		if err := listen(&l, c.address()); err != nil {
			return fmt.Errorf("server.%s: %w", keyOf(err), err)
		}
		s.listeners = append(s.listeners, l)
	}
	if c.Socket == "" {
		return nil
	}
	l, err := c.listenOnSocket()
	if err != nil {
		return fmt.Errorf("server.socket: %w", err)
	}
	s.listeners = append(s.listeners, l)
	return nil
}

// listen binds the address, unless that was done before.
func listen(l *net.Listener, address string) (err error) {
	if *l != nil {
		return nil
	}
	if *l, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", address); err != nil {
		return fmt.Errorf("listen on %s: %w%s", address, reason(err), advice(err))
	}
	return nil
}

// keyOf returns which key of a section is to blame for an address that cannot be bound.
func keyOf(err error) string {
	if errors.Is(err, syscall.EADDRINUSE) || errors.Is(err, fs.ErrPermission) {
		return "http_port"
	}
	return "http_addr"
}

// reason returns why an address cannot be bound, without the address, which stands before
// it.
func reason(err error) error {
	var e *net.OpError
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

// advice returns what to do about an address that cannot be bound.
func advice(err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return ": stop the program that listens there, or choose another port"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return ": this machine has no such address"
	case errors.Is(err, fs.ErrPermission):
		return ": this user may not open the port: choose one above 1023, or let systemd open it (a socket unit)"
	}
	return ""
}

// socketNobody is the mode of a socket until its own is set, so that nobody else connects
// to it before.
const socketNobody = 0o177

// listenOnSocket makes the unix socket of the settings.
func (c ServerConfig) listenOnSocket() (net.Listener, error) {
	if err := clearSocket(c.Socket); err != nil {
		return nil, err
	}
	mode, err := c.socketMode()
	if err != nil {
		return nil, err
	}
	before := syscall.Umask(socketNobody)
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "unix", c.Socket)
	syscall.Umask(before)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("listen on %s: there is no directory %s: make it, or choose another path", c.Socket, filepath.Dir(c.Socket))
	case err != nil:
		return nil, fmt.Errorf("listen on %s: %w", c.Socket, reason(err))
	}
	l, err = own(l, c.Socket)
	if err != nil {
		return nil, err
	}
	if c.SocketGID >= 0 {
		if err := os.Chown(c.Socket, -1, c.SocketGID); err != nil {
			return nil, errors.Join(fmt.Errorf("server.socket_gid: %w: only root gives a file a group that its own user is not in", err), l.Close())
		}
	}
	if err := os.Chmod(c.Socket, mode); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return httpd.LocalPeers(l), nil
}

// ownSocket is a listener whose end removes its socket, if that is still the one at the
// path: somebody may have removed it, and another server may listen there by now.
type ownSocket struct {
	*net.UnixListener
	path   string
	made   fs.FileInfo
	remove *sync.Once
}

func own(l net.Listener, path string) (net.Listener, error) {
	made, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	u := l.(*net.UnixListener)
	u.SetUnlinkOnClose(false)
	return ownSocket{u, path, made, new(sync.Once)}, nil
}

// Close is for net.Listener.
func (o ownSocket) Close() (err error) {
	o.remove.Do(func() { // once: later, the file system may have given the number of the file to another
		if there, gone := os.Lstat(o.path); gone == nil && os.SameFile(there, o.made) {
			err = os.Remove(o.path)
		}
	})
	return errors.Join(err, o.UnixListener.Close())
}

// clearSocket removes a socket that a process which was killed left at the path. It is
// an error if a program listens there, or if something else is there.
func clearSocket(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there already and is not a socket: choose another path, or move it away", path)
	}
	if err := nobodyListens(path); err != nil {
		return err
	}
	return os.Remove(path)
}

// nobodyListens returns an error if a program listens on the socket, or that cannot be found out.
func nobodyListens(path string) error {
	conn, err := (&net.Dialer{}).DialContext(context.Background(), "unix", path)
	switch {
	case err == nil:
		_ = conn.Close() // nothing was sent
		return fmt.Errorf("another program listens on %s: stop it, or choose another path", path)
	case !errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("whether a program listens on %s cannot be found out: %w", path, err)
	}
	return nil
}

// socketMode returns SocketMode as a mode.
func (c ServerConfig) socketMode() (fs.FileMode, error) {
	mode, err := strconv.ParseUint(c.SocketMode, 8, 32)
	if err != nil || mode > 0o777 {
		return 0, fmt.Errorf("server.socket_mode: %q is not a mode in octal digits like 0660", c.SocketMode)
	}
	return fs.FileMode(mode), nil
}

// maxSocketPath is the most bytes that the path of a socket has on every system.
const maxSocketPath = 103

// maxGroup is the largest number of a group: chown takes the one after it for "as it is",
// and of larger ones the lowest 32 bits.
const maxGroup = 1<<32 - 2

// validateListening returns an error if the settings of where and how the server listens
// are not valid or contradict each other.
func (c ServerConfig) validateListening() error {
	switch c.Protocol {
	case protocolHTTP, protocolHTTPS, protocolH2:
	case protocolSocket:
		if c.Socket == "" {
			return errors.New("server.socket: protocol socket needs the path of the socket")
		}
	default:
		return fmt.Errorf("server.protocol: %q is not one of http, https, h2, socket", c.Protocol)
	}
	if err := validateAddress("server", c.HTTPAddr, c.HTTPPort); err != nil {
		return err
	}
	if strings.HasPrefix(c.Socket, "@") {
		return fmt.Errorf("server.socket: %q would be an abstract socket, to which every user of the machine may connect: name a file (./%s for a file whose name begins so)", c.Socket, c.Socket)
	}
	if len(c.Socket) > maxSocketPath {
		return fmt.Errorf("server.socket: the path has %d bytes, more than the %d that a socket may have", len(c.Socket), maxSocketPath)
	}
	if _, err := c.socketMode(); err != nil {
		return err
	}
	if c.SocketGID < -1 || int64(c.SocketGID) > maxGroup {
		return fmt.Errorf("server.socket_gid: %d is not the number of a group, which is at most %d; -1: the group stays", c.SocketGID, int64(maxGroup))
	}
	return c.validateTLS()
}

// serveAt has the server answer at the listener until that is closed. On TCP it speaks
// TLS if the settings say so; on a unix socket it does not.
func (s *Server) serveAt(l net.Listener, web *http.Server) error {
	kept := httpd.KeepFirstDeadline(httpd.KeepTimers(l))
	if s.config.Server.secure() && l.Addr().Network() == "tcp" {
		return web.ServeTLS(kept, "", "")
	}
	return web.Serve(kept)
}
