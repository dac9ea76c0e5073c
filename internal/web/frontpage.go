package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"time"
)

// GraphiQL is fetched by `make graphiql` and not kept with the source: the folder may hold its files or be empty.
//
//go:embed all:graphiql
var graphiQL embed.FS

//go:embed pages
var pages embed.FS

var graphiQLFiles = []string{
	"graphiql/react.production.min.js",
	"graphiql/react-dom.production.min.js",
	"graphiql/graphiql.min.js",
	"graphiql/graphiql.min.css",
}

// frontPage is what people see at /: GraphiQL where files has it, else a plain page that says how to get it.
type frontPage struct {
	page []byte
	// assets holds the files that the page loads, by address. An address names its content, so that browsers may keep
	// it for ever.
	assets map[string][]byte
	// style is the address of the style sheet of our own pages.
	style string
}

func newFrontPage(files fs.FS, publicURL string) frontPage {
	front := frontPage{assets: map[string][]byte{}}
	addresses := map[string]string{}
	add := func(name string, content []byte) {
		hash := sha256.Sum256(content)
		addresses[path.Base(name)] = "/assets/" + hex.EncodeToString(hash[:8]) + "/" + path.Base(name)
		front.assets[addresses[path.Base(name)]] = content
	}
	// Our own pages are compiled in: whatever fails below is a mistake in them, which every test of this package meets.
	for _, name := range []string{"pages/start.js", "pages/page.css"} {
		content, err := pages.ReadFile(name)
		if err != nil {
			panic(err)
		}
		add(name, content)
	}
	front.style = addresses["page.css"]
	template := template.Must(template.ParseFS(pages, "pages/*.html"))
	page := "graphiql.html"
	for _, name := range graphiQLFiles {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			page = "plain.html"
			break
		}
		add(name, content)
	}
	var rendered bytes.Buffer
	err := template.ExecuteTemplate(&rendered, page, map[string]any{"PublicURL": publicURL, "Assets": addresses})
	if err != nil {
		panic(err)
	}
	front.page = rendered.Bytes()
	return front
}

func (f frontPage) register(routes *http.ServeMux) {
	routes.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		writePage(w, f.page)
	})
	for address, content := range f.assets {
		routes.HandleFunc("GET "+address, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeContent(w, r, path.Base(address), time.Time{}, bytes.NewReader(content))
		})
	}
}
