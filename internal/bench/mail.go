package bench

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	netmail "net/mail"
	"sync/atomic"

	"github.com/emersion/go-smtp"

	"regulars/care/delivery"
)

// unhurried is how many mails in a second a mail server is given that asks for no mercy: more than anybody reaches.
const unhurried = 100_000

// postOffice is a mail server on this machine that takes every mail, and keeps none.
type postOffice struct {
	server *smtp.Server
	ended  chan error
	mailer *delivery.Mailer
	taken  atomic.Int64
}

func openPostOffice(ctx context.Context) (*postOffice, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	at, err := delivery.ParseMailServer("smtp://" + listener.Addr().String())
	if err != nil {
		return nil, err
	}
	o := &postOffice{
		ended: make(chan error, 1), mailer: delivery.NewMailer(at, netmail.Address{Name: "The club", Address: "club@club.example"}, unhurried),
	}
	o.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return letterbox{o}, nil }))
	o.server.Domain, o.server.ErrorLog = "localhost", log.New(io.Discard, "", 0)
	go func() { o.ended <- o.server.Serve(listener) }()
	return o, nil
}

// close waits until the server is down.
func (o *postOffice) close() error {
	o.mailer.Rest()
	err := o.server.Close()
	if ended := <-o.ended; !errors.Is(ended, smtp.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

// letterbox is a connection to the mail server.
type letterbox struct{ office *postOffice }

// Mail takes any sender.
func (letterbox) Mail(string, *smtp.MailOptions) error { return nil }

// Rcpt takes any recipient.
func (letterbox) Rcpt(string, *smtp.RcptOptions) error { return nil }

// Data reads the mail and counts it.
func (l letterbox) Data(mail io.Reader) error {
	_, err := io.Copy(io.Discard, mail)
	if err == nil {
		l.office.taken.Add(1)
	}
	return err
}

// Reset has nothing to forget.
func (letterbox) Reset() {}

// Logout has nothing to forget.
func (letterbox) Logout() error { return nil }
