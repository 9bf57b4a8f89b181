package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hallpass-dev/hallpass"
	"github.com/hallpass-dev/hallpass/internal/admin"
	"github.com/hallpass-dev/hallpass/internal/api"
	"github.com/hallpass-dev/hallpass/internal/federation"
	"github.com/hallpass-dev/hallpass/internal/guard"
	"github.com/hallpass-dev/hallpass/internal/httpd"
	"github.com/hallpass-dev/hallpass/internal/metrics"
	"github.com/hallpass-dev/hallpass/internal/node"
	"github.com/hallpass-dev/hallpass/internal/notice"
	"github.com/hallpass-dev/hallpass/internal/store"
	"github.com/hallpass-dev/hallpass/internal/verify"
	"github.com/hallpass-dev/hallpass/internal/version"
)

// A Server is the whole product in one process. Open makes it, Serve runs it,
// Close lets go of the data directory.
type Server struct {
	config  Config
	log     *slog.Logger
	db      *store.DB
	tracer  store.Tracer // nil but in tests
	admin   *admin.Admin
	verify  *verify.Verifier
	guard   *guard.Decider
	uses    *guardUsage
	answers *guardAnswers
	lock    locks
	journal *node.Journal
	node    *node.Node
	signer  *guard.Signer
	proxy   *guard.Proxy

	provider *federation.Provider // where people sign in; nil: here alone
	outbound *httpd.Outbound
	notices  *notice.Sender

	guardDoor      func(guard func() string) (door http.Handler, endStreams func())
	guardListeners guardListeners

	base         httpd.Base // the path of [server] root_url
	handler      http.Handler
	supervisor   supervisor
	certificates *certificates  // nil: no TLS
	files        *files         // of the provisioning folder
	listeners    []net.Listener // of the main port and of the socket, as far as they are bound
	extAuthz     *guard.ExtAuthz
	grpc         net.Listener // nil: [guard] grpc_listen is not set
	scraped      http.Handler // of the address of [metrics]
	scrapes      net.Listener // nil: [metrics] http_port is not set

	stop     chan struct{} // closed when draining begins
	draining atomic.Bool
	userMove chan struct{} // a user changed: the first password may be history
	changed  chan struct{} // authority changed: the journal is to hear of it
	guarding chan struct{} // guards changed: their addresses may be others
	first    firstPassword
	reserve  *reserve
	workers  []*worker
	metrics  *metrics.Metrics
	tracing  *metrics.Tracing
	unread   atomic.Uint64 // entries of trusted proxies that name no address
	proxied  atomic.Bool   // a request came through a proxy while none is trusted
	fold     *httpd.Fold

	patience      time.Duration // for how long a start tries again what the database does not do; 0: not at all
	waiting       time.Time     // since when it does; zero: it has not begun to
	shutdownDelay time.Duration
	drainTimeout  time.Duration
	maxStaleness  time.Duration
}

// Open locks the data directory, opens the database in it, makes the first org
// and admin if there are none, and puts the doors together. While the database does
// not answer or is locked, it logs that and tries again for a minute.
func Open(ctx context.Context, c Config, log *slog.Logger) (*Server, error) {
	return OpenTested(ctx, c, log, Instruments{})
}

// Instruments are what tests put into a server. The zero value is that of a server in use.
type Instruments struct {
	Now    func() time.Time // nil: [time.Now]
	Tracer store.Tracer     // of [store.PostgresOptions]
}

// OpenTested is Open with the instruments of a test.
func OpenTested(ctx context.Context, c Config, log *slog.Logger, in Instruments) (*Server, error) {
	s := newServer(c, httpd.RedactLog(log))
	s.tracer = in.Tracer
	s.patience = startPatience
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if err := s.certificates.load(); err != nil { // before anything is changed in the database
		return nil, err
	}
	if err := s.prepare(ctx, in.Now); err != nil {
		return nil, err
	}
	for _, step := range []func(context.Context) error{s.applyGuards, s.applyFiles, s.node.Join} { // it joins last: no node waits for one that makes no heartbeats yet
		if err := s.await(ctx, step); err != nil {
			return nil, errors.Join(err, s.Close())
		}
	}
	return s, nil
}

// prepare is OpenTested without joining the nodes of a shared database: what changes
// something there and serves nothing applies no changes, and none waits for it. A
// server that cannot be prepared is closed.
func (s *Server) prepare(ctx context.Context, now func() time.Time) error {
	if err := s.config.Validate(); err != nil {
		return err
	}
	if err := s.openStore(ctx); err != nil {
		return err
	}
	if err := s.assemble(ctx, now); err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// startPatience is for how long a server that starts waits for its database in all,
// and startAgain is the pause between two tries.
const (
	startPatience = time.Minute
	startAgain    = time.Second
)

// await makes a step of the start that needs the database. While that does not
// answer, or another process or node has a lock in it, the step is tried again, until
// ctx is done or the patience of the server is over. A step may run more than once.
func (s *Server) await(ctx context.Context, step func(context.Context) error) error {
	for {
		err := step(ctx)
		if err == nil || ctx.Err() != nil || !store.Passes(err) {
			return err
		}
		if s.waiting.IsZero() && s.patience > 0 {
			s.waiting = time.Now()
			s.log.Warn("the database does not answer, or is locked: this server starts when that is over, and exits if it lasts", "tries_for", s.patience.String(), "error", err)
		}
		if s.patience == 0 || time.Since(s.waiting) > s.patience {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(startAgain):
		}
	}
}

func newServer(c Config, log *slog.Logger) *Server {
	s := &Server{
		config: c, log: log, stop: make(chan struct{}), drainTimeout: drainTimeout, userMove: make(chan struct{}, 1), changed: make(chan struct{}, 1), guarding: make(chan struct{}, 1),
	}
	s.guardListeners.s, s.supervisor, s.certificates, s.files = s, newSupervisor(), newCertificates(c.Server, log), newFiles(c.Provisioning)
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
	if s.signer, err = guard.NewSigner(c.issuer(), func() time.Time { return s.node.Now() }); err != nil {
		return err
	}
	rate, err := hallpass.ParseRateLimit(c.ServiceAccounts.RateLimit)
	if err != nil {
		return err
	}
	s.node = s.newNode(now)
	s.verify = verify.New(s.db, s.node, verify.Options{
		CacheSize: c.Auth.TokenCacheSize, SessionIdle: idle, PasswordOf: c.breakGlass(), Issuer: c.Auth.GenericOAuth.identifies(), OnBrokenGuard: s.brokenGuard, Rate: rate, DivideRate: c.ServiceAccounts.RateLimitDivide,
	})
	s.guard = guard.New(s.verify, s.signer)
	s.uses = &guardUsage{take: s.guard.Usage, write: s.addGuardUsage}
	s.answers = &guardAnswers{take: s.guard.Answers, write: s.db.AddGuardAnswers}
	if now == nil {
		now = s.node.Now
	}
	signIn, err := c.Auth.policy()
	if err != nil {
		return err
	}
	if s.provider, err = c.Auth.GenericOAuth.provider(now); err != nil {
		return err
	}
	outgoing, err := s.newOutgoing()
	if err != nil {
		return err
	}
	grace, err := ParseDuration(c.ServiceAccounts.RotationGrace)
	if err != nil {
		return err
	}
	s.admin = admin.New(s.db, admin.Options{
		RotationGrace: grace, Rate: rate, TrustsProxies: len(c.Server.TrustedProxies) > 0, Proxied: s.proxied.Load,
		Now: now, Settings: c.Settings(), Itself: c.itself(), WeakPasswords: !c.Auth.Basic.PasswordPolicy, AnyPermission: !c.RBAC.PermissionValidationEnabled, SessionIdle: idle, SessionLifetime: lifetime,
		SignIn:      signIn,
		PasswordOf:  c.breakGlass(),
		Outgoing:    outgoing,
		Permitted:   api.Permitted,
		TokenPolicy: c.tokenPolicy(),
	})
	s.notices = s.newSender()
	s.reserve = &reserve{db: s.db, log: s.log}
	if err := s.reserve.keep(ctx); err != nil {
		return err
	}
	s.db.Subscribe(s.onChange)
	for _, step := range []func(context.Context) error{s.begin, s.refold, s.settle} {
		if err := s.await(ctx, step); err != nil {
			return err
		}
	}
	s.metrics = s.newMetrics()
	s.workers = s.newWorkers()
	if s.tracing, err = metrics.StartTracing(ctx, version.Current().Version, s.log); err != nil {
		return err
	}
	state, err := s.db.State(ctx)
	if err != nil {
		return err
	}
	s.handler, err = s.doors(state.Installation)
	return err
}

// openStore takes the data directory for this process alone and opens the
// database.
func (s *Server) openStore(ctx context.Context) error {
	if err := s.lockDataDir(); err != nil {
		return err
	}
	err := s.await(ctx, func(ctx context.Context) (err error) {
		s.db, err = openDatabase(ctx, s.config, s.tracer)
		return err
	})
	if err != nil {
		return errors.Join(err, s.Close())
	}
	return nil
}

// lockDataDir locks the data directory and a database file for this process, and
// opens the journal.
func (s *Server) lockDataDir() error {
	if err := s.config.secureDirectory(s.log); err != nil {
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

func openDatabase(ctx context.Context, c Config, tracer store.Tracer) (*store.DB, error) {
	if c.Database.postgres() {
		o := postgresOptions(c)
		o.Tracer = tracer
		return store.OpenPostgres(ctx, o)
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
	err = errors.Join(err, s.guardListeners.close(), s.lock.close())
	for _, l := range append(s.listeners, s.grpc, s.scrapes) {
		if l == nil {
			continue
		}
		if closing := l.Close(); !errors.Is(closing, net.ErrClosed) {
			err = errors.Join(err, closing)
		}
	}
	return err
}

// Handler returns what answers requests, for tests that bring a listener of
// their own.
func (s *Server) Handler() http.Handler { return s.handler }
