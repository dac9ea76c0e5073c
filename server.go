// Regulars is a loyalty service of your own. This file wires the program: it reads the settings, opens the database,
// serves, drains and stops, and it is the only one that knows everyone.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"
	_ "time/tzdata" // the zones of the world, also where the machine does not have them

	"regulars/care"
	"regulars/cli"
	"regulars/club"
	"regulars/graph"
	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/demo"
	"regulars/internal/identity"
	"regulars/internal/program"
	"regulars/internal/ratelimit"
	"regulars/internal/web"
	"regulars/jobs"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/referral"
	"regulars/loyalty/reward"
)

// drainTime is how long requests under way may take when the program is told to stop.
const drainTime = 30 * time.Second

const (
	readTime = 30 * time.Second
	// writeTime is how long an answer may take besides reading its request and finding it.
	writeTime = 10 * time.Second
	// failedSignIns is how many may fail from one address in a minute, and at once.
	failedSignIns = 30
	// callerBurst is of how many seconds a caller may send its operations at once.
	callerBurst = 20
	// strangerRate is how many operations in a second are taken from an address where nobody has signed in, strangerBurst
	// how many at once.
	strangerRate  = 20
	strangerBurst = 100
	// memberTries is how many e-mail addresses and phone numbers a member may name in an hour, and at once.
	memberTries = 10
	// backtestPause is how often a server looks for backtests that were asked of another one.
	backtestPause = 2 * time.Second
	// referralPause is how long nothing is asked about referrals once there was nothing to do.
	referralPause = time.Second
	// guessBurst lets an import of old receipts meet members that are not there.
	guessBurst = 1000
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal drains; a second one finds the default again and ends the program at once.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Run(ctx, os.Args[1:], cli.Program{
		Serve:    serve,
		Listen:   listen,
		Now:      time.Now,
		Output:   os.Stdout,
		Messages: os.Stderr,
	}))
}

func serve(ctx context.Context, settings cli.Settings, seed program.Seed) (err error) {
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil))
	server, err := Open(ctx, settings, seed, logger, time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	logger.Info("ready", slog.String("url", server.URL()))
	if settings.OIDC.Issuer != "" {
		_, _ = fmt.Fprintf(os.Stderr, "To sign in, send a token that %s gave you for the audience %s to %s/graphql.\n",
			settings.OIDC.Issuer, settings.OIDC.Audience, server.URL())
	}
	if server.signsIn {
		folder := ""
		if settings.Data != "./data" {
			folder = " --data " + settings.Data
		}
		_, _ = fmt.Fprintf(os.Stderr, "To sign in, open %[1]s and send a token: `regulars token%[2]s --role ADMIN` prints one "+
			"(from the source: `go run . token%[2]s --role ADMIN`).\n", server.URL(), folder)
		if server.demo == demo.Finished {
			_, _ = fmt.Fprintf(os.Stderr, "\n%s\n", demo.Welcome(server.URL(), settings.Data))
		}
	}
	return server.Serve(ctx)
}

// listen serves until stop, which drains.
func listen(ctx context.Context, settings cli.Settings, now func() time.Time, log io.Writer) (url string, stop func() error, err error) {
	server, err := Open(ctx, settings, program.Seed{}, slog.New(slog.NewTextHandler(log, nil)), now)
	if err != nil {
		return "", nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- server.Serve(ctx) }()
	return server.URL(), func() error {
		cancel()
		return errors.Join(<-served, server.Close())
	}, nil
}

// Server is the program listening.
type Server struct {
	logger    *slog.Logger
	listener  net.Listener
	publicURL string
	signsIn   bool // by tokens of the development issuer
	oidc      *identity.OIDC
	clients   *identity.Clients
	database  *cli.Database
	loyalty   *loyalty.Service
	backtests *backtest.Service
	referrals *referral.Service
	jobs      *jobs.Runner
	demo      demo.State
	handler   *web.Handler
	http      *http.Server
}

// Open listens on the address of settings and makes the program ready to answer there: it opens the database, migrates
// it, makes its program from seed if it has none, and builds the demo club if that is on and the database empty. now is the
// clock of everything. The caller closes the server.
func Open(ctx context.Context, settings cli.Settings, seed program.Seed, logger *slog.Logger, now func() time.Time) (opened *Server, err error) {
	s := &Server{logger: logger}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
		}
	}()
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", settings.Addr); err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("another program listens on %s; set REGULARS_ADDR (--addr) to a free address: %w", settings.Addr, err)
		}
		return nil, err
	}
	s.publicURL = strings.TrimSuffix(settings.PublicURL, "/")
	if s.publicURL == "" {
		s.publicURL = "http://" + reachable(s.listener.Addr())
	}
	issuer, why, err := developmentIssuer(s.listener.Addr(), settings)
	if err != nil {
		return nil, err
	}
	s.signsIn = issuer != nil
	switch {
	case settings.OIDC.Issuer != "":
		s.oidc = identity.NewOIDC(identity.OIDCOptions(settings.OIDC), now, logger)
	case !s.signsIn:
		logger.Warn("the development issuer is off; set REGULARS_OIDC_ISSUER so that people can sign in", slog.String("because", why))
	}
	if s.database, err = cli.OpenDatabase(ctx, settings, seed, now); err != nil {
		return nil, err
	}
	bounds := settings.API
	s.loyalty = loyalty.New(s.database.DB).WithGuesses(
		ratelimit.New(bounds.GuessRate, time.Minute, guessBurst, now), ratelimit.New(memberTries, time.Hour, memberTries, now))
	if err := s.demonstrate(ctx, settings.Demo.On); err != nil {
		return nil, err
	}
	channels, err := settings.Delivery.Channels()
	if err != nil {
		return nil, err
	}
	for _, waiting := range settings.Delivery.NotSetUp() {
		logger.Info(waiting)
	}
	if s.jobs, err = jobs.New(ctx, s.database.DB, jobs.Options{Specs: settings.Jobs, PublicURL: s.publicURL, Channels: channels}, logger); err != nil {
		return nil, err
	}
	s.backtests = backtest.New(s.database.DB, s.loyalty)
	s.referrals = referral.New(s.database.DB, s.loyalty, s.publicURL)
	s.clients = identity.NewClients(s.database.Doorway, logger)
	keys := identity.NewSigningKeys(s.database.Doorway)
	events := club.New(s.database.DB, s.loyalty, keys).At(s.publicURL)
	messages := care.New(s.database.DB, s.loyalty, keys, s.publicURL)
	s.handler = web.NewHandler(web.Parts{
		GraphQL: graph.NewHandler(graph.Services{
			Loyalty: s.loyalty, Rewards: reward.New(s.database.DB, s.loyalty), Backtests: s.backtests, Referrals: s.referrals, Club: events, Care: messages, Jobs: s.jobs,
			Clients: s.clients, Log: audit.NewLog(s.database.DB),
		}, graph.Limits{
			Complexity: bounds.MaximumComplexity, Depth: bounds.MaximumDepth,
			Introspection: bounds.Introspection.On, Suggestions: bounds.Suggests(),
		}, logger),
		Club:             events,
		Care:             messages,
		Database:         s.database.Doorway,
		Authenticator:    &identity.Authenticator{OIDC: s.oidc, Development: issuer, Clients: s.clients, Now: now},
		SigningKeys:      keys,
		MaximumBody:      bounds.MaximumBody,
		OperationTimeout: bounds.OperationTimeout,
		Strangers:        ratelimit.New(strangerRate, time.Second, strangerBurst, now),
		TrustedProxies:   bounds.Networks(),
		Callers:          ratelimit.New(bounds.CallerRate, time.Second, callerBurst*bounds.CallerRate, now),
		SignIns:          ratelimit.New(failedSignIns, time.Minute, failedSignIns, now),
		Origins:          bounds.CORSOrigins,
		PublicURL:        s.publicURL,
		Logger:           logger,
		Now:              now,
	})
	s.http = &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       readTime,
		WriteTimeout:      readTime + bounds.OperationTimeout + writeTime,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(logger.Handler(), slog.LevelWarn),
	}
	return s, nil
}

// demonstrate builds the demo club where it is wanted and the database is empty, and completes one whose build was
// interrupted. Where it is not wanted, a part of it stops the start: it must not be taken for a club of somebody's own.
func (s *Server) demonstrate(ctx context.Context, wanted bool) (err error) {
	if s.demo, err = demo.Look(ctx, s.loyalty); err != nil {
		return err
	}
	if s.demo == demo.Unfinished && !wanted {
		return errors.New("the database holds a part of the demo club: complete it with REGULARS_DEMO=on or use another database")
	}
	if !wanted || s.demo != demo.Empty && s.demo != demo.Unfinished {
		return nil
	}
	const quarter = 4
	figures, err := demo.Build(ctx, s.database.DB, func(done, total int) {
		if done*quarter/total != (done-1)*quarter/total {
			s.logger.InfoContext(ctx, "building the demo club", slog.Int("weeks", done), slog.Int("of", total))
		}
	})
	// Another server may have built it while this one waited.
	if err != nil && !errors.Is(err, demo.ErrOccupied) {
		return fmt.Errorf("building the demo club: %w", err)
	}
	if err == nil {
		s.logger.InfoContext(ctx, "the demo club is built", slog.Int("members", figures.Members),
			slog.Int("purchases", figures.Purchases), slog.Int("returns", figures.Returns))
	}
	s.demo, err = demo.Look(ctx, s.loyalty)
	return err
}

// developmentIssuer returns the issuer whose key lies in the data folder; nil, and why, where people sign in by another one,
// and where others than this machine reach the server, since its key is only as safe as the folder.
func developmentIssuer(address net.Addr, settings cli.Settings) (*identity.DevelopmentIssuer, string, error) {
	if why := settings.NoDevelopmentIssuer(); why != "" {
		return nil, why, nil
	}
	// A name may lead elsewhere than it says.
	if listening, ok := address.(*net.TCPAddr); !ok || !listening.IP.IsLoopback() {
		return nil, fmt.Sprintf("the server listens on %s, which is no loopback address", address), nil
	}
	issuer, err := identity.OpenDevelopmentIssuer(settings.Data)
	return issuer, "", err
}

// reachable names the address as a browser on this machine takes it.
func reachable(address net.Addr) string {
	listening, ok := address.(*net.TCPAddr)
	if ok && listening.IP.IsUnspecified() {
		return fmt.Sprintf("localhost:%d", listening.Port)
	}
	return address.String()
}

// URL returns where people and apps reach the server, without a slash at the end.
func (s *Server) URL() string { return s.publicURL }

// Serve answers requests and runs jobs until ctx ends. Then it reports itself not ready, takes no new requests, stops the jobs,
// whose next runs finish the rest, waits for the requests under way, half a minute at most, and returns nil.
func (s *Server) Serve(ctx context.Context) error {
	working, stop := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stop()
	background.Go(func() { s.finishPromotions(working) })
	background.Go(func() { s.repeat(working, "backtests", backtestPause, s.backtests.Woken(), s.backtests.Work) })
	background.Go(func() { s.repeat(working, "referrals", referralPause, nil, s.followReferrals) })
	background.Go(func() { s.jobs.Serve(working) })
	if s.oidc != nil {
		background.Go(func() { s.oidc.Discover(working) })
	}
	failed := make(chan error, 1)
	go func() { failed <- s.http.Serve(s.listener) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving: %w", err)
	case <-ctx.Done():
	}
	s.logger.Info("draining")
	s.handler.Drain()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	if err := s.http.Shutdown(drain); err != nil {
		s.logger.Warn("requests were still under way", slog.Any("cause", err))
	}
	return nil
}

// finishPromotions goes on with posting what changes of the ladder had begun when the program last stopped. What fails is tried again
// at the next start; members hold their tiers all the same.
func (s *Server) finishPromotions(ctx context.Context) {
	if err := s.loyalty.FinishPromotions(actor.With(ctx, actor.System("start"))); err != nil && ctx.Err() == nil {
		s.logger.Error("promotions could not be finished", slog.Any("cause", err))
	}
}

// followReferrals judges referrals to which something has happened.
func (s *Server) followReferrals(ctx context.Context) (bool, error) {
	done, err := s.referrals.Work(ctx)
	return done > 0, err
}

// repeat does work until ctx ends: again at once while there is some, else when it is woken, and after a pause at the latest. What
// fails is tried again after the pause.
func (s *Server) repeat(ctx context.Context, name string, pause time.Duration, woken <-chan struct{}, work func(context.Context) (bool, error)) {
	acting := actor.With(ctx, actor.System(name))
	look := time.NewTicker(pause)
	defer look.Stop()
	for {
		did, err := work(acting)
		if err != nil && ctx.Err() == nil {
			s.logger.Error("work in the background failed", slog.String("work", name), slog.Any("cause", err))
		}
		if did && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
			return
		case <-woken:
		case <-look.C:
		}
	}
}

// Close cuts what is still under way, closes the database and leaves its cluster.
func (s *Server) Close() error {
	var errs []error
	if s.http != nil {
		errs = append(errs, s.http.Close())
	}
	if s.listener != nil {
		// Serving may have closed it.
		if err := s.listener.Close(); !errors.Is(err, net.ErrClosed) {
			errs = append(errs, err)
		}
	}
	if s.clients != nil {
		s.clients.Close()
	}
	if s.jobs != nil {
		s.jobs.Close()
	}
	if s.database != nil {
		errs = append(errs, s.database.Close())
	}
	return errors.Join(errs...)
}
