package notice

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/httpd"
)

// plainError is a failure in words that everybody who may read a channel may know.
type plainError string

// Error returns the words.
func (e plainError) Error() string { return string(e) }

// reasonOf says why an attempt failed, for whoever may read the channel: in our own words
// and without the addresses and names of this network. What it leaves out is logged.
func reasonOf(answer httpd.Answer, failure error) string {
	if failure != nil {
		return hallpass.Clean(failureWords(failure), maxReason)
	}
	reason := "the receiver answered " + strconv.Itoa(answer.Status)
	if answer.Status >= 300 && answer.Status <= 399 {
		reason += ", and redirects are not followed"
	}
	if answer.Excerpt != "" {
		reason += ": " + answer.Excerpt
	}
	return hallpass.Clean(reason, maxReason)
}

func failureWords(failure error) string {
	var plain plainError
	var reply *textproto.Error
	var forbidden *httpd.ForbiddenAddress
	switch {
	case errors.As(failure, &plain):
		return string(plain)
	case errors.As(failure, &forbidden):
		return "the host is not on the public internet: the operator can allow its address in outbound_allow of the section [server]"
	case errors.As(failure, &reply):
		return "the mail server answered " + strconv.Itoa(reply.Code) + ": " + withoutAddresses(reply.Msg)
	}
	if words := secureWords(failure); words != "" {
		return words
	}
	if words := networkWords(failure); words != "" {
		return words
	}
	return "it could not be sent: the log of the server says why"
}

// secureWords says what of TLS failed, "" if something else did.
func secureWords(failure error) string {
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var verification *tls.CertificateVerificationError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	switch {
	case errors.As(failure, &name):
		return "the certificate of the host is for another name"
	case errors.As(failure, &unknown):
		return "the certificate of the host is of an authority that this server does not know"
	case errors.As(failure, &invalid) && invalid.Reason == x509.Expired:
		return "the certificate of the host has expired, or is not valid yet"
	case errors.As(failure, &invalid), errors.As(failure, &verification):
		return "the certificate of the host is not valid"
	case errors.As(failure, &record), errors.Is(failure, http.ErrSchemeMismatch):
		return "the host does not speak TLS on this port"
	case errors.As(failure, &alert):
		return "the host refused the TLS connection"
	}
	return ""
}

// networkWords says what of the network failed, "" if something else did.
func networkWords(failure error) string {
	var lookup *net.DNSError
	var slow net.Error
	switch {
	case errors.As(failure, &lookup) && lookup.IsNotFound:
		return "the name of the host does not exist"
	case errors.As(failure, &lookup):
		return "the name of the host could not be looked up"
	case errors.Is(failure, context.DeadlineExceeded), errors.As(failure, &slow) && slow.Timeout():
		return "the host did not answer in time"
	case errors.Is(failure, syscall.ECONNREFUSED):
		return "the host refused the connection"
	case errors.Is(failure, syscall.EHOSTUNREACH), errors.Is(failure, syscall.ENETUNREACH):
		return "the host cannot be reached"
	case errors.Is(failure, syscall.ECONNRESET), errors.Is(failure, syscall.EPIPE), errors.Is(failure, io.EOF), errors.Is(failure, io.ErrUnexpectedEOF):
		return "the host ended the connection without an answer"
	}
	return ""
}

// withoutAddresses returns the text with "…" for each word that is an IP address: mail
// servers name others and us by theirs.
func withoutAddresses(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		bare := strings.TrimPrefix(strings.Trim(w, "[]()<>,;.'\""), "IPv6:")
		_, noAddr := netip.ParseAddr(bare)
		_, noPort := netip.ParseAddrPort(bare)
		if noAddr == nil || noPort == nil || strings.Contains(w, "[") { // SMTP writes an address as [10.0.0.1] or 10-0-0-1.example[10.0.0.1]:25
			words[i] = "…"
		}
	}
	return strings.Join(words, " ")
}
