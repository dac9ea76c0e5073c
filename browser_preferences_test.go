package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/care"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/program"
)

// tab is an open page of a real browser, which is told what to do over a pair of pipes, by Chromium's own protocol.
type tab struct {
	t       *testing.T
	to      io.Writer
	from    *bufio.Reader
	session string
	sent    int
}

// openTab starts a browser that runs no scripts.
func openTab(t *testing.T) *tab {
	t.Helper()
	hears, to, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	from, says, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	browser := exec.CommandContext(t.Context(), findBrowser(t), append(browserFlags(t), "--remote-debugging-pipe")...)
	browser.ExtraFiles = []*os.File{hears, says}
	if err := browser.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = hears.Close(), says.Close()
	b := &tab{t: t, to: to, from: bufio.NewReader(from)}
	t.Cleanup(func() {
		// It ends when nobody tells it anything any more, which is no failure.
		_, _ = to.Close(), browser.Wait()
		_ = from.Close()
	})
	var target struct{ TargetID string }
	b.do("Target.createTarget", map[string]any{"url": "about:blank"}, &target)
	var attached struct{ SessionID string }
	b.do("Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true}, &attached)
	b.session = attached.SessionID
	b.do("Page.enable", nil, nil)
	b.do("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	return b
}

// browserMessage is what the browser says: an answer, or what has happened.
type browserMessage struct {
	ID     int
	Method string
	Result json.RawMessage
	Error  *struct{ Message string }
}

func (b *tab) read() browserMessage {
	b.t.Helper()
	line, err := b.from.ReadBytes(0)
	if err != nil {
		b.t.Fatalf("the browser says nothing any more: %v", err)
	}
	var message browserMessage
	if err := json.Unmarshal(line[:len(line)-1], &message); err != nil {
		b.t.Fatal(err)
	}
	return message
}

// send has the browser do something.
func (b *tab) send(method string, parameters any) {
	b.t.Helper()
	b.sent++
	command := map[string]any{"id": b.sent, "method": method}
	if parameters != nil {
		command["params"] = parameters
	}
	if b.session != "" {
		command["sessionId"] = b.session
	}
	encoded, err := json.Marshal(command)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.to.Write(append(encoded, 0)); err != nil {
		b.t.Fatal(err)
	}
}

// do has the browser do something, waits until it is done, and reads its answer.
func (b *tab) do(method string, parameters, answer any) {
	b.t.Helper()
	b.send(method, parameters)
	b.answer(method, answer)
}

func (b *tab) answer(method string, answer any) {
	b.t.Helper()
	for {
		message := b.read()
		if message.ID != b.sent {
			continue
		}
		if message.Error != nil {
			b.t.Fatalf("%s: %s", method, message.Error.Message)
		}
		if answer != nil {
			if err := json.Unmarshal(message.Result, answer); err != nil {
				b.t.Fatal(err)
			}
		}
		return
	}
}

// loads does what leads to another page, and returns that once it is there.
func (b *tab) loads(leading func()) string {
	b.t.Helper()
	leading()
	for b.read().Method != "Page.loadEventFired" {
	}
	var page struct{ OuterHTML string }
	b.do("DOM.getOuterHTML", map[string]any{"nodeId": b.find("html")}, &page)
	return page.OuterHTML
}

// find returns the browser's number of the element that is selected.
func (b *tab) find(selector string) int {
	b.t.Helper()
	var document struct{ Root struct{ NodeID int } }
	b.do("DOM.getDocument", nil, &document)
	var found struct{ NodeID int }
	b.do("DOM.querySelector", map[string]any{"nodeId": document.Root.NodeID, "selector": selector}, &found)
	if found.NodeID == 0 {
		b.t.Fatalf("the page has no %s", selector)
	}
	return found.NodeID
}

// click clicks the middle of the element that is selected, with a mouse.
func (b *tab) click(selector string) {
	b.t.Helper()
	node := b.find(selector)
	b.do("DOM.scrollIntoViewIfNeeded", map[string]any{"nodeId": node}, nil)
	var box struct{ Model struct{ Content []float64 } }
	b.do("DOM.getBoxModel", map[string]any{"nodeId": node}, &box)
	corners := box.Model.Content
	at := map[string]any{"x": (corners[0] + corners[4]) / 2, "y": (corners[1] + corners[5]) / 2, "button": "left", "clickCount": 1}
	at["type"] = "mousePressed"
	b.do("Input.dispatchMouseEvent", at, nil)
	at["type"] = "mouseReleased"
	// What it leads to may come before the answer to it.
	b.send("Input.dispatchMouseEvent", at)
}

var checkedForm = regexp.MustCompile(`name="allowed" value="([A-Z.]+)" checked`)

// checked is which boxes of a page are.
func checked(page string) string {
	var boxes []string
	for _, found := range checkedForm.FindAllStringSubmatch(page, -1) {
		boxes = append(boxes, found[1])
	}
	return strings.Join(boxes, " ")
}

// In a real browser that runs no scripts a member unchecks what it does not want to hear, saves that, and sees it; the button of a mail's
// link takes one click.
func TestPreferences_InBrowser(t *testing.T) {
	t.Parallel()
	b := boot(t, settings(t), time.Now)
	admin := b.token(t, actor.Admin, "admin")
	_, enrolled := post(t, b.URL(), admin, `{"query":"mutation { enrollMember(input: {externalId: \"ada\", idempotencyKey: \"1\"}) { member { id } } }"}`)
	member := regexp.MustCompile(`mem_\w+`).FindString(enrolled)
	for _, class := range []care.Class{program.Care, program.Marketing} {
		if _, answer := post(t, b.URL(), admin, fmt.Sprintf(`{"query":"mutation { setConsent(input: {member: {id: \"%s\"}, class: %s, channel: EMAIL, granted: true, source: \"app\"}) { userErrors { code } } }"}`,
			member, class)); !strings.Contains(answer, `"userErrors":[]`) {
			t.Fatal(answer)
		}
	}
	token := func(class care.Class) string {
		t.Helper()
		payload, err := json.Marshal(map[string]any{"m": id.ParseMember(member), "c": class, "h": program.Email})
		if err != nil {
			t.Fatal(err)
		}
		signed, err := identity.NewSigningKeys(b.database.DB).Sign(t.Context(), "preferences", payload)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}

	page := openTab(t)
	address := b.URL() + "/preferences/" + token(program.Marketing)
	shown := page.loads(func() { page.send("Page.navigate", map[string]any{"url": address}) })
	if got := checked(shown); got != "CARE.EMAIL MARKETING.EMAIL" {
		t.Fatalf("the page shows %q: %s", got, shown)
	}
	page.click(`input[name=allowed][value="MARKETING.EMAIL"]`)
	page.answer("click", nil)
	page.click(`input[name=allowed][value="COMMUNITY.WEBHOOK"]`)
	page.answer("click", nil)
	saved := page.loads(func() { page.click(`button[value=save]`) })
	if got := checked(saved); got != "CARE.EMAIL COMMUNITY.WEBHOOK" || !strings.Contains(saved, `<p role="status">Saved.</p>`) {
		t.Errorf("then it shows %q: %s", got, saved)
	}

	asked := page.loads(func() {
		page.send("Page.navigate", map[string]any{"url": b.URL() + "/unsubscribe/" + token(program.Care)})
	})
	if !strings.Contains(asked, "Do you want no more messages of this kind: greetings and thanks, by e-mail?") {
		t.Errorf("the page asks %s", asked)
	}
	done := page.loads(func() { page.click("button") })
	if !strings.Contains(done, "Done. You get no more messages of this kind: greetings and thanks, by e-mail.") {
		t.Errorf("then it says %s", done)
	}
	all := page.loads(func() { page.click("main a") })
	if got := checked(all); got != "COMMUNITY.WEBHOOK" {
		t.Errorf("the page about everything shows %q: %s", got, all)
	}
	none := page.loads(func() { page.click(`button[value=unsubscribe]`) })
	if got := checked(none); got != "" {
		t.Errorf("after unsubscribing from all it shows %q", got)
	}
}
