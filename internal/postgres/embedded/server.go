package embedded

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/lib/pq"
)

const (
	databaseName = "regulars"
	superuser    = "regulars"
)

// server is a running postgres process, a child of this one.
type server struct {
	process *os.Process
	// ended is closed when the process has ended.
	ended chan struct{}
}

// initialize makes the cluster. A killed attempt leaves no half of one, since
// the finished cluster is moved to its place.
func initialize(folder home, tools binaries, as owner) error {
	unfinished := folder.cluster() + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return err
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return err
	}
	if err := as.give(unfinished); err != nil {
		return err
	}
	locale := "C.UTF-8"
	if runtime.GOOS == "darwin" {
		locale = "C"
	}
	command := exec.Command(tools.path("initdb"), "-D", unfinished, "-U", superuser, "-A", "trust",
		"-E", "UTF8", "--locale="+locale, "--no-sync", "--no-instructions")
	as.drop(command, unfinished)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(output))
	}
	return os.Rename(unfinished, folder.cluster())
}

// start starts postgres and waits until it answers. The process that calls it
// must live as long as the server.
func start(folder home, tools binaries, as owner, throwaway bool) (*server, error) {
	sockets, err := folder.makeSockets(as)
	if err != nil {
		return nil, err
	}
	arguments := []string{"-D", folder.cluster(), "-k", sockets, "-p", strconv.Itoa(port)}
	for _, setting := range settings(throwaway) {
		arguments = append(arguments, "-c", setting)
	}
	command := exec.Command(tools.path("postgres"), arguments...)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	as.drop(command, folder.cluster())
	command.SysProcAttr.Setsid = true
	dieWithParent(command)

	running := &server{ended: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel ties the server's life to the thread that started it.
		runtime.LockOSThread()
		err := command.Start()
		running.process = command.Process
		started <- err
		if err != nil {
			return
		}
		if err := command.Wait(); err != nil {
			fmt.Fprintln(os.Stderr, "keeper: PostgreSQL ended:", err)
		}
		close(running.ended)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	for {
		if running.ready(folder, sockets) {
			return running, nil
		}
		select {
		case <-running.ended:
			return nil, errors.New("PostgreSQL did not start")
		case <-time.After(poll):
		}
	}
}

// settings are PostgreSQL's, where they differ from its defaults.
func settings(throwaway bool) []string {
	common := []string{
		"listen_addresses=",
		"max_connections=200",
		"max_wal_size=2GB",
		"jit=off",
		// The pages are in memory or on a disk without a head, so an index is worth its jumps.
		"random_page_cost=1.1",
		"timezone=UTC",
		"log_timezone=UTC",
		"log_checkpoints=off",
		// What happens to the server, but no statement's error: that is the
		// program's to log, and its detail may hold personal data.
		"log_min_messages=log",
		"log_min_error_statement=panic",
	}
	if throwaway {
		return append(common, "shared_buffers=128MB", "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	}
	return append(common, "shared_buffers=256MB")
}

// ready tells whether this very server answers queries. The file's word alone
// would not do: one that a killed server left also says "ready".
func (s *server) ready(folder home, sockets string) bool {
	content, err := os.ReadFile(filepath.Join(folder.cluster(), "postmaster.pid"))
	if err != nil {
		return false
	}
	lines := strings.Split(string(content), "\n")
	if len(lines) < 8 || lines[0] != strconv.Itoa(s.process.Pid) || strings.TrimSpace(lines[7]) != "ready" {
		return false
	}
	return answers(context.Background(), dataSourceOf(sockets, "postgres")) == nil
}

// stop ends the server: fast but in an orderly way, or if it need not start
// again at once.
func (s *server) stop(throwaway bool) {
	signals := []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL}
	if throwaway {
		signals = signals[1:]
	}
	for _, signal := range signals {
		// It may have ended by itself, which is as well.
		_ = s.process.Signal(signal)
		select {
		case <-s.ended:
			return
		case <-time.After(30 * time.Second):
		}
	}
	<-s.ended
}

// createDatabase makes the database of the program if there is none yet.
func createDatabase(sockets string) error {
	return connected(dataSourceOf(sockets, "postgres"), func(db *sql.DB) error {
		var there bool
		if err := db.QueryRow(`select exists (select from pg_database where datname = '` + databaseName + `')`).Scan(&there); err != nil || there {
			return err
		}
		_, err := db.Exec(`create database ` + databaseName)
		return err
	})
}

// answers returns nil if the server answers a query.
func answers(ctx context.Context, dataSource string) error {
	return connected(dataSource, func(db *sql.DB) error {
		_, err := db.ExecContext(ctx, `select 1`)
		return err
	})
}

func connected(dataSource string, work func(db *sql.DB) error) error {
	connector, err := pq.NewConnector(dataSource)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	return work(db)
}

// port is part of the socket's name and nothing else.
const port = 5432

func dataSourceOf(sockets, database string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(sockets)
	return fmt.Sprintf("host='%s' port=%d user=%s dbname=%s sslmode=disable", quoted, port, superuser, database)
}
