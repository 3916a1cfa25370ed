package packaging

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// image is what the last stage of the Dockerfile says.
type image struct {
	copies      []copied
	env         []string
	user, dir   string
	entrypoint  []string
	cmd, health []string
}

// copied is something of /out of the stage before: where it goes to, and whose it is then.
type copied struct{ from, to, owner string }

// lastStage reads the Dockerfile. An instruction that nobody reads here is not tested, so it
// is an error.
func lastStage(t *testing.T) (i image) {
	t.Helper()
	text := regexp.MustCompile(`\\\n`).ReplaceAllString(string(contentOf(t, "docker/Dockerfile")), " ")
	_, last, ok := strings.Cut(text, "\nFROM scratch\n")
	if !ok {
		t.Fatal("the image is not made from scratch")
	}
	list := func(text string) (words []string) {
		if err := json.Unmarshal([]byte(text), &words); err != nil {
			t.Fatalf("%s: %v: without a shell it has to be a list", text, err)
		}
		return words
	}
	for line := range strings.Lines(last) {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch word {
		case "COPY":
			c := copied{owner: "0:0"}
			words := slices.DeleteFunc(strings.Fields(rest), func(w string) bool {
				if owner, is := strings.CutPrefix(w, "--chown="); is {
					c.owner = owner
				}
				return strings.HasPrefix(w, "--")
			})
			c.from, c.to = strings.TrimPrefix(words[0], "/out/"), words[1]
			i.copies = append(i.copies, c)
		case "ENV":
			i.env = append(i.env, strings.Fields(rest)...)
		case "USER":
			i.user = rest
		case "WORKDIR":
			i.dir = rest
		case "ENTRYPOINT":
			i.entrypoint = list(rest)
		case "CMD":
			i.cmd = list(rest)
		case "HEALTHCHECK":
			_, command, _ := strings.Cut(rest, "CMD ")
			i.health = list(command)
		case "VOLUME", "EXPOSE", "":
		default:
			t.Fatalf("the test does not know %s", word)
		}
	}
	return i
}

// files lays the files of the image out, as the stage before has them.
func (i image) files(t *testing.T) string {
	t.Helper()
	at := t.TempDir()
	made := map[string]string{"orderhook": binaryOf(t, own(t)), "certs": "/etc/ssl/certs/ca-certificates.crt", "data": ""}
	for _, c := range i.copies {
		from, known := made[c.from]
		if !known {
			t.Fatalf("the test does not know /out/%s", c.from)
		}
		to := filepath.Join(at, c.to)
		switch c.from {
		case "data":
			output(t, at, "install", "-d", to)
			output(t, at, "chown", c.owner, to)
		case "certs":
			output(t, at, "install", "-D", "-m", "0644", from, filepath.Join(to, filepath.Base(from)))
		default:
			output(t, at, "install", "-D", "-m", "0755", from, to)
		}
	}
	return at
}

// contain runs a command in a container: root folder, folder of the database, user, command. It
// has no network but loopback, and writes nowhere but in the folder of the database.
const contain = `
set -e
mount --make-rprivate /
mount --bind "$1" "$1"
mount --bind "$1$2" "$1$2"
mount -o remount,ro,bind "$1"
ip link set lo up
root=$1 dir=$2 user=$3
shift 3
cd "$root$dir"
exec chroot --userspec="$user" "$root" "$@"
`

// TestTheImageServes: the files of the image alone, read-only but for its volume, without
// root, with the commands that the Dockerfile has, also for the health check.
func TestTheImageServes(t *testing.T) {
	if os.Getuid() != 0 {
		published(t)
		t.Fatal("a container takes root")
	}
	i := lastStage(t)
	if !slices.Equal(i.entrypoint, []string{"/orderhook"}) || i.user != "65532:65532" {
		t.Errorf("it runs %v as %s", i.entrypoint, i.user)
	}
	at := i.files(t)
	cmd := exec.Command("bash", append([]string{"-c", contain, "contain", at, i.dir, i.user}, append(i.entrypoint, i.cmd...)...)...)
	cmd.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "ORDERHOOK_API_KEY=the-key-of-the-test"}, i.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		out, err := i.ask(cmd.Process, at, i.health...)
		if err == nil {
			break
		}
		select {
		case <-ended:
			t.Fatalf("the server has ended: %s", &said)
		default:
		}
		if time.Now().After(end) {
			t.Fatalf("%v: %v: %s", i.health, err, out)
		}
	}
	if _, err := os.Stat(filepath.Join(at, i.dir, "orderhook.db")); err != nil {
		t.Errorf("the database is not in the volume: %v", err)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("after SIGTERM: %v: %s", err, &said)
		}
	case <-time.After(patience):
		t.Error("it does not end after SIGTERM")
	}
	if strings.Contains(said.String(), "level=ERROR") {
		t.Errorf("it says %s", &said)
	}
}

// ask runs a command in the container of a process, as the user and with the variables of the
// image.
func (i image) ask(process *os.Process, root string, args ...string) (string, error) {
	enter := exec.Command("nsenter", append([]string{"-t", strconv.Itoa(process.Pid), "-m", "-n", "-p", "chroot", "--userspec=" + i.user, root}, args...)...)
	enter.Env = append([]string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, i.env...)
	out, err := enter.CombinedOutput()
	return string(out), err
}
