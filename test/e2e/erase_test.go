package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// filesWith returns the files of the database that hold a text.
func (w where) filesWith(t *testing.T, text string) (found []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.dir, "orderhook.db*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil && !os.IsNotExist(err) { // the journal goes when the server stops
			t.Fatal(err)
		}
		if strings.Contains(string(data), text) {
			found = append(found, filepath.Base(file))
		}
	}
	return found
}

// TestErasedTextLeavesTheFilesOfAServer that runs, the journal included, though nobody writes any
// more; also where it was killed behind the answer, and before it had emptied the journal.
func TestErasedTextLeavesTheFilesOfAServer(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	const text = "erase.me@example.com"
	erase := func(id string) {
		t.Helper()
		s.expect(t, 201, "POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":%q,"customerEmail":%q}`, id, text))
		s.expect(t, 200, "PATCH", "/api/orders/"+id, crashKey, `{"note":"of `+text+`"}`)
		if len(w.filesWith(t, text)) == 0 {
			t.Fatal("the text is in no file before it was erased: the test proves nothing")
		}
		s.expect(t, 204, "DELETE", "/api/orders/"+id+"?permanently=true", crashKey, "")
	}
	leaves := func(when string) {
		t.Helper()
		until(t, when+": that no file has the erased text", func() bool { return len(w.filesWith(t, text)) == 0 })
	}
	erase("ORD-1")
	leaves("while it serves")
	killed := false
	for try := 0; !killed && try < 20; try++ {
		erase(fmt.Sprint("ORD-killed-", try))
		_ = s.cmd.Process.Kill()
		<-s.ended
		killed = len(w.filesWith(t, text)) > 0
		s = w.serve(t)
	}
	if !killed {
		t.Fatal("no kill came before the journal was emptied: the test proves nothing")
	}
	leaves("once it serves again")
	s.stop(t)
}
