package care

import (
	"context"
	"time"

	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// TextGuide is what helps with writing texts for a kind of occasion.
type TextGuide struct {
	// Texts are those that come with the program, to start from.
	Texts []template.Text
	// Fields are what texts may show of a member and an occasion.
	Fields []template.Field
}

// TextGuide returns what helps with writing texts for a kind of occasion. For marketers, support and admins.
func (s *Service) TextGuide(ctx context.Context, kind Occasion) (*TextGuide, error) {
	if _, err := actor.Require(ctx, campaignReaders...); err != nil {
		return nil, err
	}
	return &TextGuide{Texts: template.Defaults(kind), Fields: template.FieldsOf(kind)}, nil
}

// PreviewTextInput is a text that may become one of a campaign.
type PreviewTextInput struct {
	Occasion Occasion
	Text     template.Text
	// MemberID is whose name it shows, nil: that of a sample.
	MemberID *id.Member
}

// PreviewText fills a text as a member would read it, on an occasion that is a sample; nothing is sent. For marketers, who see no
// members, support and admins.
//
// Problems: INVALID_TEMPLATE, UNKNOWN_MEMBER.
func (s *Service) PreviewText(ctx context.Context, input PreviewTextInput) (*template.Filled, error) {
	if _, err := actor.Require(ctx, campaignReaders...); err != nil {
		return nil, err
	}
	compiled, err := template.Compile(input.Text, input.Occasion)
	if err != nil {
		found, _ := problem.UserErrors(err)
		return nil, problem.Problems(problem.Below([]string{"template"}, found))
	}
	program, err := s.loyalty.Program(ctx)
	if err != nil {
		return nil, err
	}
	values := template.Sample(input.Occasion)
	values.Program.Name = program.Name
	if input.Occasion == occasion.Holiday {
		for _, day := range occasion.HolidaysOn("GB", value.Date{Year: 2027, Month: time.January, Day: 1}) {
			values.Occasion.Holiday = day.Title(input.Text.Locale)
		}
	}
	if input.MemberID != nil {
		members, err := s.loyalty.Members(ctx, []id.Member{*input.MemberID})
		if err != nil {
			return nil, err
		}
		member, visible := members[*input.MemberID]
		if !visible {
			return nil, problem.At(problem.UnknownMember, []string{"memberId"}, "There is no such member.")
		}
		values.Member = template.Member{Number: member.Number}
		if member.DisplayName != nil {
			values.Member.DisplayName = *member.DisplayName
		}
	}
	filled, err := compiled.Fill(values)
	if err != nil {
		return nil, problem.At(problem.InvalidTemplate, []string{"template"}, "The filled text would be longer than 256 kB.")
	}
	return &filled, nil
}
