package web

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func get(front frontPage, path string) *httptest.ResponseRecorder {
	routes := http.NewServeMux()
	front.register(routes)
	answer := httptest.NewRecorder()
	routes.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer
}

var reference = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

// checkAssets loads what the page refers to and returns how much that is.
func checkAssets(t *testing.T, front frontPage, page string) int {
	t.Helper()
	references := reference.FindAllStringSubmatch(page, -1)
	for _, one := range references {
		answer := get(front, one[1])
		if answer.Code != http.StatusOK || answer.Body.Len() == 0 {
			t.Errorf("%s answers %d with %d bytes", one[1], answer.Code, answer.Body.Len())
		}
		if caching := answer.Header().Get("Cache-Control"); !strings.Contains(caching, "immutable") {
			t.Errorf("%s may be cached %q", one[1], caching)
		}
		if kind := answer.Header().Get("Content-Type"); !strings.Contains(kind, "javascript") && !strings.Contains(kind, "css") {
			t.Errorf("%s is %q", one[1], kind)
		}
	}
	return len(references)
}

func TestFrontPage_Plain(t *testing.T) {
	t.Parallel()
	front := newFrontPage(fstest.MapFS{}, "https://club.example")
	answer := get(front, "/")
	page := answer.Body.String()
	for _, want := range []string{"make run", "curl https://club.example/graphql", "token --role ADMIN"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if count := checkAssets(t, front, page); count != 1 {
		t.Errorf("the page refers to %d files", count)
	}
}

func TestFrontPage_GraphiQL(t *testing.T) {
	t.Parallel()
	files := fstest.MapFS{}
	for _, name := range graphiQLFiles {
		files[name] = &fstest.MapFile{Data: []byte("/* " + name + " */")}
	}
	front := newFrontPage(files, "https://club.example")
	answer := get(front, "/")
	if count := checkAssets(t, front, answer.Body.String()); count != len(graphiQLFiles)+2 {
		t.Errorf("the page refers to %d files", count)
	}
	policy := answer.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "script-src 'self'") {
		t.Errorf("the page's policy is %q", policy)
	}
	if strings.Contains(policy, "unsafe-eval") || regexp.MustCompile(`script-src[^;]*unsafe`).MatchString(policy) {
		t.Errorf("the page's policy lets injected scripts run: %q", policy)
	}
}
