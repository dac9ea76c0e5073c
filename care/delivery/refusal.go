package delivery

import (
	"errors"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"
)

// Answers of mail servers (RFC 5321, RFC 4954).
const (
	closing      = 421
	noMailbox    = 550
	notLocal     = 551
	tooLarge     = 552
	badMailbox   = 553
	badParameter = 501
	badSequence  = 503
	authNeeded   = 530
	authFailed   = 535
	authTLS      = 538
)

// failure is why a mail was not taken.
type failure struct {
	step mail.SendErrReason
	// code is what the server answered, 0: it did not; enhanced is the same in the words of RFC 3463, empty: it has none.
	code     int
	enhanced string
	said     string
}

// failureOf reads the error of handing over one mail.
func failureOf(err error) *failure {
	failed := &failure{step: mail.ErrConnCheck, said: err.Error()}
	if told, ok := errors.AsType[*mail.SendError](err); ok {
		failed.step, failed.code, failed.enhanced = told.Reason, told.ErrorCode(), told.EnhancedStatusCode()
		failed.said, _, _ = strings.Cut(told.Error(), ", affected ")
	}
	return failed
}

// keeps tells whether the connection is good for another mail.
func (f *failure) keeps() bool {
	return f.code != 0 && f.code != closing && f.step != mail.ErrWriteContent
}

// answer judges. What is wrong with all mails alike, such as a sender that is not allowed or a password, is tried later: it is
// set right, and no member has anything to do with it.
func (f *failure) answer() Answer {
	answer := Answer{Outcome: Later, Detail: f.said}
	if f.code != 0 {
		answer.Code = strings.TrimSpace(strconv.Itoa(f.code) + " " + f.enhanced)
	}
	forGood := f.code >= 500 && f.code < 600
	switch {
	case f.code == 0:
		// Everything was written, and nobody knows whether it was taken.
		answer.Uncertain = f.step == mail.ErrSMTPDataClose
	case !forGood || f.code == authNeeded || f.code == authFailed || f.code == authTLS || f.code == badSequence:
	case f.step == mail.ErrSMTPRcptTo && f.aboutAddress():
		answer.Outcome = AddressRefused
	case f.step == mail.ErrSMTPRcptTo || f.step == mail.ErrSMTPData || f.step == mail.ErrSMTPDataClose || f.code == tooLarge:
		answer.Outcome = Refused
	}
	return answer
}

// aboutAddress tells whether a refusal of a recipient for good means its address. A server that takes us for a spammer refuses
// the recipient as well, by 550 5.7.1, and that address is a good one.
func (f *failure) aboutAddress() bool {
	if _, status, ok := strings.Cut(f.enhanced, "."); ok && !strings.HasPrefix(status, "0.") {
		// A full mailbox, 2.2, has an owner who may empty it.
		return strings.HasPrefix(status, "1.") || status == "2.0" || status == "2.1"
	}
	return f.code == noMailbox || f.code == notLocal || f.code == badMailbox || f.code == badParameter
}
