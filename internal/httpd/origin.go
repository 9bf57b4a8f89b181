package httpd

import (
	"fmt"
	"net/http"

	"github.com/hallpass-dev/hallpass"
)

// SameOrigin refuses requests that change something, come from a page of another
// origin, and carry no Bearer credential (SEC-18). With such requests a browser
// sends its cookies, and the user name and password that it keeps for the site. It
// never adds a Bearer by itself. publicOrigin, if not empty, is the scheme and host
// under which browsers know us; it is needed when a proxy changes the Host. refused,
// if not nil, is called for each refusal and returns the error for the client.
func SameOrigin(next http.Handler, publicOrigin string, refused func(*http.Request, error) error) (http.Handler, error) {
	guard := http.NewCrossOriginProtection()
	if publicOrigin != "" {
		if err := guard.AddTrustedOrigin(publicOrigin); err != nil {
			return nil, fmt.Errorf("trust origin %q: %w", publicOrigin, err)
		}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ReadAuthorization(r.Header["Authorization"]).Form != BearerToken {
			if err := guard.Check(r); err != nil {
				err = &hallpass.Error{Kind: hallpass.Denied, ID: "request.cross-origin", Message: "Cross-origin request refused", Err: err}
				if refused != nil {
					err = refused(r, err)
				}
				WriteError(w, r, err)
				return
			}
		}
		next.ServeHTTP(w, r)
	}), nil
}
