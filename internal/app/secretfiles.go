package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// warnReadable warns of files with secrets in them that others can read, or write. It is no
// error: some who start servers cannot choose a file's mode, as in a container. The
// database itself is one of these files: orders are nobody else's business.
func (o *Options) warnReadable() {
	for _, f := range o.readable() {
		o.Log.Warn("others can open a file that may hold secrets: take that away with chmod 600", "file", f.name, "mode", fmt.Sprintf("%04o", f.mode))
	}
}

// readable are those of the files that others can open.
func (o *Options) readable() (all []fileMode) {
	files := append([]string{o.SettingsFile, o.TLSKey}, o.SecretFiles...)
	if server, _ := checkDatabase(o.Database); !server {
		database := o.Database
		if resolved, err := filepath.EvalSymlinks(database); err == nil {
			database = resolved // the others are beside it
		}
		files = append(files, database, database+"-wal", database+".key")
	}
	// A key file may have a password, and then it is no secret by itself; it is named all
	// the same.
	if o.WebHook != nil {
		files = append(files, o.WebHook.TLS.KeyFile)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil { // not there, or not given; what is needed has been read
			continue
		}
		// The mode lets the group, or all others, open the file.
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			all = append(all, fileMode{file, mode})
		}
	}
	return all
}

// fileMode is a file, and what may be done with it.
type fileMode struct {
	name string
	mode os.FileMode
}
