package httpd

import (
	"fmt"
	"net/http"

	"github.com/hallpass-dev/hallpass"
)

// SameOrigin refuses requests that change something, carry no Bearer credential,
// and come from a page of another origin: a browser sends its cookies with those
// too, and the user name and password that it keeps for the site (SEC-18). A Bearer
// it never adds by itself. publicOrigin, if not empty, is the scheme and
// host under which browsers know us, where a proxy changes the Host. refused, if
// not nil, is told of each refusal and returns what is answered.
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
