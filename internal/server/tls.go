package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/plainfile"
)

// The values of ServerConfig.ClientAuth.
const (
	clientAuthRequire  = "require"
	clientAuthOptional = "optional"
)

// validateTLS returns an error if the settings of TLS contradict each other or the
// protocol. It opens no file: commands beside the server may not read the key.
func (c ServerConfig) validateTLS() error {
	if c.ClientAuth != clientAuthRequire && c.ClientAuth != clientAuthOptional {
		return fmt.Errorf("server.client_auth: %q is neither require nor optional", c.ClientAuth)
	}
	if c.secure() {
		switch {
		case c.CertFile == "":
			return fmt.Errorf("server.cert_file: protocol %s needs a certificate: name its file here, and the file of its key in server.cert_key", c.Protocol)
		case c.CertKey == "":
			return fmt.Errorf("server.cert_key: protocol %s needs the key of the certificate: name its file", c.Protocol)
		}
		if u, err := url.Parse(c.RootURL); err == nil && u.Scheme == "http" {
			return fmt.Errorf("server.root_url: %q begins with http, and the protocol is %s: browsers would be sent to where nobody answers them", c.RootURL, c.Protocol)
		}
		return nil
	}
	for _, s := range []struct{ key, value string }{{"cert_file", c.CertFile}, {"cert_key", c.CertKey}, {"client_ca_file", c.ClientCAFile}} {
		if s.value != "" {
			return fmt.Errorf(`server.%s: protocol %s has no TLS: set server.protocol = "https" too`, s.key, c.Protocol)
		}
	}
	return nil
}

// certificates are the files of TLS, and what was read from them last. When the files
// change, new connections get what they hold then; if that is not valid, they get what
// they got before. It is safe for concurrent use. A nil one stands for no TLS.
type certificates struct {
	c       ServerConfig
	log     *slog.Logger
	current atomic.Pointer[tls.Config] // nil: nothing was read yet

	mu   sync.Mutex
	used [sha256.Size]byte // of the files that current is made of; guarded by mu
	bad  [sha256.Size]byte // of files that follow found not to be valid; guarded by mu
}

func newCertificates(c ServerConfig, log *slog.Logger) *certificates {
	if !c.secure() {
		return nil
	}
	return &certificates{c: c, log: log}
}

// config returns what a server of TLS needs, nil if there is no TLS. It is made of Go's
// defaults for versions and ciphers.
func (k *certificates) config() *tls.Config {
	if k == nil {
		return nil
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		NextProtos:         nextProtos,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return k.current.Load(), nil },
	}
}

// forAll returns config for an address at which clients need no certificate.
func (k *certificates) forAll() *tls.Config {
	config := k.config()
	if config == nil || k.c.ClientCAFile == "" {
		return config
	}
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		current := k.current.Load().Clone()
		current.ClientAuth = tls.NoClientCert
		return current, nil
	}
	return config
}

// nextProtos are the protocols that clients may choose of (ALPN).
var nextProtos = []string{"h2", "http/1.1"}

// load reads the files, and new connections get what they hold. If something in them is
// not valid, they go on with what was there before.
func (k *certificates) load() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	files, err := k.read()
	if err != nil {
		return err
	}
	return k.use(files)
}

// follow is load for files that changed, again and again. Whoever renews a certificate
// writes several files, one after the other: what is not valid is an error when it still
// is so at the next look.
func (k *certificates) follow(context.Context) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	files, err := k.read()
	digest := files.digest(err)
	if err == nil && digest != k.used {
		err = k.use(files)
	}
	if err == nil {
		k.bad = [sha256.Size]byte{}
		return nil
	}
	if k.bad != digest {
		k.bad = digest
		return nil
	}
	return err
}

// maxTLSFile is the largest file of TLS, in bytes.
const maxTLSFile = 4 << 20

// tlsFiles are what the files hold.
type tlsFiles struct{ cert, key, clientCA []byte }

// digest tells states of the files from each other; err says why they could not be read.
func (f tlsFiles) digest(err error) [sha256.Size]byte {
	return sha256.Sum256(fmt.Appendf(nil, "%q %q %q %v", f.cert, f.key, f.clientCA, err))
}

func (k *certificates) read() (f tlsFiles, err error) {
	for _, file := range []struct {
		key, path string
		text      *[]byte
	}{{"cert_file", k.c.CertFile, &f.cert}, {"cert_key", k.c.CertKey, &f.key}, {"client_ca_file", k.c.ClientCAFile, &f.clientCA}} {
		if file.path == "" {
			continue
		}
		if *file.text, _, err = plainfile.Read(file.path, maxTLSFile); err != nil {
			return f, fmt.Errorf("server.%s: %w", file.key, err)
		}
	}
	return f, nil
}

// use has new connections get what the files hold. The caller holds mu.
func (k *certificates) use(f tlsFiles) error {
	pair, err := k.pair(f)
	if err != nil {
		return err
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: nextProtos, Certificates: []tls.Certificate{pair}}
	if k.c.ClientCAFile != "" {
		authorities, err := httpd.ParseCertificates(f.clientCA)
		if err != nil {
			return fmt.Errorf("server.client_ca_file: %s: %w", k.c.ClientCAFile, err)
		}
		config.ClientCAs = x509.NewCertPool()
		for _, a := range authorities {
			config.ClientCAs.AddCert(a)
		}
		config.ClientAuth = tls.RequireAndVerifyClientCert
		if k.c.ClientAuth == clientAuthOptional {
			config.ClientAuth = tls.VerifyClientCertIfGiven
		}
		config.SessionTicketsDisabled = true // a session that is resumed would not be held to other authorities
	}
	k.current.Store(config)
	k.used = f.digest(nil)
	k.tell(pair.Leaf)
	return nil
}

// pair returns the certificate with its key.
func (k *certificates) pair(f tlsFiles) (pair tls.Certificate, err error) {
	if _, err := httpd.ParseCertificates(f.cert); err != nil {
		return pair, fmt.Errorf("server.cert_file: %s: %w", k.c.CertFile, err)
	}
	if !holds(f.key, "PRIVATE KEY") {
		return pair, fmt.Errorf("server.cert_key: %s holds no private key in PEM form", k.c.CertKey)
	}
	if holds(f.key, "ENCRYPTED PRIVATE KEY") || bytes.Contains(f.key, []byte("Proc-Type: 4,ENCRYPTED")) {
		return pair, fmt.Errorf("server.cert_key: the key in %s is encrypted with a password: store it without one, readable for this server alone", k.c.CertKey)
	}
	pair, err = tls.X509KeyPair(f.cert, f.key)
	if err != nil {
		return pair, fmt.Errorf("server.cert_key: the key in %s does not fit the first certificate in %s: %w", k.c.CertKey, k.c.CertFile, err)
	}
	return pair, nil
}

// holds reports whether the text has a block of PEM of which the kind ends so.
func holds(text []byte, kind string) bool {
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return false
		}
		if strings.HasSuffix(block.Type, kind) {
			return true
		}
	}
}

// tell logs which certificate new connections get. Clients refuse one that has ended, but
// a server that does not start would help nobody.
func (k *certificates) tell(leaf *x509.Certificate) {
	names := append([]string(nil), leaf.DNSNames...)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	about := []any{"file", k.c.CertFile, "names", strings.Join(names, " "), "ends", leaf.NotAfter.UTC().Format(time.RFC3339)}
	switch now := time.Now(); {
	case now.After(leaf.NotAfter):
		k.log.Warn("the certificate has ended: clients refuse it. Replace its files; the server takes new ones at once", about...)
	case now.Before(leaf.NotBefore):
		k.log.Warn("the certificate does not hold yet: clients refuse it. Look at the clock of this machine, and at the certificate", about...)
	default:
		k.log.Info("new connections get this certificate", about...)
	}
}

// ReloadCertificates reads the files of TLS again. If they are not valid, it returns why,
// and new connections get the certificate that they got before. Without TLS it does nothing.
func (s *Server) ReloadCertificates() error {
	if err := s.certificates.load(); err != nil {
		return fmt.Errorf("the certificate from before stays in use: %w", err)
	}
	return nil
}
