// Package ledger is the only writer of points.
//
// Points come in lots that each keep their own expiry and remainder; entries say what happened to a member's balance and
// never change; draws say which lot a debit took its points from; debts are what a debit could not find in any lot.
// At every instant a member owns the sum of its entries, which is the sum of what
// remains of its lots and of what open holds set aside, less its debts.
//
// # Writing
//
// [Lock] opens a [Batch] over any number of members. It locks their accounts and posts what the clock made due; then
// the caller accrues, reverses and debits in memory, in the order in which the facts came; [Batch.Write] writes all of
// it in a few statements over many rows. One purchase and ten thousand take the same way.
//
// # The order of locks
//
// Every transaction of the program takes its locks in this order, so that none waits in a circle:
//
//  1. the program's lock (shared to use rules and tiers, exclusive to change them)
//  2. the caller's own rows (events in the order of their ids, then occurrences in that of theirs, then bookings; a referral, a
//     row of households), the lock of those who adjust points, and that of who says who referred whom
//  3. keys: idempotency keys, identifiers of members and keys of activities, each sorted
//  4. accounts, in the order of member ids: [Lock]
//  5. what hangs on an account: lots, debts, redemptions
//  6. what many members share: the stock of a reward, then the codes of vouchers
//  7. what limits and budgets of the whole program have counted, by rule, period and start: nothing is locked after them
//
// # Instants
//
// A batch's [Batch.Next] gives each fact its recordedAt: the transaction's instant, or one microsecond past the member's
// last one if that is later. So recordedAt never goes backwards for a member, whatever clocks do.
package ledger
