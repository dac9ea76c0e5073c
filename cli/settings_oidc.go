package cli

import (
	"errors"
	"fmt"
	"net/url"

	"regulars/internal/identity"
)

// OIDC says whose tokens the server takes, and how to read them. Without an issuer it takes none, and the other settings
// say nothing.
type OIDC struct {
	Issuer      string `env:"REGULARS_OIDC_ISSUER" placeholder:"URL" help:"The OpenID Connect issuer whose tokens are good, exactly as they name it. The development issuer is off then."`
	Audience    string `env:"REGULARS_OIDC_AUDIENCE" placeholder:"NAME" help:"For whom those tokens must be; needed with the issuer."`
	MemberClaim string `name:"member-claim" env:"REGULARS_OIDC_MEMBER_CLAIM" default:"sub" placeholder:"CLAIM" help:"What holds a member's external id (${default})."`
	RolesClaim  string `name:"roles-claim" env:"REGULARS_OIDC_ROLES_CLAIM" default:"roles" placeholder:"CLAIM" help:"What holds our roles (${default}); realm_access.roles is a path."`
}

// Validate returns an error that names the setting with a value that cannot be.
func (o OIDC) Validate() error {
	switch {
	case o.Issuer == "" && o.Audience != "":
		return errors.New("REGULARS_OIDC_AUDIENCE (--oidc-audience): it needs the issuer, REGULARS_OIDC_ISSUER")
	case o.Issuer == "":
		return nil
	case o.Audience == "":
		return errors.New("REGULARS_OIDC_AUDIENCE (--oidc-audience): the issuer's tokens need an audience that is this program's")
	case o.MemberClaim == "":
		return errors.New("REGULARS_OIDC_MEMBER_CLAIM (--oidc-member-claim): the claim is not named")
	case o.RolesClaim == "":
		return errors.New("REGULARS_OIDC_ROLES_CLAIM (--oidc-roles-claim): the claim is not named")
	}
	issuer, err := url.Parse(o.Issuer)
	if err != nil || issuer.Hostname() == "" || issuer.User != nil || issuer.RawQuery != "" || issuer.Fragment != "" || !identity.Confidential(issuer) {
		return fmt.Errorf("REGULARS_OIDC_ISSUER (--oidc-issuer): %q is not an address like https://login.example (http only on this machine)", o.Issuer)
	}
	return nil
}
