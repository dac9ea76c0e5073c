// Package outbox tells others what happened: notices, written in the transaction of their cause and read afterwards, in
// order and at least once, by consumers that each keep their own place. docs/outbox.md is the contract for consumers.
//
// # Order
//
// A member's notices are read in the order in which they were put. [PutTx] is called while the member's account is locked,
// and ids are given out by a sequence, so the ids of a member's notices rise in the order in which its transactions held
// the lock. Reading goes by id. Between members there is no order to keep, so nothing is locked for it: transactions of
// different members put notices, and commit, beside one another.
//
// # The fence
//
// Ids are given out before transactions end, and these end in any order: a lower id can appear after a higher one was
// read. So nobody reads past a fence, an id up to which nothing can appear any more. [Consume] sets it in two steps. It
// asks for the last id that was given out, and then, in a statement after that, for the number of its own transaction.
// Whoever had been given one of those ids had the number of its transaction before, a lower one. So once every transaction
// with a lower number has ended, all ids up to the fence are settled: they are there to be read or never will be. Fences
// only ever stand at ids, and a consumer reads everything up to one before it sets the next, so it misses nothing and reads
// nothing twice.
//
// A transaction of this database that is open, and has written, delays what is put after it began, whatever it does. It
// changes no order. Those of other databases of the cluster delay nothing.
//
// # Why not by transaction
//
// Reading by the number of the transaction, as far as no older one is open, misses nothing either, but is not right for a
// member. Transactions have their number from their first write, which is before they hold the account: say 10, 11 and 12,
// of which 10 and 12 are about a member and 12 gets the account first. It commits, then 10 does. While 11 is open, 10 may
// be read and 12 may not, although it told of what was before; and when 11 has ended, 10 still sorts before 12.
//
// Numbers of transactions also begin anew where a database is restored from a dump. Here only a fence holds one, and a
// fence from another cluster is set again; places are ids, which a dump carries on.
package outbox
