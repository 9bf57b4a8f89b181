// Package federation asks outside issuers who a person is. It reads an issuer's
// metadata and keys and keeps them, and turns what the issuer says about a person
// into claims that are proven. It decides nothing about them: admin does.
//
// Two protocols are spoken. With an issuer it is OpenID Connect (OpenID Connect Core
// 1.0, the code flow): an ID token proves who the person is. Without one it is OAuth
// 2.0 (RFC 6749): the API of the provider says it, to whoever has the access token.
package federation
