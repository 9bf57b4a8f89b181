// Package verify is the read side: it turns any presented credential into the
// caller it stands for, or says why not. It keeps the identities behind tokens
// in memory, forgets them when the store announces a change, records when tokens
// were last used, and slows down the guessing of passwords.
package verify
