package care

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"regulars/care/delivery"
	"regulars/internal/program"
	"regulars/internal/value"
)

// left is the status of somebody who is no member any more.
const left = "LEFT"

// recipient is a member as a message reaches it, at the moment of sending.
type recipient struct {
	Status      string  `db:"status"`
	ExternalID  *string `db:"external_id"`
	DisplayName *string `db:"display_name"`
	Email       *string `db:"email"`
	Phone       *string `db:"phone"`
	Locale      string  `db:"locale"`
	// Granted tells whether the member has last allowed messages of the class on the channel.
	Granted bool `db:"granted"`
	// On tells whether the message's campaign is.
	On bool `db:"on"`
	// TimeZone is the member's, and counts; ProgramZone where this program does not know that. Policy is when the member is not
	// to be disturbed.
	TimeZone    string             `db:"time_zone"`
	ProgramZone string             `db:"program_zone"`
	Policy      program.CarePolicy `db:"care"`
	// Held tells whether a mail server has refused the address for good.
	Held bool `db:"-"`
}

// reachable tells whether a member has named an address for the channel. Whom a webhook is about its receiver knows by a phone
// number or the external id.
func reachable(channel Channel, email, phone, externalID *string) bool {
	switch channel {
	case program.Email:
		return email != nil
	case program.Webhook:
		return phone != nil || externalID != nil
	default:
		return true
	}
}

// verdict decides whether a message is still to be sent: Sending, or what becomes of it and why, Deferred until an instant. to is
// nil if the member is gone.
func verdict(message *Message, to *recipient, now time.Time) (status Status, reason Reason, until *time.Time) {
	switch {
	case !now.Before(message.SendBefore):
		return Expired, TooLate, nil
	case to == nil || to.Status == left:
		return Suppressed, Left, nil
	case !to.On:
		return Suppressed, SwitchedOff, nil
	case asksConsent(message.Class, message.Channel) && !to.Granted:
		return Suppressed, NoConsent, nil
	case !reachable(message.Channel, to.Email, to.Phone, to.ExternalID):
		return Suppressed, NoAddress, nil
	case to.Held:
		return Suppressed, BouncedAddress, nil
	case message.Attempts >= maximumAttempts:
		// Its senders have died of it, or of something else, again and again.
		return Failed, NotAccepted, nil
	}
	if message.Class == program.Service {
		return Sending, "", nil
	}
	// It was tried in vain until now, or the member or the policy has moved.
	switch due := loud(to.Policy, now, to.zone()); {
	case !due.After(now):
		return Sending, "", nil
	case !due.Before(message.SendBefore):
		return Suppressed, QuietHours, nil
	default:
		return Deferred, QuietHours, &due
	}
}

// zone is the time zone in which the member is not to be disturbed.
func (r *recipient) zone() *time.Location {
	for _, name := range []string{r.TimeZone, r.ProgramZone} {
		if zone, err := value.ParseZone(name); err == nil {
			return zone
		}
	}
	return time.UTC
}

// filled is the message as a carrier takes it.
func (s *Service) filled(ctx context.Context, claimed *claim) (delivery.Message, error) {
	message := delivery.Message{
		ID: claimed.ID, At: *claimed.ClaimedAt, Class: claimed.Class, Occasion: string(claimed.Occasion), Text: claimed.Body,
		Member: delivery.Member{
			ID: claimed.Member, ExternalID: claimed.to.ExternalID, DisplayName: claimed.to.DisplayName, Phone: claimed.to.Phone, Locale: claimed.to.Locale,
		},
	}
	if claimed.Subject != nil {
		message.Subject = *claimed.Subject
	}
	if claimed.Channel != program.Email {
		return message, nil
	}
	message.Member.Email = *claimed.to.Email
	if claimed.HTML != nil {
		message.HTML = *claimed.HTML
	}
	if claimed.Class == program.Service {
		return message, nil
	}
	to, err := s.links(ctx, claimed.Message)
	if err != nil {
		return delivery.Message{}, err
	}
	message.Unsubscribe = to.Unsubscribe
	foot := footerFor(claimed.to.Locale)
	message.Text = foot.text(message.Text, to)
	if message.HTML != "" {
		message.HTML = foot.html(message.HTML, to)
	}
	return message, nil
}

// addressHash is by what addresses that were refused are kept: an address is the same in any case.
func addressHash(email string) []byte {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(email))))
	return sum[:]
}
