package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/identity"
)

// staffPrefix keeps the subjects of staff apart from the external ids of members.
const staffPrefix = "staff:"

type tokenCommand struct {
	Role       actor.Role    `required:"" enum:"MEMBER,ORGANIZER,MARKETER,SUPPORT,ADMIN" help:"What the caller may act as: ${enum}."`
	ExternalID string        `name:"external-id" placeholder:"ID" help:"Whose token it is, for MEMBER: the member's external id."`
	Subject    string        `placeholder:"NAME" help:"Whose token it is, for all others (staff:admin for ADMIN, and so on)."`
	TTL        time.Duration `name:"ttl" default:"24h" help:"How long it is valid (${default})."`
}

// Help is what --help tells beyond the flags.
func (tokenCommand) Help() string {
	return `The key lies in the data folder, so the token is good for every server on that folder, whether it runs
already or not, as long as it listens on a loopback address, has no public URL (REGULARS_PUBLIC_URL) that others than
this machine reach, and has no other issuer (REGULARS_OIDC_ISSUER).

Examples:

    regulars token --role ADMIN
    regulars token --role MEMBER --external-id 17850 --ttl 1h`
}

// Validate returns an error for flags that do not go together.
func (c tokenCommand) Validate() error {
	switch member := c.Role == actor.Member; {
	case c.TTL <= 0:
		return errors.New("--ttl must be longer than nothing")
	case member && c.ExternalID == "":
		return errors.New("--role MEMBER needs --external-id")
	case member && c.Subject != "":
		return errors.New("--subject does not go with --role MEMBER: a member's subject is its external id")
	case !member && c.ExternalID != "":
		return errors.New("--external-id goes with --role MEMBER only")
	case strings.HasPrefix(c.ExternalID, staffPrefix):
		return fmt.Errorf("--external-id must not start with %q: that is how staff are named", staffPrefix)
	}
	return nil
}

// Run prints a token.
func (c tokenCommand) Run(running Program, settings Settings) error {
	if why := settings.NoDevelopmentIssuer(); why != "" {
		return fmt.Errorf("%s: no server with these settings accepts a development token", why)
	}
	issuer, err := identity.OpenDevelopmentIssuer(settings.Data)
	if err != nil {
		return err
	}
	token, err := issuer.Token(c.Role, c.subject(), c.TTL, running.Now())
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(running.Output, token)
	return err
}

func (c tokenCommand) subject() string {
	switch {
	case c.Role == actor.Member:
		return c.ExternalID
	case c.Subject != "":
		return c.Subject
	}
	return staffPrefix + strings.ToLower(string(c.Role))
}
