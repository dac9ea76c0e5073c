// Package jobs does what nobody asks for: work by the clock, each due time once over all servers of a database.
//
// # The timetable
//
// timetable.go lists the jobs. A cron spec, in the program's zone, says when each is due; the clock is the database's, which
// is handed in. [Runner.Serve] looks every second. What was missed while no server ran is made up for once: only the last due
// time is taken up. A run that was interrupted is begun again as soon as a server notices, one that failed after ten minutes,
// in all three times for a due time, until the next one comes. What was asked for by somebody is not begun again by itself.
//
// # One runner
//
// Whoever runs a job holds an advisory lock of its name, on a connection of its own, from before the run's record is written
// until after it is closed. So a record that says RUNNING while nobody has the lock was left behind: whoever takes the lock
// next, every server tries, writes INTERRUPTED on it.
//
// A connection can break, and the lock be free, while its holder works on. It asks the connection every second and before
// each batch, but the network may be slow to tell. So the run's record is a fence as well: each batch updates it first, in its
// own transaction, and only while it says RUNNING. Who writes INTERRUPTED waits for a batch under way; the next one finds it
// and goes no further. A job writes through [Work.DB] alone, whose transactions do that by themselves. There is one exception:
// send-messages notes what it has sent without the fence, or a message that has left the house would be sent again.
//
// # What a job is
//
// A function that goes on from what it finds: it works in short transactions, may be killed between any two, and repeated.
package jobs
