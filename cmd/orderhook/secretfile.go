package main

import (
	"io"
	"os"
	"strings"

	"github.com/orderhook/orderhook/internal/app"
)

// mostSecret bounds what is read of a file that holds a secret, in bytes. Whoever names
// the wrong file, as a database, hears so.
const mostSecret = 64 << 10

// secretOf is the secret of a flag, which may be given by itself or in a file;
// "" if neither is given. No message holds anything of it. A file keeps it out of the
// process list and the environment, where others may read it. Line ends at its end are
// left out, since editors add them.
func secretOf(flag, given, file string) (string, error) {
	switch {
	case file == "":
		return given, nil
	case given != "":
		return "", app.UserErrorf("--%s and --%s-file are both given: take one of them", flag, flag)
	}
	f, err := os.Open(file)
	if err != nil {
		return "", app.UserErrorf("--%s-file: %w", flag, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, mostSecret+1))
	switch secret := strings.TrimRight(string(text), "\r\n"); {
	case err != nil:
		return "", app.UserErrorf("--%s-file: %w", flag, err)
	case len(text) > mostSecret:
		return "", app.UserErrorf("--%s-file: %s is larger than %d bytes: is it the right file?", flag, file, mostSecret)
	case secret == "":
		return "", app.UserErrorf("--%s-file: %s is empty", flag, file)
	default:
		return secret, nil
	}
}
