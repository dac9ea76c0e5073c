package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// rulebook is what facts are judged by: the program's settings, its ladder and its published rules, at one revision.
type rulebook struct {
	program.Program
	zone *time.Location
	// ladder is the newest of ladders, which are all versions, oldest first.
	ladder  tiers.Ladder
	ladders []tiers.Ladder
	policy  tiers.Policy
	rules   *rules.Set
}

// rulebook returns the current one, and compiles it anew only when the revision has moved on. In a transaction that
// posts, program.Share comes first.
func (s *Service) rulebook(ctx context.Context, q postgres.Runner) (*rulebook, error) {
	settings, err := program.Load(ctx, q)
	if err != nil {
		return nil, err
	}
	if known := s.compiled.Load(); known != nil && known.Program.Revision == settings.Revision {
		return known, nil
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	ladders, err := selectLadders(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load the ladder: %w", err)
	}
	versions, err := selectPublished(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("load rules: %w", err)
	}
	set, err := rules.NewSet(versions, zone)
	if err != nil {
		return nil, fmt.Errorf("compile rules: %w", err)
	}
	made := &rulebook{
		Program: settings, zone: zone, ladder: ladders[len(ladders)-1], ladders: ladders, policy: tiers.DefaultPolicy(zone), rules: set,
	}
	s.compiled.Store(made)
	return made, nil
}
