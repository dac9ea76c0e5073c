package loyalty

import (
	"regulars/internal/page"
	"regulars/loyalty/ledger"
)

// The lists of the API.
type (
	// MemberConnection is a page of members.
	MemberConnection = page.Connection[*Member]
	// MemberEdge is a member in a page.
	MemberEdge = page.Edge[*Member]
	// PointsEntryConnection is a page of a points history.
	PointsEntryConnection = page.Connection[*ledger.Entry]
	// PointsEntryEdge is an entry in a page.
	PointsEntryEdge = page.Edge[*ledger.Entry]
	// HoldConnection is a page of a member's holds.
	HoldConnection = page.Connection[*ledger.Hold]
	// HoldEdge is a hold in a page.
	HoldEdge = page.Edge[*ledger.Hold]
	// AdjustmentConnection is a page of adjustments.
	AdjustmentConnection = page.Connection[*ledger.Adjustment]
	// AdjustmentEdge is an adjustment in a page.
	AdjustmentEdge = page.Edge[*ledger.Adjustment]
	// WaitingReturnConnection is a page of returns that wait for their purchases.
	WaitingReturnConnection = page.Connection[*WaitingReturn]
	// WaitingReturnEdge is a return that waits, in a page.
	WaitingReturnEdge = page.Edge[*WaitingReturn]
	// EarningRuleConnection is a page of rules.
	EarningRuleConnection = page.Connection[*EarningRule]
	// EarningRuleEdge is a rule in a page.
	EarningRuleEdge = page.Edge[*EarningRule]
)
