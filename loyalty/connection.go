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
	// AdjustmentConnection is a page of adjustments.
	AdjustmentConnection = page.Connection[*ledger.Adjustment]
	// AdjustmentEdge is an adjustment in a page.
	AdjustmentEdge = page.Edge[*ledger.Adjustment]
	// EarningRuleConnection is a page of rules.
	EarningRuleConnection = page.Connection[*EarningRule]
	// EarningRuleEdge is a rule in a page.
	EarningRuleEdge = page.Edge[*EarningRule]
)
