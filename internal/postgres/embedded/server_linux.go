package embedded

import (
	"os/exec"
	"syscall"
)

// dieWithParent has the kernel stop the server in an orderly way when the
// thread that starts it ends, so that a killed keeper leaves no server behind.
func dieWithParent(command *exec.Cmd) {
	command.SysProcAttr.Pdeathsig = syscall.SIGINT
}
