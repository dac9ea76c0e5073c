package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progressPause is how long nothing is said where nobody watches a bar.
const progressPause = 10 * time.Second

// progress shows people how far long work is: as a bar with its rate and the time left on a terminal, elsewhere as a line
// now and then.
type progress struct {
	to      io.Writer
	now     func() time.Time
	watched bool

	stage string
	bar   *progressbar.ProgressBar
	said  time.Time
}

func newProgress(running Program) *progress {
	file, ok := running.Messages.(*os.File)
	return &progress{
		to: running.Messages, now: running.Now, said: running.Now(),
		watched: ok && term.IsTerminal(int(file.Fd())), //nolint:gosec // a file descriptor fits
	}
}

// show tells how much of a stage is done; a total of 0 is not known. Stages follow one another.
func (p *progress) show(stage string, done, total int64) {
	if !p.watched {
		if now := p.now(); now.Sub(p.said) >= progressPause {
			p.said = now
			if total > 0 {
				_, _ = fmt.Fprintf(p.to, "%s: %d of %d\n", stage, done, total)
			} else {
				_, _ = fmt.Fprintf(p.to, "%s: %d\n", stage, done)
			}
		}
		return
	}
	if total == 0 {
		total = -1 // the bar turns instead of growing
	}
	if p.bar == nil || stage != p.stage {
		p.end()
		p.stage = stage
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(p.to), progressbar.OptionSetDescription(fmt.Sprintf("%-10s", stage)),
			progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetPredictTime(true),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionFullWidth(), progressbar.OptionUseANSICodes(true))
	}
	_ = p.bar.Set64(done)
}

// end leaves the bar as it is, so that something else can be written.
func (p *progress) end() {
	if p.bar != nil {
		_ = p.bar.Exit()
		_, _ = fmt.Fprintln(p.to)
		p.bar = nil
	}
}
