package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/console"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/library"
	"github.com/hallpass-dev/hallpass/internal/metrics"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
)

// Version is the program's version, as /api/health and `hallpass version` tell
// it. A release sets it with -ldflags.
var Version = "dev"

// A Server is the whole product in one process. Open makes it, Serve runs it,
// Close lets go of the data directory.
type Server struct {
	config   Config
	log      *slog.Logger
	db       *store.DB
	admin    *admin.Admin
	verify   *verify.Verifier
	lock     locks
	journal  *node.Journal
	node     *node.Node
	handler  http.Handler
	listener net.Listener

	stop     chan struct{} // closed when draining begins
	draining atomic.Bool
	userMove chan struct{} // a user changed: the first password may be history
	changed  chan struct{} // authority changed: the journal is to hear of it
	first    firstPassword
	reserve  *reserve
	workers  []*worker
	metrics  *metrics.Metrics
	tracing  *metrics.Tracing
	unread   atomic.Uint64 // entries of trusted proxies that name no address
	fold     *httpd.Fold

	shutdownDelay time.Duration
	drainTimeout  time.Duration
	maxStaleness  time.Duration
}

// Open locks the data directory, opens the database in it, makes the first org
// and admin if there are none, and puts the doors together. now may be nil for
// the real clock.
func Open(ctx context.Context, c Config, log *slog.Logger) (*Server, error) {
	return OpenAt(ctx, c, log, nil)
}

// OpenAt is Open with a clock, for tests that wind it by hand.
func OpenAt(ctx context.Context, c Config, log *slog.Logger, now func() time.Time) (*Server, error) {
	s, err := prepare(ctx, c, log, now)
	if err != nil {
		return nil, err
	}
	if err := s.node.Join(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// prepare is OpenAt without joining the nodes of a shared database: what changes
// something there and serves nothing applies no changes, and none waits for it.
func prepare(ctx context.Context, c Config, log *slog.Logger, now func() time.Time) (*Server, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	s := newServer(c, httpd.RedactLog(log))
	if err := s.openStore(ctx); err != nil {
		return nil, err
	}
	if err := s.assemble(ctx, now); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func newServer(c Config, log *slog.Logger) *Server {
	s := &Server{
		config: c, log: log, stop: make(chan struct{}), drainTimeout: drainTimeout, userMove: make(chan struct{}, 1), changed: make(chan struct{}, 1),
	}
	if c.Database.postgres() {
		s.log = log.With("node", s.nodeName()) // logs of several nodes are read in one place
	}
	s.fold = httpd.NewFold(s.log)
	return s
}

// Log returns the server's log, for what else there is to tell of it.
func (s *Server) Log() *slog.Logger { return s.log }

// assemble builds the two sides and the doors on the open store.
func (s *Server) assemble(ctx context.Context, now func() time.Time) error {
	c := s.config
	idle, err := ParseDuration(c.Auth.LoginMaximumInactiveLifetimeDuration)
	if err != nil {
		return err
	}
	lifetime, err := ParseDuration(c.Auth.LoginMaximumLifetimeDuration)
	if err != nil {
		return err
	}
	if s.shutdownDelay, err = ParseDuration(c.Server.ShutdownDelay); err != nil {
		return err
	}
	if s.maxStaleness, err = ParseDuration(c.Database.MaxStaleness); err != nil {
		return err
	}
	s.node = s.newNode(now)
	s.verify = verify.New(s.db, s.node, verify.Options{CacheSize: c.Auth.TokenCacheSize, SessionIdle: idle})
	if now == nil {
		now = s.node.Now
	}
	s.admin = admin.New(s.db, admin.Options{
		Now: now, Settings: c.settings(), WeakPasswords: !c.Auth.Basic.PasswordPolicy, AnyPermission: !c.RBAC.PermissionValidationEnabled, SessionIdle: idle, SessionLifetime: lifetime,
		TokenPolicy: hallpass.TokenPolicy{DayLimit: max(c.ServiceAccounts.TokenExpirationDayLimit, 0), MaxSeconds: max(c.Auth.APIKeyMaxSecondsToLive, 0)},
	})
	s.reserve = &reserve{db: s.db, log: s.log}
	if err := s.reserve.keep(ctx); err != nil {
		return err
	}
	s.db.Subscribe(s.onNotice)
	if err := s.begin(ctx); err != nil {
		return err
	}
	if err := s.refold(ctx); err != nil {
		return err
	}
	if _, err := s.node.Settle(ctx); err != nil {
		return err
	}
	s.metrics = s.newMetrics()
	s.workers = s.newWorkers()
	if s.tracing, err = metrics.StartTracing(ctx, Version, s.log); err != nil {
		return err
	}
	s.handler, err = s.doors()
	return err
}

// openStore takes the data directory for this process alone and opens the
// database.
func (s *Server) openStore(ctx context.Context) error {
	if err := s.lockDataDir(); err != nil {
		return err
	}
	var err error
	if s.db, err = openDatabase(ctx, s.config); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// lockDataDir locks the data directory and a database file for this process, and
// opens the journal.
func (s *Server) lockDataDir() error {
	if err := secureDirectory(s.config.DataDir, s.log); err != nil {
		return err
	}
	mine := []string{filepath.Join(s.config.DataDir, "lock")}
	if !s.config.Database.postgres() {
		path := databasePath(s.config)
		if file, err := filepath.EvalSymlinks(path); err == nil { // one file has one lock, whatever leads to it
			path = file
		}
		if err := secureDatabase(path, s.log); err != nil {
			return err
		}
		mine = append(mine, path+".lock")
	}
	var err error
	if s.lock, err = lockFiles(mine...); err != nil {
		return err
	}
	if s.journal, err = node.OpenJournal(s.config.DataDir); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

func openDatabase(ctx context.Context, c Config) (*store.DB, error) {
	if c.Database.postgres() {
		return store.OpenPostgres(ctx, postgresOptions(c))
	}
	return store.Open(ctx, databasePath(c))
}

func postgresOptions(c Config) store.PostgresOptions {
	return store.PostgresOptions{URL: c.Database.URL, Connections: c.Database.MaxOpenConn}
}

func databasePath(c Config) string {
	if c.Database.Path != "" {
		return c.Database.Path
	}
	return c.SQLiteFile()
}

// Store returns the server's database, for tests that need to look at it or to
// put things there that no route makes.
func (s *Server) Store() *store.DB { return s.db }

// Close lets go of the database and the data directory. Serve has returned by
// then, or was never called.
func (s *Server) Close() error {
	if err := s.stopTracing(); err != nil {
		s.log.Warn("the last traces were not sent: they are lost. Look whether the collector of OTEL_EXPORTER_OTLP_ENDPOINT answers", "error", err)
	}
	var err error
	if s.node != nil {
		err = s.node.Close() // it leaves, if it did not serve: its address was taken, perhaps
	}
	if s.journal != nil {
		err = errors.Join(err, s.journal.Close())
	}
	if s.db != nil {
		err = errors.Join(err, s.db.Close())
	}
	err = errors.Join(err, s.lock.close())
	if s.listener != nil {
		if closing := s.listener.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}

// doors mounts the doors behind what they share.
func (s *Server) doors() (http.Handler, error) {
	trusted, err := httpd.ParseTrustedProxies(s.config.Server.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("server.trusted_proxies: %w", err)
	}
	cookies := httpd.Cookies{Name: s.config.Auth.LoginCookieName, SameSite: http.SameSiteLaxMode}
	if s.config.Security.CookieSameSite == "strict" {
		cookies.SameSite = http.SameSiteStrictMode
	}
	dev := ""
	if s.config.Dev {
		dev = filepath.Join("internal", "console")
	}
	origin, https := "", false
	root := strings.TrimRight(s.config.Server.RootURL, "/")
	if root != "" {
		u, err := url.Parse(root)
		if err != nil {
			return nil, fmt.Errorf("server.root_url: %w", err)
		}
		origin, https = u.Scheme+"://"+u.Host, u.Scheme == "https"
	}
	lib := library.New(s.admin, library.Options{FolderDepth: s.config.Folder.MaxNestedFolderDepth})
	pages, err := console.New(console.Options{Admin: s.admin, Library: lib, Verify: s.verify, Node: s.node, Cookies: cookies, RootURL: root, Version: Version, Jobs: s.Jobs, DevDir: dev})
	if err != nil {
		return nil, err
	}
	calls := api.New(api.Options{
		Admin: s.admin, Library: lib, Verify: s.verify, Node: s.node, Cookies: cookies, Basic: s.config.Auth.Basic.Enabled, Commit: Version, Ready: s.ready, Stop: s.stop,
	})
	both := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/metrics" && s.metrics != nil {
			s.metrics.ServeHTTP(w, r)
			return
		}
		if isAPI(r.URL.Path) {
			calls.ServeHTTP(w, r)
			return
		}
		pages.ServeHTTP(w, r)
	})
	guarded, err := httpd.SameOrigin(httpd.Readable(both), origin, s.crossOrigin(cookies))
	if err != nil {
		return nil, err
	}
	forwardAuth := guard.NewForwardAuth(guard.New(s.verify))
	// The guard answers before origins are compared: the request that a proxy asks
	// about may come from any origin. The guard takes no cookies.
	all := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if guard.Owns(r) {
			forwardAuth.ServeHTTP(w, r)
			return
		}
		guarded.ServeHTTP(w, r)
	})
	return httpd.Handler(s.tracing.Wrap(all), httpd.Options{Log: s.log, Reader: readerOf, Proxies: httpd.Proxies{Trusted: trusted, Forwarded: s.config.Server.ForwardedHeader == "forwarded", Unread: s.unreadProxy}, HTTPS: https, Answered: s.answered, Fold: s.fold}), nil
}

// crossOrigin returns what records the refusal of a request from another origin:
// a known user's browser was made to send it.
func (s *Server) crossOrigin(cookies httpd.Cookies) func(*http.Request, error) error {
	return func(r *http.Request, refusal error) error {
		id, ok := cookies.Session(r)
		if !ok {
			return refusal
		}
		event := httpd.EventOf(r.Context())
		caller, err := s.verify.Session(r.Context(), id, 0, event.From)
		if err != nil {
			return refusal // nobody's session
		}
		event.SetCaller(caller)
		event.Action = "request.cross-origin"
		return s.admin.Refuse(r.Context(), caller, refusal, event.Action, "path:"+r.URL.Path)
	}
}

// unreadProxy counts an entry of a trusted proxy that names no address, and logs
// the first.
func (s *Server) unreadProxy(proxy, entry string) {
	if s.unread.Add(1) == 1 {
		s.log.Warn("a trusted proxy tells a client's address in a form that cannot be read: uses, audit and limits name the proxy instead; "+
			"further ones are counted in hallpass_forwarded_unread_total", "proxy", proxy, "header", s.config.Server.ForwardedHeader, "entry", entry)
	}
}

// readerOf says who reads the answer to a request, by its door. What no door takes
// is answered as a page is.
func readerOf(r *http.Request) httpd.Reader {
	switch {
	case guard.Owns(r):
		return httpd.Proxy
	case isAPI(r.URL.Path) && r.URL.Path != "/docs":
		return httpd.Program
	}
	return httpd.Browser
}

func isAPI(path string) bool {
	switch path {
	case "/api", "/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/docs.css":
		return true
	}
	return strings.HasPrefix(path, "/api/")
}

// ready says whether requests should be sent here: as long as this node may
// answer (docs/decisions/0014-readiness.md).
func (s *Server) ready() api.Readiness {
	if s.draining.Load() {
		return api.Readiness{State: "stopping", Reason: "The server is stopping", Database: true}
	}
	status := s.node.Status()
	if !status.Shared {
		return s.readyAlone()
	}
	switch {
	case status.Diverged:
		return api.Readiness{State: "diverged", Reason: "The database has another history than the one this node has applied; its log says what to do", Database: true}
	case !status.Leased:
		return api.Readiness{State: "stale", Reason: "The database has not answered for " + seconds(status.Age) + ", longer than database.max_staleness: nothing is verified until it does"}
	case status.Failing:
		return api.Readiness{OK: true, State: "leased", Reason: "The database does not answer: changes say 503, known tokens are verified from memory for another " + seconds(status.LeaseLeft)}
	}
	return api.Readiness{OK: true, State: "ready", Database: true}
}

// readyAlone is ready where no other node shares the database.
func (s *Server) readyAlone() api.Readiness {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := s.db.Ping(ctx); err != nil {
		return api.Readiness{State: "failing", Reason: "The database does not answer"}
	}
	return api.Readiness{OK: true, State: "ready", Database: true}
}

// seconds is a time for people.
func seconds(d time.Duration) string { return d.Round(100 * time.Millisecond).String() }

// Handler returns what answers requests, for tests that bring a listener of
// their own.
func (s *Server) Handler() http.Handler { return s.handler }

// Listen binds the configured address and returns the real one, with the port
// that a port of 0 became.
func (s *Server) Listen() (string, error) {
	if s.listener == nil {
		address := net.JoinHostPort(s.config.Server.HTTPAddr, strconv.Itoa(s.config.Server.HTTPPort))
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", address)
		if err != nil {
			return "", fmt.Errorf("listen on %s: %w", address, err)
		}
		s.listener = l
	}
	return s.listener.Addr().String(), nil
}

// Times and sizes of connections (SEC-43). A stream of events sets its own
// deadlines.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 9 * time.Second
	writeTimeout      = 30 * time.Second
	idleTimeout       = 90 * time.Second
	drainTimeout      = 20 * time.Second
)

// lastWrites is how long a server that stops has at the least to write what is in
// memory: a client that reads slowly may have used up the time for draining.
const lastWrites = 5 * time.Second

// Serve answers requests until ctx is done, then lets those at work finish,
// writes what is still in memory, and returns nil. It returns early when the
// database can no longer be relied on.
func (s *Server) Serve(ctx context.Context) error {
	address, err := s.Listen()
	if err != nil {
		return err
	}
	web := &http.Server{
		Handler: s.closing(s.handler), ReadHeaderTimeout: readHeaderTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: httpd.MaxHeaderBytes + 8<<10, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(httpd.KeepTimers(s.listener)) }()
	jobs, endJobs := context.WithCancel(context.WithoutCancel(ctx))
	var working sync.WaitGroup
	for _, w := range s.workers {
		working.Go(func() { w.work(jobs) })
	}
	beating, endBeats := context.WithCancel(context.WithoutCancel(ctx))
	still := make(chan struct{})
	go func() { defer close(still); s.node.Run(beating) }()
	s.log.Info("serving", "address", address, "version", Version)

	var failure error
	select {
	case <-ctx.Done():
		s.log.Info("stopping")
	case failure = <-served:
	case err := <-s.db.Broken():
		failure = fmt.Errorf("the database cannot be relied on any more: %w", err)
	}
	s.draining.Store(true)
	if failure == nil {
		time.Sleep(s.shutdownDelay)
	}
	close(s.stop)
	drained := time.Now().Add(s.drainTimeout)
	drain, cancel := context.WithDeadline(context.WithoutCancel(ctx), drained)
	defer cancel()
	if err := web.Shutdown(drain); err != nil {
		failure = errors.Join(failure, fmt.Errorf("drain: %w", err), web.Close())
	}
	s.fold.Tell(time.Time{})
	endJobs()
	working.Wait()
	last, cancelLast := context.WithDeadline(context.WithoutCancel(ctx), later(drained, time.Now().Add(lastWrites)))
	defer cancelLast()
	failure = errors.Join(failure, s.writeLast(last))
	endBeats() // to the last: what is changed while draining waits for this node too
	<-still
	s.node.Leave(last)
	return failure
}

// writeLast writes what is in memory.
func (s *Server) writeLast(ctx context.Context) error {
	err := s.verify.Flush(ctx)
	if err != nil {
		err = fmt.Errorf("flush: %w", err)
	}
	if err := s.node.Count(ctx); err != nil {
		s.log.Warn("the journal does not know the last numbers that were given", "error", err)
	}
	return err
}

// later returns the later of two times.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// closing has a server that stops tell each client that its next request needs
// another connection. It closes none that rests meanwhile: a change that is on its
// way there would be lost without an answer, and may not be sent again.
func (s *Server) closing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if s.draining.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}
