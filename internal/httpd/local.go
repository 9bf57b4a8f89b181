package httpd

import "net"

// LocalPeers returns a listener of a unix socket whose connections come from 127.0.0.1.
// A client of a unix socket has no address of its own, or one that it chose: it may bind
// its end to a path with the name "192.0.2.1:80". It is on this machine, and so it counts
// as one that connects to 127.0.0.1 does.
func LocalPeers(l net.Listener) net.Listener { return localListener{l} }

type localListener struct{ net.Listener }

// Accept is for net.Listener.
func (l localListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return localConn{c}, nil
}

// localConn is a connection of LocalPeers.
type localConn struct{ net.Conn }

// localPeer is where its clients come from. No connection over TCP has the port 0.
var localPeer net.Addr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}

// RemoteAddr is for net.Conn.
func (localConn) RemoteAddr() net.Addr { return localPeer }

// CloseWrite ends what is sent, if the connection can.
func (c localConn) CloseWrite() error { return closeWrite(c.Conn) }
