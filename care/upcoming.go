package care

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// OccasionPreview is what would be said to a member.
type OccasionPreview struct {
	Member   id.Member
	Occasion Occasion
	// Date is the occasion's day where the member lives.
	Date value.Date
	// Would is what would become of the message: of several channels, of the first on which it would be sent.
	Would Status
	// Reason is why it would not be sent, or later; nil: nothing is in the way.
	Reason *string
}

type (
	// OccasionPreviewConnection is a page of previews.
	OccasionPreviewConnection = page.Connection[*OccasionPreview]
	// OccasionPreviewEdge is a preview in a page.
	OccasionPreviewEdge = page.Edge[*OccasionPreview]
)

const (
	upcomingPages = "upcoming"
	// countedAtOnce is how many occasions one statement reads where they are only counted.
	countedAtOnce = 5000
)

// UpcomingOccasions lists to whom the campaigns that are on would say something on a day, by the members' own calendars: the
// most important occasions first. It tells what is known now: of what happens until then it knows nothing. What has been said
// stands there as if it had not. For support and admins.
func (s *Service) UpcomingOccasions(ctx context.Context, day value.Date, first *int, after *string) (*OccasionPreviewConnection, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(upcomingPages, first, after)
	if err != nil {
		return nil, err
	}
	from, err := parseUpcoming(arguments.After)
	if err != nil {
		return nil, err
	}
	var list []*OccasionPreview
	keys := map[*OccasionPreview]string{}
	err = s.preview(ctx, day, from, func(one *OccasionPreview, at upcomingKey) bool {
		list = append(list, one)
		keys[one] = at.String()
		return len(list) <= arguments.Size
	})
	if err != nil {
		return nil, err
	}
	return page.New(upcomingPages, arguments, list, func(one *OccasionPreview) string { return keys[one] }, func(ctx context.Context) (int, error) {
		return s.CountOccasions(ctx, day)
	}), nil
}

// CountOccasions tells how many UpcomingOccasions lists of a day, of the kinds that are named, none: of all. For support and
// admins.
func (s *Service) CountOccasions(ctx context.Context, day value.Date, kinds ...Occasion) (int, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return 0, err
	}
	count := 0
	err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		round, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		counted := slices.DeleteFunc(slices.Clone(round.campaigns), func(one *Campaign) bool {
			return len(kinds) > 0 && !slices.Contains(kinds, one.Occasion)
		})
		return s.each(ctx, round, counted, day, place{}, countedAtOnce, func(list []*found) (bool, error) {
			count += len(list)
			return true, nil
		})
	})
	return count, err
}

// each shows what campaigns say on a day, decided or not, in pages: of the first one behind a place. It stops when show wants no
// more.
func (s *Service) each(ctx context.Context, round *round, campaigns []*Campaign, day value.Date, after place, limit int,
	show func([]*found) (bool, error),
) error {
	for _, campaign := range campaigns {
		wanted := search{campaign: campaign, day: day, all: true, after: after, limit: limit}
		after = place{}
		for more := true; more; {
			page, err := s.find(ctx, round.tx, round.settings, wanted)
			if err != nil {
				return err
			}
			list, err := s.confirm(ctx, round.tx, page.list)
			if err != nil {
				return err
			}
			if goOn, err := show(list); err != nil || !goOn {
				return err
			}
			wanted.after, more = page.next, page.more
		}
	}
	return nil
}

// upcomingKey is the place of a preview in the list.
type upcomingKey struct {
	campaign id.Campaign
	place
}

func (k upcomingKey) String() string {
	at := "0"
	if !k.At.IsZero() {
		at = strconv.FormatInt(k.At.UnixMicro(), 10)
	}
	return strings.Join([]string{k.campaign.String(), at, k.Member.String(), k.Subject}, "|")
}

func parseUpcoming(text string) (upcomingKey, error) {
	if text == "" {
		return upcomingKey{}, nil
	}
	parts := strings.SplitN(text, "|", 4)
	if len(parts) != 4 {
		return upcomingKey{}, problem.BadUserInput("after is not a cursor of this list")
	}
	micros, err := strconv.ParseInt(parts[1], 10, 64)
	read := upcomingKey{campaign: id.ParseCampaign(parts[0]), place: place{Member: id.ParseMember(parts[2]), Subject: parts[3]}}
	if micros != 0 {
		read.At = time.UnixMicro(micros).UTC()
	}
	if err != nil || read.campaign == (id.Campaign{}) || read.Member == (id.Member{}) || strings.ContainsRune(read.Subject, 0) {
		return upcomingKey{}, problem.BadUserInput("after is not a cursor of this list")
	}
	return read, nil
}

// preview shows what would be said on a day, behind a place, until it is not wanted any more.
func (s *Service) preview(ctx context.Context, day value.Date, from upcomingKey, show func(*OccasionPreview, upcomingKey) bool) error {
	return s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		round, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		campaigns := round.campaigns
		if from.campaign != (id.Campaign{}) {
			at := slices.IndexFunc(campaigns, func(one *Campaign) bool { return one.ID == from.campaign })
			if at < 0 {
				return nil
			}
			campaigns = campaigns[at:]
		}
		return s.each(ctx, round, campaigns, day, from.place, decidedAtOnce, func(list []*found) (bool, error) {
			previews, err := round.foresee(ctx, list)
			for i, one := range previews {
				if !show(one, upcomingKey{list[i].campaign.ID, list[i].place()}) {
					return false, nil
				}
			}
			return true, err
		})
	})
}

// foresee judges each of the occasions as of when it comes.
func (r *round) foresee(ctx context.Context, list []*found) ([]*OccasionPreview, error) {
	if len(list) == 0 {
		return nil, nil
	}
	_, listeners, err := r.meet(ctx, members(list))
	if err != nil {
		return nil, err
	}
	previews := make([]*OccasionPreview, len(list))
	for i, one := range list {
		who := *listeners[one.Member]
		who.contacts = slices.DeleteFunc(slices.Clone(who.contacts), func(had contact) bool { return had.key == one.key })
		made := &OccasionPreview{Member: one.Member, Occasion: one.campaign.Occasion, Date: one.date}
		for number, channel := range one.campaign.Channels {
			would := judge(r.settings.Care, &who, one, channel, one.window.From)
			if number > 0 && (made.Would != Suppressed || would.status == Suppressed) {
				continue
			}
			made.Would = would.status
			if made.Reason = nil; would.reason != nil {
				reason := string(*would.reason)
				made.Reason = &reason
			}
		}
		previews[i] = made
	}
	return previews, nil
}
