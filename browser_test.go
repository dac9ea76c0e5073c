package main

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// browsers are the names under which a Chromium may be found.
var browsers = []string{"chromium", "chromium-browser", "google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"}

// findBrowser returns the path of a Chromium.
func findBrowser(t *testing.T) string {
	t.Helper()
	for _, name := range browsers {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatal("no Chromium was found: install it (Debian, Ubuntu: apt-get install chromium)")
	return ""
}

// browserFlags start a Chromium that nobody sees, with a profile of its own.
func browserFlags(t *testing.T) []string {
	t.Helper()
	return []string{
		"--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--user-data-dir=" + t.TempDir(),
	}
}

// The page at / becomes GraphiQL in a real browser, which loads the schema under the page's own security policy.
func TestGraphiQL_InBrowser(t *testing.T) {
	t.Parallel()
	b := boot(t, settings(t), time.Now)
	if _, page := get(t, b.URL()); !strings.Contains(page, "graphiql.min.js") {
		t.Fatal("the program was built without GraphiQL: run make graphiql, which needs npm")
	}
	// The budget is of the page's own time, which stands still while it waits for the network.
	opened := exec.CommandContext(t.Context(), findBrowser(t), append(browserFlags(t),
		"--virtual-time-budget=10000", "--enable-logging=stderr", "--dump-dom", b.URL())...)
	var page, messages bytes.Buffer
	opened.Stdout, opened.Stderr = &page, &messages
	if err := opened.Run(); err != nil {
		t.Fatalf("%v\n%s", err, messages.String())
	}
	for _, want := range []string{`class="graphiql-container`, `class="graphiql-query-editor`, `aria-label="Execute query`} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	for _, fault := range []string{"Content Security Policy", "Uncaught"} {
		if strings.Contains(messages.String(), fault) {
			t.Errorf("the browser complains:\n%s", messages.String())
		}
	}
	if !strings.Contains(b.log.String(), "msg=graphql") {
		t.Error("the page did not ask for the schema")
	}
}
