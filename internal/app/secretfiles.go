package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// warnReadable warns of files with secrets in them that others can read, or write.
// It is no mistake: some who start servers cannot choose a file's mode.
func (o *Options) warnReadable() {
	database := o.Database
	if resolved, err := filepath.EvalSymlinks(database); err == nil {
		database = resolved // the others are beside it
	}
	files := append([]string{database, database + "-wal", database + ".key", o.SettingsFile, o.TLSKey}, o.SecretFiles...)
	if o.WebHook != nil {
		files = append(files, o.WebHook.TLS.KeyFile)
	}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil { // not there, or not given; what is needed has been read
			continue
		}
		if mode := info.Mode().Perm(); mode&0o077 != 0 {
			o.Log.Warn("others can open a file that may hold secrets: take that away with chmod 600", "file", file, "mode", fmt.Sprintf("%04o", mode))
		}
	}
}
