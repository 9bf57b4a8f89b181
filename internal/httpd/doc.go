// Package httpd holds what all HTTP doors share: the request event and its log
// line, the client's address, recovery, limits, headers, cookies, and the one
// table from kinds of error to status codes. It holds no rules.
package httpd
