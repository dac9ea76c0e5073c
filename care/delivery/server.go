package delivery

import (
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// The ports of mail servers that take mail from programs, where none is named.
const (
	portStartTLS = 587
	portTLS      = 465
)

// MailServer is where mail is handed over.
type MailServer struct {
	Host string
	Port int
	// TLS is spoken from the first byte (smtps).
	TLS bool
	// Insist refuses a server that does not offer STARTTLS.
	Insist bool
	// User and Password are given to the server; an empty User gives nothing.
	User     string
	Password string
}

// ParseMailServer reads smtp://user:password@host:port or smtps://…: smtp uses STARTTLS when it is offered, and insists on it
// with ?tls=required or where a user is named and the host is not this machine; smtps speaks TLS at once. The ports are 587
// and 465 unless one is named. What it returns as an error holds nothing of the text, since that holds a password.
func ParseMailServer(text string) (MailServer, error) {
	form := errors.New("it is not like smtp://user:password@mail.example:587 or smtps://mail.example")
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" || parsed.Path != "" && parsed.Path != "/" || parsed.Fragment != "" {
		return MailServer{}, form
	}
	server := MailServer{Host: parsed.Hostname(), User: parsed.User.Username()}
	server.Password, _ = parsed.User.Password()
	switch parsed.Scheme {
	case "smtp":
		server.Port = portStartTLS
	case "smtps":
		server.Port, server.TLS = portTLS, true
	default:
		return MailServer{}, form
	}
	if port := parsed.Port(); port != "" {
		number, err := strconv.ParseUint(port, 10, 16)
		if err != nil || number == 0 {
			return MailServer{}, errors.New("its port is not between 1 and 65535")
		}
		server.Port = int(number)
	}
	query, err := url.ParseQuery(parsed.RawQuery)
	if err != nil {
		return MailServer{}, form
	}
	for name, values := range query {
		if name != "tls" || len(values) != 1 || values[0] != "required" {
			return MailServer{}, errors.New("only ?tls=required may follow the host")
		}
		server.Insist = true
	}
	if server.User == "" && server.Password != "" {
		return MailServer{}, errors.New("it has a password but no user")
	}
	// Whoever can remove the offer of STARTTLS on the way would be told the password.
	server.Insist = server.Insist || server.User != "" && !server.local()
	return server, nil
}

// String names the server, without user and password.
func (s MailServer) String() string {
	return net.JoinHostPort(s.Host, strconv.Itoa(s.Port))
}

// local tells whether the server is on this machine.
func (s MailServer) local() bool {
	address, err := netip.ParseAddr(s.Host)
	return s.Host == "localhost" || err == nil && address.IsLoopback()
}

// ParseSender reads from whom mail is: club@club.example, or Our Club <club@club.example>.
func ParseSender(text string) (netmail.Address, error) {
	sender, err := netmail.ParseAddress(text)
	if err != nil || !strings.Contains(domain(sender.Address), ".") && domain(sender.Address) != "localhost" {
		return netmail.Address{}, fmt.Errorf("%q is not like Our Club <club@club.example>", text)
	}
	return *sender, nil
}

// domain is what follows the last @ of an address.
func domain(address string) string {
	return address[strings.LastIndex(address, "@")+1:]
}
