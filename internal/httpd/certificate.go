package httpd

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
)

// ParseCertificates returns the certificates of a file in PEM form, which has at least one.
// Blocks of another kind are passed over, and so is text around blocks, which programs write
// there for people. A block that is cut off, or a certificate that is none, is an error that
// names the block: a file that was half written must not count with less in it.
func ParseCertificates(text []byte) (list []*x509.Certificate, err error) {
	block, inside := 0, []byte(nil) // the number of the block, and its lines so far; nil: there is none
	for line := range bytes.Lines(text) {
		word := bytes.TrimSpace(line)
		begins, ends := bytes.HasPrefix(word, []byte("-----BEGIN ")), bytes.HasPrefix(word, []byte("-----END "))
		switch {
		case begins && inside != nil:
			return nil, fmt.Errorf("block %d begins and does not end: the file was cut off, or put together badly", block)
		case ends && inside == nil:
			return nil, fmt.Errorf("after block %d a block ends that did not begin: the file was cut off, or put together badly", block)
		case begins:
			block, inside = block+1, []byte{}
		case inside == nil:
			continue
		}
		if inside = append(append(inside, word...), '\n'); !ends {
			continue
		}
		decoded, rest := pem.Decode(inside)
		if decoded == nil || len(rest) > 0 {
			return nil, fmt.Errorf("block %d is not in PEM form", block)
		}
		if inside = nil; decoded.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(decoded.Bytes)
		if err != nil {
			return nil, fmt.Errorf("block %d: %w", block, err)
		}
		list = append(list, c)
	}
	switch {
	case inside != nil:
		return nil, fmt.Errorf("block %d begins and does not end: the file was cut off, or put together badly", block)
	case len(list) == 0:
		return nil, errNoCertificate
	}
	return list, nil
}

var errNoCertificate = errors.New("there is no certificate in PEM form")
