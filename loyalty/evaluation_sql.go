package loyalty

import (
	"context"
	"encoding/json"
	"fmt"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/rules"
)

func insertEvaluations(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	outcomes := make(map[*fact]string, len(facts))
	for _, one := range facts {
		encoded, err := json.Marshal(one.recorded.Evaluation.Outcomes)
		if err != nil {
			return fmt.Errorf("encode an evaluation: %w", err)
		}
		outcomes[one] = string(encoded)
	}
	return postgres.ExecRows(ctx, tx, facts, `
		insert into evaluations (member_id, sequence, points, qualifying, outcomes)
		select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[])`,
		func(f *fact) any { return f.recorded.Activity.Member },
		func(f *fact) any { return f.recorded.Activity.Sequence },
		func(f *fact) any { return f.recorded.Evaluation.Points },
		func(f *fact) any { return f.recorded.Evaluation.Qualifying },
		func(f *fact) any { return outcomes[f] },
	)
}

func selectEvaluations(ctx context.Context, q postgres.Runner, wanted []id.Activity) (map[id.Activity]*rules.Evaluation, error) {
	members, sequences, err := pairs(wanted)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Member     id.Member `db:"member_id"`
		Sequence   int64     `db:"sequence"`
		Points     int64     `db:"points"`
		Qualifying int64     `db:"qualifying"`
		Outcomes   []byte    `db:"outcomes"`
	}
	if err := q.Select(ctx, &rows, `
		select member_id, sequence, points, qualifying, outcomes
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join evaluations using (member_id, sequence)`, members, sequences); err != nil {
		return nil, err
	}
	evaluations := make(map[id.Activity]*rules.Evaluation, len(rows))
	for _, row := range rows {
		evaluation := &rules.Evaluation{Points: row.Points, Qualifying: row.Qualifying}
		if err := json.Unmarshal(row.Outcomes, &evaluation.Outcomes); err != nil {
			return nil, fmt.Errorf("decode an evaluation: %w", err)
		}
		evaluations[id.Activity{Member: row.Member, Sequence: row.Sequence}] = evaluation
	}
	return evaluations, nil
}
