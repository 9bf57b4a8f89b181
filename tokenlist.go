package hallpass

import (
	"encoding/base64"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A TokenOfAccount is a token with the service account that it belongs to.
type TokenOfAccount struct {
	Token   Token
	Account ServiceAccount // in lists without its times and its creator
}

// A TokenOrder is an order of tokens.
type TokenOrder string

// The orders of tokens. Those that are alike in it stand by their IDs.
const (
	ByName     TokenOrder = "name"
	ByCreation TokenOrder = "created"
	ByEnd      TokenOrder = "expires"  // those that never expire last
	ByUse      TokenOrder = "lastUsed" // those that were never used first
)

// TokenOrders lists the orders.
func TokenOrders() []TokenOrder { return []TokenOrder{ByName, ByCreation, ByEnd, ByUse} }

// A TokenCursor is the place of a token in an order, from where the next page goes on.
// The zero cursor is before the first token.
type TokenCursor struct {
	Name   string // in the order of names
	Number int64  // in the orders of times, in microseconds
	ID     TokenID
}

// String returns the cursor as ParseTokenCursor reads it, "" for the zero cursor.
func (c TokenCursor) String() string {
	if c == (TokenCursor{}) {
		return ""
	}
	return strconv.FormatInt(int64(c.ID), 10) + "." + strconv.FormatInt(c.Number, 10) + "." + base64.RawURLEncoding.EncodeToString([]byte(c.Name))
}

// ParseTokenCursor reads what String wrote, and reports whether it could.
func ParseTokenCursor(s string) (c TokenCursor, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 3 {
		return c, false
	}
	id, ok := ParseID(parts[0])
	number, err := strconv.ParseInt(parts[1], 10, 64)
	name, unreadable := base64.RawURLEncoding.DecodeString(parts[2])
	if !ok || err != nil || unreadable != nil || !utf8.Valid(name) || strings.ContainsRune(string(name), 0) {
		return c, false
	}
	return TokenCursor{string(name), number, TokenID(id)}, true
}
