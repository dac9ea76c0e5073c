package loyalty

import (
	"context"

	"regulars/internal/postgres"
)

// insertFacts writes facts with their lines and evaluations, and tells their keys where they are.
func insertFacts(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	if err := insertActivities(ctx, tx, facts); err != nil {
		return err
	}
	if err := placeActivityKeys(ctx, tx, facts); err != nil {
		return err
	}
	var sold []placedLine[purchaseLine]
	var came []placedLine[returnLine]
	var evaluated []*fact
	for _, one := range facts {
		for _, line := range one.lines {
			sold = append(sold, placedLine[purchaseLine]{one.recorded.Activity, line})
		}
		if one.returning != nil {
			for _, line := range one.returning.came {
				came = append(came, placedLine[returnLine]{one.recorded.Activity, line})
			}
		}
		if one.recorded.Evaluation != nil {
			evaluated = append(evaluated, one)
		}
	}
	if err := insertPurchaseLines(ctx, tx, sold); err != nil {
		return err
	}
	if err := insertReturnLines(ctx, tx, came); err != nil {
		return err
	}
	return insertEvaluations(ctx, tx, evaluated)
}
