// Package deliverytest receives mails for tests: a real mail server on this machine that does what the test says.
package deliverytest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Server is a mail server that keeps what it takes. Set what it does before the first mail, but for what is said to change.
type Server struct {
	// Address is its host and port.
	Address string

	behavior Behavior
	mutex    sync.Mutex
	mails    []Mail
	users    []string
	opened   int
	encoded  int
}

// Behavior is what a server does other than to take every mail. Its functions are called by several connections at once; a
// *smtp.SMTPError is what the server answers.
type Behavior struct {
	// TLS offers STARTTLS, or with Implicit speaks it from the first byte.
	TLS      *tls.Config
	Implicit bool
	// User and Password must be given, by PLAIN.
	User, Password string
	// From and Rcpt judge the sender and a recipient, Data a mail before it is taken; nil takes it.
	From func(from string) error
	Rcpt func(to string) error
	Data func(mail Mail) error
	// Taken is called when a mail has been taken and before that is answered; true drops the connection instead.
	Taken func(mail Mail) bool
}

// Mail is one that was taken.
type Mail struct {
	From, To string
	Raw      []byte
}

// Parsed is a mail as its reader sees it.
type Parsed struct {
	Header mail.Header
	// Parts are the bodies in their order, by their media types.
	Types []string
	Parts map[string]string
}

// Refusal is an answer of the server.
func Refusal(code int, enhanced [3]int, words string) error {
	return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode(enhanced), Message: words}
}

// New starts a server; it ends with the test.
func New(t testing.TB, behavior Behavior) *Server {
	t.Helper()
	return NewAt(t, "127.0.0.1:0", behavior)
}

// NewAt starts a server on the address.
func NewAt(t testing.TB, address string, behavior Behavior) *Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Address: listener.Addr().String(), behavior: behavior}
	server := smtp.NewServer(smtp.BackendFunc(func(conn *smtp.Conn) (smtp.Session, error) {
		s.mutex.Lock()
		defer s.mutex.Unlock()
		s.opened++
		return &session{server: s, conn: conn}, nil
	}))
	server.Domain, server.AllowInsecureAuth, server.EnableSMTPUTF8 = "localhost", true, true
	server.ErrorLog = log.New(io.Discard, "", 0)
	if behavior.Implicit {
		listener = tls.NewListener(listener, behavior.TLS)
	} else {
		server.TLSConfig = behavior.TLS
	}
	served := make(chan struct{})
	go func() {
		// In the end it says that it was closed.
		_ = server.Serve(listener)
		close(served)
	}()
	t.Cleanup(func() {
		_ = server.Close()
		// A server that had not begun to serve does not close it.
		_ = listener.Close()
		<-served
	})
	return s
}

// URL is how a program is told of the server, with user and password if it has some.
func (s *Server) URL() string {
	address := url.URL{Scheme: "smtp", Host: s.Address}
	if s.behavior.Implicit {
		address.Scheme = "smtps"
	}
	if s.behavior.User != "" {
		address.User = url.UserPassword(s.behavior.User, s.behavior.Password)
	}
	return address.String()
}

// Mails are those that were taken, in their order.
func (s *Server) Mails() []Mail {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]Mail(nil), s.mails...)
}

// Connections counts those that were opened and greeted; each greets again after STARTTLS.
func (s *Server) Connections() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.opened
}

// Encrypted counts the mails that came over TLS.
func (s *Server) Encrypted() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return s.encoded
}

// Users are who signed in, in their order.
func (s *Server) Users() []string {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return append([]string(nil), s.users...)
}

// Parse reads a mail.
func Parse(t testing.TB, one Mail) Parsed {
	t.Helper()
	read, err := mail.ReadMessage(bytes.NewReader(one.Raw))
	if err != nil {
		t.Fatal(err)
	}
	parsed := Parsed{Header: read.Header, Parts: map[string]string{}}
	kind, parameters, err := mime.ParseMediaType(read.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(kind, "multipart/") {
		parsed.add(t, kind, read.Header.Get("Content-Transfer-Encoding"), read.Body)
		return parsed
	}
	parts := multipart.NewReader(read.Body, parameters["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return parsed
		}
		if err != nil {
			t.Fatal(err)
		}
		of, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if err != nil {
			t.Fatal(err)
		}
		parsed.add(t, of, part.Header.Get("Content-Transfer-Encoding"), part)
	}
}

func (p *Parsed) add(t testing.TB, kind, encoding string, from io.Reader) {
	t.Helper()
	if encoding == "quoted-printable" {
		from = quotedprintable.NewReader(from)
	}
	body, err := io.ReadAll(from)
	if err != nil {
		t.Fatal(err)
	}
	p.Types = append(p.Types, kind)
	p.Parts[kind] = strings.ReplaceAll(string(body), "\r\n", "\n")
}

// session is what one connection says.
type session struct {
	server *Server
	conn   *smtp.Conn
	mail   Mail
	user   string
}

// AuthMechanisms implements smtp.AuthSession.
func (s *session) AuthMechanisms() []string {
	if s.server.behavior.User == "" {
		return nil
	}
	return []string{sasl.Plain}
}

// Auth implements smtp.AuthSession.
func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.server.behavior.User || password != s.server.behavior.Password {
			return smtp.ErrAuthFailed
		}
		s.user = user
		s.server.mutex.Lock()
		defer s.server.mutex.Unlock()
		s.server.users = append(s.server.users, user)
		return nil
	}), nil
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.mail = Mail{} }

// Logout implements smtp.Session.
func (*session) Logout() error { return nil }

// Mail implements smtp.Session.
func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if s.server.behavior.User != "" && s.user == "" {
		return smtp.ErrAuthRequired
	}
	s.mail = Mail{From: from}
	if s.server.behavior.From != nil {
		return s.server.behavior.From(from)
	}
	return nil
}

// Rcpt implements smtp.Session.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.mail.To = to
	if s.server.behavior.Rcpt != nil {
		return s.server.behavior.Rcpt(to)
	}
	return nil
}

// Data implements smtp.Session.
func (s *session) Data(from io.Reader) error {
	raw, err := io.ReadAll(from)
	if err != nil {
		return err
	}
	s.mail.Raw = raw
	if s.server.behavior.Data != nil {
		if err := s.server.behavior.Data(s.mail); err != nil {
			return err
		}
	}
	s.server.mutex.Lock()
	s.server.mails = append(s.server.mails, s.mail)
	if _, encrypted := s.conn.TLSConnectionState(); encrypted {
		s.server.encoded++
	}
	s.server.mutex.Unlock()
	if s.server.behavior.Taken != nil && s.server.behavior.Taken(s.mail) {
		return s.conn.Conn().Close()
	}
	return nil
}
