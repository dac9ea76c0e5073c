package embedded_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/postgres/embedded"
)

// userVariable makes the test binary a process that uses the cluster of a folder
// until its standard input ends.
const userVariable = "REGULARS_TEST_CLUSTER_USER"

func TestMain(m *testing.M) {
	if dir := os.Getenv(userVariable); dir != "" {
		os.Exit(useCluster(dir))
	}
	// With the race detector, each process would wait for a second at its end.
	os.Setenv("GORACE", "atexit_sleep_ms=0")
	os.Exit(m.Run())
}

func useCluster(dir string) int {
	cluster, err := embedded.Open(context.Background(), dir, embedded.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stdout, "open")
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := cluster.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// user is another process that uses a cluster.
type user struct {
	command *exec.Cmd
	stdin   io.Closer
	stdout  *bufio.Reader
}

// folder returns a new folder that the server's user can enter, whoever that is.
func folder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// startUser starts a process with more in its environment; opened waits until it has the cluster.
func startUser(t *testing.T, dir string, environment ...string) *user {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(executable)
	command.Env = append(append(os.Environ(), userVariable+"="+dir), environment...)
	command.Stderr = os.Stderr
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	// It has mostly ended by then.
	t.Cleanup(func() { _ = command.Process.Kill() })
	return &user{command: command, stdin: stdin, stdout: bufio.NewReader(stdout)}
}

func (u *user) opened(t *testing.T) {
	t.Helper()
	if line, err := u.stdout.ReadString('\n'); line != "open\n" {
		t.Fatalf("another process could not open the cluster: %q, %v", line, err)
	}
}

func (u *user) leave(t *testing.T) {
	t.Helper()
	u.stdin.Close()
	if err := u.command.Wait(); err != nil {
		t.Errorf("another process: %v", err)
	}
}

func (u *user) kill(t *testing.T) {
	t.Helper()
	if err := u.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	// Being killed is what it answers.
	_ = u.command.Wait()
}

// open opens the cluster and a connection pool to it.
func open(t *testing.T, dir string, options embedded.Options) (*embedded.Cluster, *postgres.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cluster, err := embedded.Open(ctx, dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cluster.Close() })
	db, err := postgres.Open(ctx, cluster.DataSource(), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return cluster, db
}

// mark adds a row and returns how many there are.
func mark(t *testing.T, db *postgres.DB) int {
	t.Helper()
	for _, statement := range []string{`create table if not exists marks (id int)`, `insert into marks values (1)`} {
		if _, err := db.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return marks(t, db)
}

func marks(t *testing.T, db *postgres.DB) int {
	t.Helper()
	var count int
	if err := db.Get(t.Context(), &count, `select count(*) from marks`); err != nil {
		t.Fatal(err)
	}
	return count
}

// serverProcess returns the id of the running server's process.
func serverProcess(t *testing.T, dir string) int {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(dir, "cluster", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(content), "\n")
	id, err := strconv.Atoi(first)
	if err != nil || id <= 1 {
		t.Fatalf("postmaster.pid begins with %q", first)
	}
	return id
}

// keeperProcess returns the id of the process that started the server.
func keeperProcess(t *testing.T, dir string) int {
	t.Helper()
	output, err := exec.Command("ps", "-o", "ppid=", "-p", strconv.Itoa(serverProcess(t, dir))).Output()
	if err != nil {
		t.Fatal(err)
	}
	id, err := strconv.Atoi(strings.TrimSpace(string(output)))
	if err != nil || id <= 1 {
		t.Fatalf("ps says %q", output)
	}
	return id
}

func awaitEnd(t *testing.T, process int) {
	t.Helper()
	eventually(t, fmt.Sprintf("process %d ends", process), func() bool {
		return syscall.Kill(process, 0) != nil
	})
}

func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		case <-tick.C:
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(folder(t), strings.Repeat("deep/", 30), "it's postgres")
	cluster, db := open(t, dir, embedded.Options{})
	mark(t, db)
	server := serverProcess(t, dir)
	db.Close()
	if err := cluster.Close(); err != nil {
		t.Fatal(err)
	}
	// The last one out has waited for the end.
	if syscall.Kill(server, 0) == nil {
		t.Error("the server runs on")
	}

	_, db = open(t, dir, embedded.Options{})
	if got := mark(t, db); got != 2 {
		t.Errorf("%d marks, want 2", got)
	}
}

func TestOpenThrowaway(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cluster, db := open(t, dir, embedded.Options{Throwaway: true})
	mark(t, db)
	db.Close()
	cluster.Close()
	if _, err := os.Stat(filepath.Join(dir, "cluster")); !os.IsNotExist(err) {
		t.Errorf("the cluster is not removed: %v", err)
	}
	_, db = open(t, dir, embedded.Options{Throwaway: true})
	if got := mark(t, db); got != 1 {
		t.Errorf("%d marks, want 1: a throw-away cluster starts empty", got)
	}
}

func TestLinger(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	options := embedded.Options{Throwaway: true, Linger: 20 * time.Second}
	cluster, db := open(t, dir, options)
	mark(t, db)
	server := serverProcess(t, dir)
	db.Close()
	cluster.Close()
	_, db = open(t, dir, options)
	if got := marks(t, db); got != 1 || serverProcess(t, dir) != server {
		t.Errorf("%d marks by server %d, want 1 by server %d", got, serverProcess(t, dir), server)
	}
	if err := syscall.Kill(keeperProcess(t, dir), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, server)
}

// TestJoin leaves a cluster to a process that joined it.
func TestJoin(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	cluster, db := open(t, dir, embedded.Options{})
	server := serverProcess(t, dir)
	other := startUser(t, dir)
	other.opened(t)
	cluster.Close()
	mark(t, db)
	if now := serverProcess(t, dir); now != server {
		t.Errorf("the server is process %d, want still %d", now, server)
	}
	db.Close()
	other.leave(t)
	if syscall.Kill(server, 0) == nil {
		t.Error("the server runs on")
	}
}

func TestUserKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	other := startUser(t, dir)
	other.opened(t)
	cluster, db := open(t, dir, embedded.Options{})
	mark(t, db)
	server := serverProcess(t, dir)
	db.Close()
	cluster.Close()
	other.kill(t)
	awaitEnd(t, server)

	_, db = open(t, dir, embedded.Options{})
	if got := mark(t, db); got != 2 {
		t.Errorf("%d marks, want 2", got)
	}
}

func TestServerKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, db := open(t, dir, embedded.Options{})
	mark(t, db)
	started := func() (at time.Time, err error) {
		err = db.Get(t.Context(), &at, `select pg_postmaster_start_time()`)
		return at, err
	}
	first, err := started()
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(serverProcess(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "another server answers", func() bool {
		now, err := started()
		return err == nil && now != first
	})
	if got := mark(t, db); got != 2 {
		t.Errorf("%d marks, want 2", got)
	}
}

func TestKeeperKilled(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	_, db := open(t, dir, embedded.Options{})
	mark(t, db)
	server, keeper := serverProcess(t, dir), keeperProcess(t, dir)
	if err := syscall.Kill(keeper, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	awaitEnd(t, keeper)
	// The next one starts a server with a keeper, and the first finds it again.
	_, other := open(t, dir, embedded.Options{})
	if got := mark(t, other); got != 2 {
		t.Errorf("%d marks, want 2", got)
	}
	if now := serverProcess(t, dir); now == server {
		t.Error("the server of the killed keeper runs on")
	}
	eventually(t, "the first pool answers again", func() bool { return db.Ping(t.Context()) == nil })
}

func TestOpenAtOnce(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	var users []*user
	for range 5 {
		users = append(users, startUser(t, dir))
	}
	for _, user := range users {
		user.opened(t)
	}
	server := serverProcess(t, dir)
	for _, user := range users[1:] {
		user.leave(t)
	}
	_, db := open(t, dir, embedded.Options{})
	mark(t, db)
	if now := serverProcess(t, dir); now != server {
		t.Errorf("the server is process %d, want still %d", now, server)
	}
	users[0].leave(t)
}

// TestOpenWhileStopping opens a cluster again and again just as it stops.
func TestOpenWhileStopping(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	for round := range 5 {
		other := startUser(t, dir)
		other.opened(t)
		other.kill(t)
		cluster, db := open(t, dir, embedded.Options{})
		if got := mark(t, db); got != round+1 {
			t.Errorf("%d marks, want %d", got, round+1)
		}
		db.Close()
		cluster.Close()
	}
}

func TestOpenOtherVersion(t *testing.T) {
	t.Parallel()
	dir := folder(t)
	file := filepath.Join(dir, "cluster", "PG_VERSION")
	if err := os.Mkdir(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := embedded.Open(t.Context(), dir, embedded.Options{})
	if err == nil || !strings.Contains(err.Error(), "made by PostgreSQL 9") {
		t.Errorf("the error is %v, want that version 9 is missing", err)
	}
	if content, err := os.ReadFile(file); string(content) != "9\n" || err != nil {
		t.Errorf("PG_VERSION is %q, %v; want it untouched", content, err)
	}
}

// TestOpenUnreachable opens a cluster in a folder that only we can enter.
func TestOpenUnreachable(t *testing.T) {
	t.Parallel()
	private := filepath.Join(folder(t), "private")
	if err := os.Mkdir(private, 0o700); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(private, "postgres")
	_, db := open(t, dir, embedded.Options{})
	mark(t, db)
	var where string
	if err := db.Get(t.Context(), &where, `select current_setting('data_directory')`); err != nil {
		t.Fatal(err)
	}
	want := filepath.Join(dir, "cluster")
	if os.Geteuid() == 0 {
		// Then the server's user is another, and its cluster is elsewhere.
		t.Cleanup(func() { os.RemoveAll(filepath.Dir(where)) })
		matched, err := filepath.Match("/var/lib/regulars/*/cluster", where)
		if err != nil || !matched {
			t.Errorf("the cluster is in %s, want it in /var/lib/regulars", where)
		}
	} else if where != want {
		t.Errorf("the cluster is in %s, want %s", where, want)
	}
}

func TestOpenGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.Open(ctx, folder(t), embedded.Options{}); err == nil {
		t.Error("opened although nobody waits")
	}
}
