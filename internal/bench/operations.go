package bench

import (
	"context"
	"encoding/json"
	"fmt"
)

const (
	purchaseDocument = `mutation($input: RecordPurchaseInput!) { recordPurchase(input: $input) { activity { id } entries { points title } ` +
		`member { points { available } } replayed userErrors { code message } } }`
	statusDocument = `query($member: MemberRef!) { member(by: $member) { points { available pending held expiring { points at } } ` +
		`standing { tier { name } qualifyingPoints next { tier { name } missing } } } }`
	holdDocument = `mutation($input: HoldPointsInput!) { holdPoints(input: $input) { hold { id expiresAt } ` +
		`member { points { available } } userErrors { code message } } }`
	captureDocument = `mutation($input: CaptureHoldInput!) { captureHold(input: $input) { hold { status } entry { points } ` +
		`member { points { available } } userErrors { code message } } }`
	redeemDocument = `mutation($input: RedeemRewardInput!) { redeemReward(input: $input) { redemption { voucherCode } ` +
		`member { points { available } } userErrors { code message } } }`
	historyDocument = `query($member: MemberRef!, $after: String) { member(by: $member) { pointsHistory(first: 20, after: $after) { ` +
		`nodes { title points balanceAfter occurredAt } pageInfo { hasNextPage } } } }`
)

// usual is how many clients call at once where it is not said.
const usual = 16

// measurements are all that can be made, in the order of Names.
func (w *world) measurements() []*measurement {
	status := func(externalID func(*caller) string) func(context.Context, *caller) error {
		return func(ctx context.Context, c *caller) error {
			_, err := c.ask(ctx, statusDocument, map[string]any{"member": by(externalID(c))})
			return err
		}
	}
	history := func(after *string) func(context.Context, *caller) error {
		return func(ctx context.Context, c *caller) error {
			_, err := c.ask(ctx, historyDocument, map[string]any{"member": by(historian), "after": after})
			return err
		}
	}
	return []*measurement{
		w.rules(),
		w.operation("purchase", "a purchase", 1, purchase, "purchase"),
		w.operation("purchase", "a purchase", usual, purchase, "purchase"),
		w.operation("purchase", "a purchase", maximumClients, purchase, "purchase"),
		w.operation("status", "a member's status", usual, status((*caller).member), "status"),
		w.operation("hold", "a hold and its capture", usual, hold, "hold"),
		w.operation("redeem", "a reward redeemed", usual, redeem, "redeem"),
		w.operation("history", "page 1 of a long history", usual, history(nil), "history"),
		w.operation("history", fmt.Sprintf("page %d of it", w.page), usual, history(w.after), "history-deep"),
		w.operation("lots", fmt.Sprintf("status with %d lots", min(openLots, w.Members)), usual,
			status(func(*caller) string { return collector }), "lots"),
		w.events(),
		w.booking(),
		w.door(1),
		w.door(4),
		w.backtest(),
		w.tiers(),
		w.expiry(),
		w.occasions(),
		w.messages(),
	}
}

func by(externalID string) map[string]any { return map[string]any{"externalId": externalID} }

// purchase records a purchase of two lines.
func purchase(ctx context.Context, c *caller) error {
	amount := func(text string) map[string]any { return map[string]any{"amount": text, "currency": currency} }
	_, err := c.ask(ctx, purchaseDocument, map[string]any{"input": map[string]any{
		"member": by(c.member()), "source": "bench", "externalId": c.unique(), "occurredAt": c.Clock.Now(), "total": amount("13.30"),
		"lines": []map[string]any{
			{"sku": "FLAT-WHITE", "quantity": "1", "amount": amount("3.80"), "category": "Drinks"},
			{"sku": "HOUSE-250", "quantity": "1", "amount": amount("9.50"), "category": "Beans", "brand": "House Roast"},
		},
	}})
	return err
}

// hold sets points aside and captures them.
func hold(ctx context.Context, c *caller) error {
	answer, err := c.ask(ctx, holdDocument, map[string]any{"input": map[string]any{
		"member": by(c.member()), "points": 10, "reason": "Till 1", "idempotencyKey": c.unique(),
	}})
	if err != nil {
		return err
	}
	var placed struct {
		Data struct {
			HoldPoints struct{ Hold struct{ ID string } }
		}
	}
	if err := json.Unmarshal(answer, &placed); err != nil {
		return err
	}
	_, err = c.ask(ctx, captureDocument, map[string]any{"input": map[string]any{
		"holdId": placed.Data.HoldPoints.Hold.ID, "idempotencyKey": c.unique(),
	}})
	return err
}

// redeem redeems the reward, which comes with a voucher.
func redeem(ctx context.Context, c *caller) error {
	_, err := c.ask(ctx, redeemDocument, map[string]any{"input": map[string]any{
		"member": by(c.member()), "rewardId": c.reward, "idempotencyKey": c.unique(),
	}})
	return err
}
