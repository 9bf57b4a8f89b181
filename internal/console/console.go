// Package console is the door for people: pages made on the server, which work
// without script, and a little script that brings live updates and dialogs. It
// holds no rules; admin and verify do.
package console

import (
	"embed"
	"io/fs"
	"net/http"
	"os"

	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Options sets up the console.
type Options struct {
	Admin   *admin.Admin
	Verify  *verify.Verifier
	Cookies httpd.Cookies
	RootURL string // public base URL without a slash at its end; empty: as the request's Host says
	Version string // shown in the frame
	DevDir  string // not empty: the directory that holds templates and assets, read on each request
}

//go:embed templates assets
var embedded embed.FS

// console is the handler's state. It does not change after New.
type console struct {
	o     Options
	files fs.FS
	kept  *site // nil with DevDir
}

// site is what is made of the files: the pages and the assets they link to.
type site struct {
	pages  pages
	assets *assets
}

// New returns the handler of the console's pages. It fails when DevDir holds
// no pages; the embedded ones are known to be good.
func New(o Options) (http.Handler, error) {
	c := &console{o: o, files: embedded}
	if o.DevDir != "" {
		c.files = os.DirFS(o.DevDir)
	}
	s, err := newSite(c.files)
	if err != nil {
		return nil, err
	}
	if o.DevDir == "" {
		c.kept = s
	}
	return c.routes(), nil
}

func newSite(files fs.FS) (*site, error) {
	a, err := readAssets(files)
	if err != nil {
		return nil, err
	}
	p, err := parsePages(files, a)
	if err != nil {
		return nil, err
	}
	return &site{p, a}, nil
}

// site returns the pages and assets to answer with.
func (c *console) site() (*site, error) {
	if c.kept != nil {
		return c.kept, nil
	}
	return newSite(c.files)
}

func (c *console) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{name}", c.asset)
	mux.HandleFunc("GET /login", c.open("login", loginForm))
	mux.HandleFunc("POST /login", c.login)
	mux.HandleFunc("POST /theme", c.open("theme", setTheme))
	for pattern, fn := range map[string]func(*visit) error{
		"GET /{$}":               home,
		"GET /logout":            logoutForm,
		"POST /logout":           logout,
		"GET /admin":             administration,
		"GET /admin/access":      access,
		"GET /admin/audit":       auditPage,
		"GET /profile":           profile,
		"GET /profile/password":  passwordForm,
		"POST /profile/password": changePassword,
		"GET /avatar/{hash}":     avatar,

		"GET /org/serviceaccounts":                              serviceAccounts,
		"GET /org/serviceaccounts/create":                       createForm,
		"POST /org/serviceaccounts/create":                      createServiceAccount,
		"GET /org/serviceaccounts/{ref}":                        serviceAccount,
		"POST /org/serviceaccounts/{ref}/name":                  renameServiceAccount,
		"POST /org/serviceaccounts/{ref}/role":                  setRole,
		"POST /org/serviceaccounts/{ref}/enable":                enableServiceAccount,
		"GET /org/serviceaccounts/{ref}/disable":                disableForm,
		"POST /org/serviceaccounts/{ref}/disable":               disableServiceAccount,
		"GET /org/serviceaccounts/{ref}/delete":                 deleteForm,
		"POST /org/serviceaccounts/{ref}/delete":                deleteServiceAccount,
		"GET /org/serviceaccounts/{ref}/tokens":                 tokenRows,
		"GET /org/serviceaccounts/{ref}/tokens/new":             tokenForm,
		"POST /org/serviceaccounts/{ref}/tokens/new":            createToken,
		"GET /org/serviceaccounts/{ref}/tokens/{token}/delete":  deleteTokenForm,
		"POST /org/serviceaccounts/{ref}/tokens/{token}/delete": deleteToken,
	} {
		mux.HandleFunc(pattern, c.guard(pattern, fn))
	}
	mux.HandleFunc("/", c.open("page.unknown", func(*visit) error { return errNoPage }))
	return mux
}
