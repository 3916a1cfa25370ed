package e2e

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tried says for a command which test tries it in each situation, or, behind "no: ", why there is
// nothing to try.
type tried struct {
	wrongFile string // a file that it reads is not there, is another kind of file, or is damaged
	fullDisk  string // what it writes does not fit
	stopped   string // Ctrl-C in the middle
	beside    string // a server has the database, or the port
}

const (
	readsOnly = "no: it writes nothing"
	asks      = "no: it asks a server, and opens no database"
	wrong     = "TestDataCommandsAndWrongFiles"
	input     = "TestCommandsAndWrongInputs"
	full      = "TestDataCommandsOnAFullDisk"
	stop      = "TestDataCommandsThatAreStopped"
	beside    = "TestDataCommandsBesideAServer"
	silent    = "TestCommandsWithoutAnAnswer"
	atOnce    = "no: it is over at once, and changes nothing"
)

// commandTable has all commands. One that is new has to get a row here, and the tests that the row
// names.
var commandTable = map[string]tried{
	"serve":                  {wrong, "TestADiskThatIsFull", "TestSignalsEndTheServerWell", "TestASecondServerIsRefused"},
	"demo":                   {"no: it reads no file", "TestCommandsWithoutASpaceForTheirDatabase", "TestDemoAndBenchStopped", "no: it takes another port, and has a database of its own"},
	"bench":                  {"no: it reads no file", "TestCommandsWithoutASpaceForTheirDatabase", "TestDemoAndBenchStopped", "no: it has a server and a database of its own"},
	"migrate":                {wrong, "TestACopyOntoAFullDisk", "TestACopyThatIsKilledGoesOn", beside},
	"keys create":            {wrong, full, stop, beside},
	"keys list":              {wrong, readsOnly, atOnce, beside},
	"keys update":            {wrong, full, stop, beside},
	"keys revoke":            {wrong, full, stop, beside},
	"keys rotate-encryption": {wrong, full, stop, beside},
	"backup":                 {wrong, "TestBackupAndRestoreOnAFullDisk", "TestBackupAndRestoreStopped", beside},
	"restore":                {input, "TestBackupAndRestoreOnAFullDisk", "TestBackupAndRestoreStopped", beside},
	"check":                  {wrong, full, stop, beside},
	"doctor":                 {wrong, readsOnly, silent, beside},
	"settings check":         {input, readsOnly, atOnce, beside},
	"settings apply":         {input, full, stop, beside},
	"apply":                  {input, full, stop, beside},
	"simulate":               {wrong, readsOnly, "TestSimulateStopped", beside},
	"export":                 {wrong, "TestAnExportThatWasStopped", "TestAnExportThatWasStopped", beside},
	"import":                 {input, full, stop, beside},
	"rerun":                  {input, readsOnly, silent, asks},
	"ci record":              {input, "TestCIRecordOnAFullDisk", silent, asks},
	"ci run":                 {input, "no: it writes a report of a few lines, by --junit", silent, asks},
	"listen":                 {input, readsOnly, silent, asks},
	"trigger":                {input, readsOnly, silent, asks},
	"healthcheck":            {input, readsOnly, silent, asks},
	"version":                {"no: it reads no file", readsOnly, atOnce, asks},
}

// subcommand finds a command in the help, as "  keys create --role=ROLE [flags]".
var subcommand = regexp.MustCompile(`(?m)^  ([a-z-]+(?: [a-z-]+)?)(?: |$)`)

// commandsOf returns the commands that the help names.
func commandsOf(t *testing.T) (all []string) {
	t.Helper()
	out := newWhere(t).succeeds(t, "--help")
	_, list, found := strings.Cut(out, "\nCommands:\n")
	if !found {
		t.Fatalf("the help has no list of commands: %s", out)
	}
	for _, match := range subcommand.FindAllStringSubmatch(list, -1) {
		all = append(all, match[1])
	}
	return all
}

// TestEachCommandIsTried in each situation: it has a row in the table, and each test that a row
// names is there. A test of data commands has the command among its own.
func TestEachCommandIsTried(t *testing.T) {
	t.Parallel()
	commands := commandsOf(t)
	for _, command := range commands {
		if _, there := commandTable[command]; !there {
			t.Errorf("the command %s has no row in commandTable: say which test tries it in each situation", command)
		}
	}
	tests := map[string]bool{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, is := d.(*ast.FuncDecl); is {
				tests[f.Name.Name] = true
			}
		}
	}
	walked := func(command string, is func(dataCommand) bool) bool {
		return slices.ContainsFunc(dataCommands, func(c dataCommand) bool {
			return strings.HasPrefix(strings.Join(c.args, " ")+" ", command+" ") && is(c)
		})
	}
	all := func(dataCommand) bool { return true }
	for _, command := range slices.Sorted(maps.Keys(commandTable)) {
		if !slices.Contains(commands, command) {
			t.Errorf("there is no command %s any more", command)
		}
		row := commandTable[command]
		for situation, name := range map[string]string{"a wrong file": row.wrongFile, "a full disk": row.fullDisk, "Ctrl-C": row.stopped, "a running server": row.beside} {
			_, reason, none := strings.Cut(name, "no: ")
			in := true
			switch name {
			case wrong, beside:
				in = walked(command, all) || command == "serve" && name == wrong
			case full, stop:
				in = walked(command, func(c dataCommand) bool { return c.writes })
			case input:
				in = slices.ContainsFunc(wrongInputs, func(args []string) bool { return strings.HasPrefix(strings.Join(args, " ")+" ", command+" ") })
			case silent:
				in = slices.ContainsFunc(unanswered, func(args []string) bool { return strings.HasPrefix(strings.Join(args, " ")+" ", command+" ") })
			}
			if none && reason == "" || !none && !tests[name] || !in {
				t.Errorf("%s and %s: nothing tries it in %q", command, situation, name)
			}
		}
	}
}

// wrongInputs are commands that read a file that somebody gives them, which FILE stands for.
var wrongInputs = [][]string{
	{"serve", "--settings", "FILE"}, {"serve", "--config", "FILE"}, {"serve", "--api-key-file", "FILE"},
	{"restore", "FILE"},
	{"settings", "check", "FILE"}, {"settings", "apply", "FILE"}, {"apply", "FILE"},
	{"apply", "site.json", "--url", "http://127.0.0.1:1", "--key-file", "FILE"},
	{"import", "orders", "FILE"}, {"import", "history", "FILE"}, {"import", "events", "FILE"},
	{"simulate", "--settings", "FILE"},
	{"doctor", "--config", "FILE"}, {"doctor", "--url", "http://127.0.0.1:1", "--key-file", "FILE"},
	{"check", "http://127.0.0.1:1", "--kind", "step", "--order", "FILE"},
	{"rerun", "att_1", "--to", "http://127.0.0.1:1", "--url", "http://127.0.0.1:1", "--key-file", "FILE"},
	{"ci", "record", "--filter", "kind=step", "--out", "calls", "--url", "http://127.0.0.1:1", "--key-file", "FILE"},
	{"ci", "run", "FILE", "--against", "http://127.0.0.1:1"},
	{"listen", "--url", "http://127.0.0.1:1", "--key-file", "FILE"},
	{"trigger", "a.b", "--from", "ORD-1", "--url", "http://127.0.0.1:1", "--key-file", "FILE"},
	{"healthcheck", "--config", "FILE"},
}

// in is the command with what stands for a word.
func in(args []string, word, is string) []string {
	args = slices.Clone(args)
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], word, is)
	}
	return args
}

// TestCommandsAndWrongInputs: a file that is not there, a folder, one that cannot be what the command
// needs, and one that is empty, are each an error that names it, and change nothing.
func TestCommandsAndWrongInputs(t *testing.T) {
	t.Parallel()
	w, _ := forDataCommands(t)
	w.env = nil // a key that is given as a variable goes with no file of one
	if err := os.Mkdir(filepath.Join(w.dir, "folder.in"), 0o700); err != nil {
		t.Fatal(err)
	}
	w.file(t, "empty.in", "")
	w.file(t, "noise.in", strings.Repeat("\x00\x01\xff\xfe no text\n", 500))
	for _, c := range wrongInputs {
		for _, file := range []string{"none.in", "folder.in", "empty.in", "noise.in"} {
			if c[0] == "import" && file == "empty.in" {
				continue // a file without lines is one that has nothing to import
			}
			before := w.contents(t)
			r := w.run(t, in(c, "FILE", file)...)
			line := strings.TrimSuffix(r.errOut, "\n")
			named := strings.Contains(line, file) || strings.Contains(line, "the API key may hold only") // which may be a variable, too
			if r.code != 2 || !strings.HasPrefix(line, "orderhook: ") || strings.Contains(line, "\n") || !named {
				t.Errorf("%v with %s: code %d, %s%s", c, file, r.code, r.out, r.errOut)
			}
			w.unchanged(t, fmt.Sprint(c, " with ", file), before)
		}
	}
}

// unanswered are commands that ask somebody, at URL or ADDRESS, who takes the connection and says
// nothing.
var unanswered = [][]string{
	{"apply", "site.json", "--url", "URL", "--key", "a-key-of-sixteen"},
	{"doctor", "--url", "URL", "--key", "a-key-of-sixteen"},
	{"check", "URL", "--kind", "event"},
	{"rerun", "att_1", "--to", "URL", "--url", "URL", "--key", "a-key-of-sixteen"},
	{"ci", "record", "--filter", "kind=step", "--out", "calls", "--url", "URL", "--key", "a-key-of-sixteen"},
	{"ci", "run", "recorded", "--against", "URL"},
	{"listen", "--url", "URL", "--key", "a-key-of-sixteen"},
	{"trigger", "a.b", "--from", "ORD-1", "--url", "URL", "--key", "a-key-of-sixteen"},
	{"healthcheck", "--listen", "ADDRESS"},
}

// TestCommandsWithoutAnAnswer: Ctrl-C while a command waits for somebody ends it at once, with a line
// that says that it is not done, and 130. listen goes on until it is stopped, so that is its end.
func TestCommandsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	w, _ := forDataCommands(t)
	w.recorded(t, "recorded")
	for _, c := range unanswered {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		asked := make(chan net.Conn, 16)
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				asked <- conn
			}
		}()
		cmd := w.command(t.Context(), in(in(c, "URL", "http://"+l.Addr().String()), "ADDRESS", l.Addr().String())...)
		var said strings.Builder
		cmd.Stderr, cmd.Stdout = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() { defer close(ended); _ = cmd.Wait() }()
		select {
		case <-asked:
		case <-ended:
			t.Errorf("%v ends before it asks anybody: code %d, %s", c, cmd.ProcessState.ExitCode(), said.String())
			continue
		case <-time.After(patience):
			t.Fatalf("%v asks nobody", c)
		}
		_ = cmd.Process.Signal(syscall.SIGINT)
		select {
		case <-ended:
		case <-time.After(patience):
			_ = cmd.Process.Kill()
			t.Fatalf("%v does not end", c)
		}
		_ = l.Close()
		code, says := 130, "stopped before it was done"
		if c[0] == "listen" {
			code, says = 0, ""
		}
		if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(said.String(), says) || strings.Contains(said.String(), "nothing is to be done") {
			t.Errorf("%v: code %d, %s", c, got, said.String())
		}
	}
}

// recorded makes a folder as ci record does, of one call.
func (w where) recorded(t *testing.T, folder string) {
	t.Helper()
	to := newReceiver(t, nil)
	s := w.serve(t)
	s.expect(t, 200, "PUT", "/api/settings", crashKey, `{"connectors":[{"name":"Webhook","connectorId":"e","host":"`+to.URL+`"}],
		"orderTypes":[{"name":"Online","default":true,"orderStatuses":[{"name":"New","workflowSteps":[{"name":"WebhookWorkflowStep","connector":"Webhook","connectorId":"e"}]}]}]}`)
	s.expect(t, 201, "POST", "/api/orders", crashKey, `{"id":"ORD-recorded","orderType":"Online"}`)
	w.succeeds(t, "ci", "record", "--filter", "kind=step", "--out", folder, "--url", s.url, "--key", crashKey)
	s.stop(t)
}

// TestSimulateStopped while it goes through the orders.
func TestSimulateStopped(t *testing.T) {
	t.Parallel()
	w := newWhere(t, "ORDERHOOK_API_KEY="+crashKey)
	s := w.serve(t)
	s.expect(t, http.StatusOK, "PUT", "/api/settings", crashKey, `{"orderTypes":[{"name":"Online","orderStatuses":[{"name":"New","workflowSteps":[]}]}]}`)
	// It writes more than a pipe takes, 64 KiB, so it has not ended before something is read.
	for i := range 500 {
		s.expect(t, http.StatusCreated, "POST", "/api/orders", crashKey, fmt.Sprintf(`{"id":"ORD-%d-%s","orderType":"Online","status":"New"}`, i, strings.Repeat("x", 180)))
	}
	s.stop(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := w.command(ctx, "simulate", "--json")
	var said strings.Builder
	cmd.Stderr, cmd.Stdout = &said, write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	if _, err := read.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Process.Signal(syscall.SIGINT)
	_, _ = io.Copy(io.Discard, read)
	_ = cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || !strings.Contains(said.String(), "orders were simulated") {
		t.Errorf("code %d, %s", code, said.String())
	}
}

// TestDemoAndBenchStopped: Ctrl-C is how both may end, and neither leaves its database.
func TestDemoAndBenchStopped(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"demo", "--listen", "127.0.0.1:0"}, {"bench", "--only", "arrays"}} {
		w := newWhere(t)
		tmp := filepath.Join(w.dir, "tmp")
		if err := os.Mkdir(tmp, 0o700); err != nil {
			t.Fatal(err)
		}
		w = w.with("TMPDIR=" + tmp)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		cmd := w.command(ctx, args...)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, fmt.Sprint(args, " has a database: that "), func() bool { return len(filesBelow(tmp)) > 0 })
		_ = cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 0 && code != 130 || ctx.Err() != nil {
			t.Errorf("%v: code %d, %s", args, code, said.String())
		}
		cancel()
		if left := filesBelow(tmp); len(left) > 0 {
			t.Errorf("%v has left %v", args, left)
		}
	}
}

// filesBelow returns the files in a folder and the folders in it.
func filesBelow(dir string) (found []string) {
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			found = append(found, path)
		}
		return nil
	})
	return found
}

// onSmallDisk runs a shell script with a full disk of its own at $D, which has a copy of the
// database. $O is the program. FREE in it is what makes space again.
func onSmallDisk(t *testing.T, w where, script string, args ...string) result {
	t.Helper()
	for _, namespaces := range [][]string{{"--mount"}, {"--user", "--map-root-user", "--mount"}} {
		inside := mounted(t, w, namespaces)
		if inside == nil {
			continue
		}
		script = `D=$1 O=$2; shift 2; cp "$PWD"/` + theDatabase + `* "$D"; cat /dev/zero >"$D/filler" 2>/dev/null || true; ` + strings.ReplaceAll(script, "FREE", `rm "$D/filler"`)
		cmd := inside(slices.Concat([]string{"sh", "-c", script, "sh", mountPoint(w), binary}, args)...)
		return ran(t, cmd, "unshare")
	}
	lacking(t, "small disk to fill: that takes root, or a kernel that lets others make namespaces")
	return result{}
}

// TestDataCommandsOnASmallDisk that is full: each command that writes says that the disk is the likely
// cause, and once there is space again the database is sound, and the command does its work.
func TestDataCommandsOnASmallDisk(t *testing.T) {
	t.Parallel()
	w, key := forDataCommands(t)
	for _, c := range dataCommands {
		if c = c.with(key); !c.writes || c.damage != "" || c.args[0] == "migrate" {
			continue
		}
		args := c.of(filepath.Join(mountPoint(w), theDatabase))
		r := onSmallDisk(t, w, `"$O" "$@"; code=$?; FREE; "$O" check --database "$D/`+theDatabase+`" || exit 90; "$O" "$@" >/dev/null || exit 91; exit $code`, args...)
		if r.code == 0 || r.code >= 90 || !strings.Contains(r.errOut, "disk") || !strings.Contains(r.out, "nothing is wrong") {
			t.Errorf("%v: code %d, %s%s", c.args, r.code, r.out, r.errOut)
		}
	}
}

// TestCIRecordOnAFullDisk names the file that cannot be written.
func TestCIRecordOnAFullDisk(t *testing.T) {
	t.Parallel()
	w, _ := forDataCommands(t)
	w.recorded(t, "recorded")
	s := w.serve(t)
	r := onSmallDisk(t, w, `"$O" "$@"`, "ci", "record", "--filter", "kind=step", "--out", filepath.Join(mountPoint(w), "calls"), "--url", s.url, "--key", crashKey)
	if r.code != 2 || !strings.Contains(r.errOut, "no space left on device") || strings.Contains(r.errOut, crashKey) {
		t.Errorf("code %d, %s%s", r.code, r.out, r.errOut)
	}
	s.stop(t)
}

// TestCommandsWithoutASpaceForTheirDatabase: demo and bench, which make one in the folder of temporary
// files, say that they cannot, and end.
func TestCommandsWithoutASpaceForTheirDatabase(t *testing.T) {
	t.Parallel()
	w := newWhere(t)
	w.file(t, theDatabase, "")
	for _, args := range [][]string{{"demo", "--once"}, {"bench", "--only", "arrays", "--budget", "100ms"}} {
		r := onSmallDisk(t, w, `TMPDIR=$D exec "$O" "$@"`, args...)
		if r.code == 0 || r.code > 2 || !strings.Contains(r.errOut, "orderhook: ") || !strings.Contains(r.errOut, "full") && !strings.Contains(r.errOut, "no space left") {
			t.Errorf("%v: code %d, %s%s", args, r.code, r.out, r.errOut)
		}
	}
}
