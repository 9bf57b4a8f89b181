// Command dist makes what a release of Hallpass consists of: archives, packages for Debian
// and for RPM, a container image, lists of what is in each binary, and checksums. It
// needs Go, git and the module proxy. Two runs on one commit make the same bytes: every
// time is the commit's, every order is fixed, and nothing of the machine is taken in.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "dist: %s\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	var o Options
	f := flag.NewFlagSet("dist", flag.ContinueOnError)
	f.StringVar(&o.Root, "root", ".", "the clone of the repository")
	f.StringVar(&o.Out, "out", "dist", "the folder to write, below the clone unless absolute; it is replaced")
	f.StringVar(&o.Build, "build", "", "the command that compiles, without -o and the package")
	f.BoolVar(&o.Release, "release", false, "refuse a commit without a tag, and changed files")
	platforms := f.String("platforms", "", "make these only, as linux/amd64,darwin/arm64; default: all")
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case f.NArg() > 0:
		return fmt.Errorf("there are no arguments beside the flags: %q", f.Args())
	}
	var err error
	if o.Targets, err = targets(*platforms); err != nil {
		return err
	}
	made, err := Make(ctx, o)
	if err != nil {
		return err
	}
	fmt.Printf("hallpass %s: %d files in %s\n", made.Version, len(made.Files), made.Out)
	return nil
}

// A Target is a platform that a release is made for.
type Target struct {
	OS, Arch string
	Client   bool // the commands that work with a server, without the server
}

// String returns the name of the platform as file names have it, such as "linux_amd64".
func (t Target) String() string { return t.OS + "_" + t.Arch }

// all lists every target of a release. The server is for Linux: it was tested nowhere else.
var all = []Target{
	{"linux", "amd64", false}, {"linux", "arm64", false},
	{"darwin", "amd64", true}, {"darwin", "arm64", true},
	{"windows", "amd64", true}, {"windows", "arm64", true},
}

// targets returns those that the list names, in the order of all; all for an empty list.
func targets(list string) ([]Target, error) {
	if list == "" {
		return all, nil
	}
	wanted := make(map[string]bool)
	for name := range strings.SplitSeq(list, ",") {
		wanted[name] = true
	}
	var found []Target
	for _, t := range all {
		if name := t.OS + "/" + t.Arch; wanted[name] {
			found = append(found, t)
			delete(wanted, name)
		}
	}
	for name := range wanted {
		return nil, fmt.Errorf("-platforms: %q is none of those that a release has", name)
	}
	return found, nil
}
