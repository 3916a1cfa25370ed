package dash

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"time"
)

//go:embed assets
var assetFiles embed.FS

// kinds are the types of files that there are. A file of another type has no entry, and
// would be served without a Content-Type; the folder has only these three.
var kinds = map[string]string{".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}

// assetPaths is where each file is served: below a name made of what all of them hold,
// so that browsers may keep them for ever and never mix those of two versions.
var assetPaths = func() map[string]string {
	names, err := fs.Glob(assetFiles, "assets/*")
	if err != nil {
		panic(err) // they are part of the program
	}
	hash := sha256.New()
	for _, name := range names {
		hash.Write(content(name))
	}
	out := map[string]string{}
	for _, name := range names {
		out[path.Base(name)] = "/assets/" + hex.EncodeToString(hash.Sum(nil)[:8]) + "/" + path.Base(name)
	}
	return out
}()

// content reads a file of the program. One that is not there is an error of the program,
// and ends its start.
func content(name string) []byte {
	b, err := assetFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is part of the program
	}
	return b
}

// asset is the path of a file, for templates; "" for a name that no file has.
func asset(name string) string { return assetPaths[name] }

// assets serves the style sheet, the scripts and the icon. They hold nothing of
// anybody's, so whoever asks gets them. The browser asks for /favicon.ico by itself,
// whatever the page says, so that name leads to the icon.
func (s *server) assets() {
	for name, at := range assetPaths {
		body, kind := content("assets/"+name), kinds[path.Ext(name)]
		s.open("GET "+at, func(w http.ResponseWriter, r *http.Request) error {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(body))
			return nil
		})
	}
	s.open("GET /favicon.ico", func(w http.ResponseWriter, r *http.Request) error {
		http.Redirect(w, r, asset("icon.svg"), http.StatusMovedPermanently)
		return nil
	})
}
