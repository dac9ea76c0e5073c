package embedded

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// keeperVariable is the environment variable that makes a process a keeper. Its
// value is an order as JSON.
const keeperVariable = "REGULARS_POSTGRES_KEEPER"

// order is what a keeper is told.
type order struct {
	Folder   home
	Options  Options
	Binaries binaries
}

// startKeeper starts a keeper for the folder and returns when its server answers
// or another process has become the keeper.
func startKeeper(ctx context.Context, folder home, options Options) error {
	major := ""
	if !options.Throwaway {
		var err error
		if major, err = folder.major(); err != nil {
			return err
		}
	}
	// Not left to the keeper: who waits for a download is told, and may give up.
	found, err := findBinaries(ctx, major)
	if err != nil {
		return err
	}
	text, err := json.Marshal(order{Folder: folder, Options: options, Binaries: found})
	if err != nil {
		return err
	}
	executable, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(folder.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	report, reporter, err := os.Pipe()
	if err != nil {
		return err
	}
	defer report.Close()

	command := exec.Command(executable)
	command.Dir = string(folder)
	command.Env = append(os.Environ(), keeperVariable+"="+string(text))
	command.Stdout, command.Stderr = log, log
	command.ExtraFiles = []*os.File{reporter}
	// A session of its own keeps the terminal's signals away.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = command.Start()
	reporter.Close()
	if err != nil {
		return err
	}
	// It is waited for only so that it leaves no zombie.
	go func() { _ = command.Wait() }()

	// Closing the pipe is what ends the wait for it.
	stop := context.AfterFunc(ctx, func() { report.Close() })
	defer stop()
	answer, err := io.ReadAll(report)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	case string(answer) == keeperReady, string(answer) == keeperNotNeeded:
		return nil
	case len(answer) == 0:
		return fmt.Errorf("the keeper ended without a word (see %s)", folder.log())
	}
	return fmt.Errorf("%s (more in %s)", answer, folder.log())
}

// What a keeper reports to the one who started it. Anything else is a failure.
const (
	keeperReady     = "ready"
	keeperNotNeeded = "not needed"
)
