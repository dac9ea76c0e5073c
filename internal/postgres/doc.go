// Package postgres is the program's one way to its database: opening it,
// transactions that carry their own instant, statements prepared once, errors
// by constraint name, and the forward-only migrations in migrations/.
//
// There are no table names in its Go code. SQL lives in the packages that own
// the tables, in unexported functions that take a context and a [Runner].
package postgres
