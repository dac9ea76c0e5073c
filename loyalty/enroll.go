package loyalty

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// EnrollMemberInput is a person who joins. Only the idempotency key must be given.
type EnrollMemberInput struct {
	ExternalID *string
	Email      *string
	// Phone in E.164 form.
	Phone       *string
	DisplayName *string
	BirthDate   *value.Date
	// Locale is a BCP 47 tag, by default the program's; TimeZone a name of the IANA database, by default the program's.
	Locale   *string
	TimeZone *string
	// JoinedAt is by default now.
	JoinedAt *time.Time
	// ReferralCode is of the member who invited it; case, spaces and hyphens do not matter.
	ReferralCode   *string
	IdempotencyKey string
}

// Enrollment answers an enrollment: the member, or the problems in UserErrors.
type Enrollment struct {
	Member     *Member
	Replayed   *bool
	UserErrors []problem.UserError
}

// MaximumBatch bounds a slice of inputs.
const MaximumBatch = 1000

// Enroll makes members of people, at most MaximumBatch at once, and answers each in order; one that is refused keeps
// none of the others. Support, admins and MembersWrite enroll anybody; a member enrolls only itself, under the external id of its
// token, and cannot say when it joined; each e-mail address and phone number costs it a try. A referral code that nobody has costs
// a guess, unless its check character is wrong: then it tells nothing.
//
// Problems: INVALID_EMAIL, INVALID_PHONE, INVALID_NAME, INVALID_DATE, INVALID_LOCALE, INVALID_TIME_ZONE,
// INVALID_EXTERNAL_ID, INVALID_IDEMPOTENCY_KEY; EMAIL_TAKEN, PHONE_TAKEN, EXTERNAL_ID_TAKEN; UNKNOWN_REFERRAL_CODE;
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) Enroll(ctx context.Context, inputs []EnrollMemberInput) ([]Enrollment, error) {
	caller, err := actor.Require(ctx, actor.Member, actor.Support, actor.Admin, actor.MembersWrite)
	if err != nil {
		return nil, err
	}
	if !caller.Has(actor.Support, actor.Admin, actor.MembersWrite) {
		if inputs, err = ownEnrollment(caller, inputs); err != nil {
			return nil, err
		}
	}
	if len(inputs) > MaximumBatch {
		return nil, fmt.Errorf("%d enrollments at once, at most %d are taken", len(inputs), MaximumBatch)
	}
	named := 0
	for _, input := range inputs {
		named += contacts((&Member{Email: input.Email, Phone: input.Phone}).keys())
	}
	if err := s.MayGuess(caller, referralGuesses(inputs)); err != nil {
		return nil, err
	}
	if err := s.try(caller, named); err != nil {
		return nil, err
	}
	var answers []Enrollment
	var missed int
	err = s.db.InTx(ctx, func(tx *postgres.Tx) (err error) {
		answers, missed, err = s.enroll(ctx, tx, caller, inputs)
		return err
	})
	s.Charge(caller, missed)
	return answers, err
}

func ownEnrollment(caller actor.Actor, inputs []EnrollMemberInput) ([]EnrollMemberInput, error) {
	own := slices.Clone(inputs)
	for i := range own {
		foreign := own[i].ExternalID != nil && *own[i].ExternalID != caller.ExternalID
		if foreign || own[i].JoinedAt != nil {
			return nil, problem.Forbidden
		}
		own[i].ExternalID = &caller.ExternalID
	}
	return own, nil
}

func (s *Service) enroll(ctx context.Context, tx *postgres.Tx, caller actor.Actor, inputs []EnrollMemberInput) (answers []Enrollment, missed int, err error) {
	book, err := s.share(ctx, tx)
	if err != nil {
		return nil, 0, err
	}
	candidates := make([]*candidate, len(inputs))
	for i, input := range inputs {
		candidates[i] = newCandidate(input, book, tx.Now)
	}
	if err := claimEnrollments(ctx, tx, caller, candidates); err != nil {
		return nil, 0, err
	}
	if missed, err = findReferrers(ctx, tx, book, candidates); err != nil {
		return nil, 0, err
	}
	if err := claimIdentifiers(ctx, tx, candidates); err != nil {
		return nil, 0, err
	}
	if err := releaseRefused(ctx, tx, caller, candidates); err != nil {
		return nil, 0, err
	}
	if err := giveKeys(ctx, tx, candidates, byNumber, newNumber, func(m *Member) *string { return &m.Number }); err != nil {
		return nil, 0, err
	}
	if err := giveKeys(ctx, tx, candidates, byReferral, newReferralCode, func(m *Member) *string { return &m.ReferralCode }); err != nil {
		return nil, 0, err
	}
	if err := insertEnrolled(ctx, tx, book, candidates); err != nil {
		return nil, 0, err
	}
	answers, err = answerEnrollments(ctx, tx, candidates)
	return answers, missed, err
}

// keys are the identifiers, besides its number, by which the member will be found.
func (m *Member) keys() []memberKey {
	var keys []memberKey
	if m.ExternalID != nil {
		keys = append(keys, memberKey{Kind: byExternalID, Value: *m.ExternalID, Member: m.ID})
	}
	if m.Email != nil {
		keys = append(keys, memberKey{Kind: byEmail, Value: emailKey(*m.Email), Member: m.ID})
	}
	if m.Phone != nil {
		keys = append(keys, memberKey{Kind: byPhone, Value: *m.Phone, Member: m.ID})
	}
	return keys
}

// taken is the problem of an identifier that another member has.
func (k memberKey) taken() problem.UserError {
	switch k.Kind {
	case byExternalID:
		return problem.At(problem.ExternalIDTaken, []string{"externalId"}, "Another member has this external id.")
	case byEmail:
		return problem.At(problem.EmailTaken, []string{"email"}, "Another member has this e-mail address.")
	case byPhone:
		return problem.At(problem.PhoneTaken, []string{"phone"}, "Another member has this phone number.")
	case byID, byNumber, byReferral:
		// Nobody asks for these: the program gives them.
	}
	return nil
}

func insertEnrolled(ctx context.Context, tx *postgres.Tx, book *rulebook, candidates []*candidate) error {
	var members []*Member
	var openings []ledger.Opening
	var moves []move
	base := book.ladder.Base()
	for _, one := range candidates {
		if !one.open() {
			continue
		}
		members = append(members, one.member)
		openings = append(openings, ledger.Opening{
			Member: one.member.ID, TierID: base.ID, TierSince: one.member.JoinedAt, LadderVersion: book.ladder.Version,
		})
		moves = append(moves, move{
			Member: one.member.ID, Sequence: 1, At: one.member.JoinedAt, RecordedAt: tx.Now, Reason: tiers.Enrolled,
			Record: tiers.Enroll(book.ladder, one.member.JoinedAt).Record(),
		})
	}
	if err := insertMembers(ctx, tx, members); err != nil {
		return fmt.Errorf("insert members: %w", err)
	}
	if err := ledger.OpenTx(ctx, tx, openings); err != nil {
		return fmt.Errorf("open accounts: %w", err)
	}
	if err := insertMoves(ctx, tx, moves); err != nil {
		return err
	}
	return tellReferred(ctx, tx, candidates)
}

func answerEnrollments(ctx context.Context, tx *postgres.Tx, candidates []*candidate) ([]Enrollment, error) {
	byID := make(map[id.Member]*candidate, len(candidates))
	var earlier []id.Member
	for _, one := range candidates {
		byID[one.member.ID] = one
		if one.replayed {
			earlier = append(earlier, one.first)
		}
	}
	enrolled := map[id.Member]*Member{}
	if len(earlier) > 0 {
		rows, err := selectMembers(ctx, tx, earlier)
		if err != nil {
			return nil, err
		}
		for i := range rows {
			enrolled[rows[i].ID] = &rows[i]
		}
	}
	answers := make([]Enrollment, len(candidates))
	for i, one := range candidates {
		answers[i] = Enrollment{Member: one.member, Replayed: &one.replayed, UserErrors: one.problems}
		if one.replayed {
			answers[i].Member = enrolled[one.first]
			// What is replayed may stand earlier in this very slice, and have been refused.
			if twin, ok := byID[one.first]; ok {
				answers[i].UserErrors = append(answers[i].UserErrors, twin.problems...)
			}
		}
		if len(answers[i].UserErrors) > 0 {
			answers[i].Member, answers[i].Replayed = nil, nil
		}
	}
	return answers, nil
}
