// Package oidc holds sign-in by a real OpenID provider, zitadel/oidc, in a real browser
// and without one. It is a module of its own, so that the product does not depend on a
// provider.
package oidc
