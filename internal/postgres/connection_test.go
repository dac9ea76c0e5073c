package postgres_test

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lib/pq"

	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

// fault is what the proxy does, once, with the server's next answer. The server
// has run the statement by then.
type fault struct {
	// instead is sent to the client before the connection is dropped.
	instead []byte
}

// errorResponse is PostgreSQL's message of an error, without the ReadyForQuery
// that should follow it.
func errorResponse(severity, code string) []byte {
	fields := "S" + severity + "\x00V" + severity + "\x00C" + code + "\x00Mthe server has gone\x00\x00"
	message := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(4+len(fields)))
	return append(message, fields...)
}

// proxy stands between lib/pq and PostgreSQL and breaks connections on demand.
type proxy struct {
	address string
	armed   atomic.Pointer[fault]
}

func newProxy(t *testing.T, socket string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: listener.Addr().String()}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("unix", socket)
			if err != nil {
				t.Error(err)
				client.Close()
				return
			}
			all.Go(func() {
				// It ends with an error when the other direction is cut.
				_, _ = io.Copy(server, client)
				server.Close()
			})
			all.Go(func() {
				p.answer(client, server)
				client.Close()
			})
		}
	})
	t.Cleanup(func() {
		listener.Close()
		all.Wait()
	})
	return p
}

func (p *proxy) answer(client io.Writer, server io.Reader) {
	buffer := make([]byte, 1<<16)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if fault := p.armed.Swap(nil); fault != nil {
			// The client may be gone, which is a fault as well.
			_, _ = client.Write(fault.instead)
			return
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

func TestConnectionDropped(t *testing.T) {
	t.Parallel()

	for name, fault := range map[string]fault{
		"AfterError":   {errorResponse("ERROR", "XX000")},
		"AfterFatal":   {errorResponse("FATAL", "57P01")},
		"WithoutAWord": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const connections = 3
			direct, db := openThroughProxy(t, connections)
			run(t, direct, `create table marks (id int)`)
			every := func() {
				// All the pool's connections at once, prepared and unprepared.
				var all, begun sync.WaitGroup
				begun.Add(connections)
				for range connections {
					all.Go(func() {
						err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
							begun.Done()
							begun.Wait()
							_, err := tx.Exec(t.Context(), `select $1::int`, 1)
							return errors.Join(err, postgresExec(t, tx, `select 1`))
						})
						if err != nil {
							t.Errorf("afterwards: %v", err)
						}
					})
				}
				all.Wait()
			}
			every()

			ways := map[string]func() error{
				"Exec": func() error { _, err := db.Exec(t.Context(), `insert into marks values ($1)`, 1); return err },
				"Get": func() error {
					var id int
					return db.Get(t.Context(), &id, `insert into marks values ($1) returning id`, 2)
				},
				"Unprepared": func() error { return postgresExec(t, db, `insert into marks values (3)`) },
				"InTx": func() error {
					return db.InTx(t.Context(), func(tx *postgres.Tx) error {
						db.Break(fault)
						_, err := tx.Exec(t.Context(), `insert into marks values ($1)`, 4)
						return err
					})
				},
			}
			for way, statement := range ways {
				run(t, direct, `truncate marks`)
				db.Break(fault)
				err := statement()
				every()
				// Only what was not sent yet may be repeated without a word.
				if ran := number(t, direct, `select count(*) from marks`); ran > 1 || (err == nil && ran == 0) {
					t.Errorf("%s: the statement ran %d times and answered %v", way, ran, err)
				}
			}
		})
	}
}

func TestAnswerLost(t *testing.T) {
	t.Parallel()
	direct, db := openThroughProxy(t, 1)
	run(t, direct, `create table marks (id int)`)
	insert := func() error {
		_, err := db.Exec(t.Context(), `insert into marks values ($1)`, 1)
		return err
	}
	// The first time prepares it: the fault is to hit its execution.
	if err := insert(); err != nil {
		t.Fatal(err)
	}
	db.Break(fault{})
	if err := insert(); err == nil || !strings.Contains(err.Error(), "lost") {
		t.Errorf("the error is %v, want that the connection is lost", err)
	}
	if ran := number(t, direct, `select count(*) from marks`); ran != 2 {
		t.Errorf("there are %d marks, want 2", ran)
	}
	if err := insert(); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// brokenDB is a DB whose connections a test can break.
type brokenDB struct {
	*postgres.DB
	proxy *proxy
}

// Break arms the proxy.
func (b brokenDB) Break(with fault) { b.proxy.armed.Store(&with) }

// openThroughProxy opens an empty database twice: directly and through a proxy.
func openThroughProxy(t *testing.T, connections int) (direct *postgres.DB, broken brokenDB) {
	t.Helper()
	dataSource := pgtest.DataSource(t)
	config, err := pq.NewConfig(dataSource)
	if err != nil {
		t.Fatal(err)
	}
	proxy := newProxy(t, filepath.Join(config.Host, ".s.PGSQL."+strconv.Itoa(int(config.Port))))
	host, port, err := net.SplitHostPort(proxy.address)
	if err != nil {
		t.Fatal(err)
	}
	through := dataSource + " host=" + host + " port=" + port
	return openAt(t, dataSource, 2), brokenDB{openAt(t, through, connections), proxy}
}

func postgresExec(t *testing.T, on postgres.Runner, statement string) error {
	_, err := on.Exec(t.Context(), statement)
	return err
}

func TestConnectionTerminated(t *testing.T) {
	t.Parallel()

	const others = `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`

	t.Run("Idle", func(t *testing.T) {
		t.Parallel()
		dataSource := pgtest.DataSource(t)
		db, observer := openAt(t, dataSource, 4), openAt(t, dataSource, 1)
		var all, begun sync.WaitGroup
		begun.Add(4)
		for range 4 {
			all.Go(func() {
				if err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
					begun.Done()
					begun.Wait()
					return postgresExec(t, tx, `select 1`)
				}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		run(t, observer, `select pg_terminate_backend(pid) `+others)
		eventually(t, observer, `select not exists (select `+others+`)`)
		// Nobody notices.
		for range 8 {
			if got := number(t, db, `select $1::int`, 7); got != 7 {
				t.Errorf("got %d, want 7", got)
			}
		}
	})

	t.Run("InMidQuery", func(t *testing.T) {
		t.Parallel()
		dataSource := pgtest.DataSource(t)
		db, observer := openAt(t, dataSource, 2), openAt(t, dataSource, 1)
		run(t, db, `create table marks (id int)`)
		ended := make(chan error)
		go func() {
			ended <- db.InTx(t.Context(), func(tx *postgres.Tx) error {
				_, err := tx.Exec(t.Context(), `insert into marks select $1 from pg_sleep(60)`, 1)
				return err
			})
		}()
		eventually(t, observer, `select exists (select `+others+` and wait_event = 'PgSleep')`)
		run(t, observer, `select pg_terminate_backend(pid) `+others+` and wait_event = 'PgSleep'`)
		if err := <-ended; err == nil || !strings.Contains(err.Error(), "lost") {
			t.Errorf("a terminated session: %v, want that the connection is lost", err)
		}
		for range 8 {
			if got := number(t, db, `select count(*) from marks where id = $1`, 1); got != 0 {
				t.Errorf("%d marks, want 0", got)
			}
		}
	})
}
