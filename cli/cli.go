// Package cli holds the program's commands: one thin file each, on top of settings that all of them share.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"regulars/internal/program"
)

// Exit codes of the program.
const (
	succeeded = 0
	failed    = 1
	misused   = 2
)

// Program is what the commands need of the program around them.
type Program struct {
	// Serve runs the server until ctx ends, and drains it then.
	Serve func(ctx context.Context, settings Settings, seed program.Seed) error
	// Listen runs the server on a free port of this machine, by the clock now and with its log in log, until stop.
	Listen func(ctx context.Context, settings Settings, now func() time.Time, log io.Writer) (url string, stop func() error, err error)
	Now    func() time.Time
	// Output is for what a command was asked for, Messages for everything else.
	Output   io.Writer
	Messages io.Writer
}

type commands struct {
	Settings

	Serve   serveCommand      `cmd:"" default:"withargs" help:"Serve the API (what the program does without a command)."`
	Migrate migrateCommand    `cmd:"" help:"Bring the database up to this version of the program."`
	Import  importCommand     `cmd:"" help:"Import purchases, returns and members from CSV files."`
	Demo    demoCommand       `cmd:"" help:"Fill an empty database with a demo club."`
	Job     jobCommand        `cmd:"" help:"List the jobs that run by the clock, or run one now."`
	Check   checkCommand      `cmd:"" help:"Prove the books: rebuild them from the facts and list every difference."`
	Bench   benchCommand      `cmd:"" help:"Measure the program beside pgbench, on a database of its own."`
	Client  clientCommand     `cmd:"" help:"Manage machine clients: tills, web shops, partners."`
	Key     signingKeyCommand `cmd:"" name:"signing-key" help:"Manage the keys that sign tickets and links."`
	Token   tokenCommand      `cmd:"" help:"Print a token of the development issuer."`
}

// exit unwinds from within kong when it has printed what it was asked for.
type exit int

// Run carries out the command that arguments name and returns the exit code: 0 if it succeeded, 1 if it failed, 2 if an
// argument or a setting of the environment is wrong.
func Run(ctx context.Context, arguments []string, running Program) (code int) {
	defer func() {
		if fault := recover(); fault != nil {
			asked, ok := fault.(exit)
			if !ok {
				panic(fault)
			}
			code = int(asked)
		}
	}()
	var all commands
	parser, err := kong.New(&all,
		kong.Name("regulars"),
		kong.Description("A loyalty service of your own: points, tiers and the books that prove them, over GraphQL."),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 120}),
		kong.Writers(running.Output, running.Messages),
		kong.Exit(func(code int) { panic(exit(code)) }),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(running),
	)
	if err != nil {
		return fail(running, misused, err)
	}
	chosen, err := parser.Parse(arguments)
	if err == nil {
		err = refuseUnknown(parser.Model.Node, os.Environ())
	}
	if err != nil {
		return fail(running, misused, err)
	}
	err = chosen.Run(all.Settings)
	if setting := (program.SettingError{}); errors.As(err, &setting) {
		return fail(running, misused, err)
	}
	if err != nil {
		return fail(running, failed, err)
	}
	return succeeded
}

func fail(running Program, code int, err error) int {
	_, _ = fmt.Fprintln(running.Messages, "regulars:", err)
	return code
}

// refuseUnknown returns an error for a variable that is meant for this program and that no flag below root reads: most
// likely it is misspelled, and what it should set would silently keep its default.
func refuseUnknown(root *kong.Node, environment []string) error {
	known := variables(root)
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		if strings.HasPrefix(name, "REGULARS_") && !slices.Contains(known, name) {
			return fmt.Errorf("%s is no setting of this program; it knows %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// variables returns the environment variables that the flags of node and of the commands below it read, sorted.
func variables(node *kong.Node) []string {
	var names []string
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, variables(child)...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}
