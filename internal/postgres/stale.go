package postgres

import (
	"errors"
	"net"
	"syscall"
)

// stale tells whether an idle connection's server has closed it or has
// something to say, which an idle PostgreSQL session only has when it ends. It
// looks without reading and without waiting.
func stale(socket net.Conn) bool {
	system, ok := socket.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := system.SyscallConn()
	if err != nil {
		return true
	}
	var peeked error
	err = raw.Read(func(descriptor uintptr) bool {
		var one [1]byte
		_, _, peeked = syscall.Recvfrom(int(descriptor), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		return true
	})
	return err != nil || !errors.Is(peeked, syscall.EAGAIN)
}
