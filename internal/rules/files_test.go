package rules

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// fileNames are those of a project, but for what is made, installed or test data.
func fileNames(project fs.FS) (map[string]bool, error) {
	names := map[string]bool{}
	err := fs.WalkDir(project, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			names[name] = true
		case d.Name() == ".git", d.Name() == "node_modules", d.Name() == "bin":
			return fs.SkipDir
		}
		return nil
	})
	return names, err
}

// cites reports whether a file is one that people write sentences in.
func cites(name string) bool {
	switch path.Ext(name) {
	case ".go", ".md", ".js", ".css", ".html", ".sql", "":
		return true
	}
	return false
}

// commentsOf returns the comments of a file of Go, one after the other.
func commentsOf(source string) string {
	file, err := parser.ParseFile(token.NewFileSet(), "", source, parser.ParseComments)
	if err != nil {
		return source // the compiler says what is wrong with it
	}
	var all strings.Builder
	for _, group := range file.Comments {
		for _, c := range group.List {
			all.WriteString(c.Text + "\n")
		}
	}
	return all.String()
}

func hasBase(names map[string]bool, base string) bool {
	for name := range names {
		if path.Base(name) == base {
			return true
		}
	}
	return false
}

func hasFolder(names map[string]bool, folder string) bool {
	for name := range names {
		if strings.HasPrefix(name, folder+"/") {
			return true
		}
	}
	return false
}
