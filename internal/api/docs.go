package api

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/swaggest/swgui/v5/static"
)

// The pages under /api/docs show the OpenAPI document with Swagger UI, which
// comes as a Go module: they work where no other host can be reached.

//go:embed docs
var docsFiles embed.FS

// docsPath is where the pages are. Their links are relative, so a proxy may
// serve them below another path.
const docsPath = "/api/docs"

// docsPolicy lets the pages use what this server sends them and nothing else
// but the small pictures in Swagger UI's style sheet.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// serveDocs serves the pages. index.html, init.js and page.css are orderhook's own; the
// other two files come from the module, compressed. Pages with these fixed names are all
// there is: nothing else in the embedded folder can be asked for.
func serveDocs(mux *http.ServeMux) {
	own, err := fs.Sub(docsFiles, "docs")
	if err != nil {
		panic(err) // they are part of the program
	}
	mux.HandleFunc("GET "+docsPath, docsFile(own, "index.html"))
	for _, name := range []string{"init.js", "page.css"} {
		mux.HandleFunc("GET "+docsPath+"/"+name, docsFile(own, name))
	}
	for _, name := range []string{"swagger-ui-bundle.js", "swagger-ui.css"} {
		mux.HandleFunc("GET "+docsPath+"/"+name, docsFile(static.FS, name+".gz"))
	}
}

// docsFile serves one file. A compressed one goes out as it is to those who
// take it so, which is every browser. The file is read once, at the start. A file that is
// missing there is an error of the program, and ends the start.
func docsFile(files fs.FS, name string) http.HandlerFunc {
	content, err := fs.ReadFile(files, name)
	if err != nil {
		panic(err) // it is part of the program
	}
	plain, compressed := strings.CutSuffix(name, ".gz")
	kind := map[string]string{".html": "text/html", ".js": "text/javascript", ".css": "text/css"}[path.Ext(plain)] + "; charset=utf-8"
	return func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", kind)
		h.Set("Content-Security-Policy", docsPolicy)
		h.Set("Cache-Control", "no-cache") // another version of orderhook may have other files
		body := content
		if compressed {
			h.Set("Vary", "Accept-Encoding")
			if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
				h.Set("Content-Encoding", "gzip")
			} else {
				body = unzipped(content)
			}
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
	}
}

// unzipped returns the content of a compressed file. Clients that take no gzip are rare,
// so what it makes is not stored.
func unzipped(content []byte) []byte {
	r, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		panic(err) // it is part of the program
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return plain
}
