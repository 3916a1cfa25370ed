// Package packaging checks what is published of orderhook. `make test` runs what takes no
// package; `make release-check` makes packages, installs them and runs what is in them.
package packaging

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// root is the project, as seen from here.
const root = ".."

// published is the folder that `make release` built into.
func published(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("ORDERHOOK_DIST")
	if dir == "" {
		t.Skip("it takes packages: make release-check")
	}
	return dir
}

// each returns the files of a folder that match a pattern; there has to be one.
func each(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s has no %s: %v", dir, pattern, err)
	}
	return found
}

func sumOf(t *testing.T, data []byte) string {
	t.Helper()
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func contentOf(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func output(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, out)
	}
	return string(out)
}

func TestEachFileHasItsChecksum(t *testing.T) {
	dir := published(t)
	listed := map[string]string{}
	for line := range strings.Lines(string(contentOf(t, filepath.Join(dir, "SHA256SUMS")))) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			listed[name] = sum
		}
	}
	for _, path := range each(t, dir, "*") {
		name := filepath.Base(path)
		if name != "SHA256SUMS" && listed[name] != sumOf(t, contentOf(t, path)) {
			t.Errorf("%s has another checksum than SHA256SUMS says, or none", name)
		}
		delete(listed, name)
	}
	if len(listed) > 0 {
		t.Errorf("SHA256SUMS names files that are not there: %v", listed)
	}
}

// unpacked returns the files of an archive by their names in its one folder.
func unpacked(t *testing.T, path string) map[string][]byte {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(contentOf(t, path)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files
		} else if err != nil {
			t.Fatal(err)
		}
		folder, name, _ := strings.Cut(h.Name, "/")
		if folder+".tar.gz" != filepath.Base(path) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s has %s of %d:%d %q", path, h.Name, h.Uid, h.Gid, h.Uname)
		}
		if files[name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// binaryOf writes the binary of an archive into a folder of the test's.
func binaryOf(t *testing.T, archive string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "orderhook")
	if err := os.WriteFile(path, unpacked(t, archive)["orderhook"], 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// own is the archive for the platform that the tests run on.
func own(t *testing.T) string {
	t.Helper()
	return each(t, published(t), "*_"+runtime.GOOS+"_"+runtime.GOARCH+".tar.gz")[0]
}

// TestEachBinary is for its platform, needs no library, and names no folder of the machine
// that built it.
func TestEachBinary(t *testing.T) {
	home := os.Getenv("HOME")
	here, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range each(t, published(t), "*.tar.gz") {
		parts := strings.Split(strings.TrimSuffix(filepath.Base(archive), ".tar.gz"), "_")
		system, arch := parts[len(parts)-2], parts[len(parts)-1]
		path := binaryOf(t, archive)
		info, err := buildinfo.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		built := map[string]string{}
		for _, s := range info.Settings {
			built[s.Key] = s.Value
		}
		if built["GOOS"] != system || built["GOARCH"] != arch || built["CGO_ENABLED"] != "0" || built["-trimpath"] != "true" {
			t.Errorf("%s was built with %v", archive, built)
		}
		data := contentOf(t, path)
		for _, place := range []string{here, filepath.Join(home, "go")} {
			if bytes.Contains(data, []byte(place+"/")) {
				t.Errorf("%s names the folder %s", archive, place)
			}
		}
		if system == "linux" {
			f, err := elf.NewFile(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			if needed, _ := f.ImportedLibraries(); len(needed) > 0 {
				t.Errorf("%s needs %v", archive, needed)
			}
		}
	}
}

// TestEachArchiveHasWhatIsInstalled: on Linux the unit and the config file that it names, which
// docs/installing.md#archives installs.
func TestEachArchiveHasWhatIsInstalled(t *testing.T) {
	for _, archive := range each(t, published(t), "*.tar.gz") {
		want := []string{"", "CHANGELOG.md", "LICENSE", "README.md", "orderhook"}
		if strings.Contains(archive, "_linux_") {
			want = append(want, "orderhook.json", "orderhook.service")
		}
		if got := slices.Sorted(maps.Keys(unpacked(t, archive))); !slices.Equal(got, want) {
			t.Errorf("%s has %q, want %q", archive, got, want)
		}
	}
}

// TestTheBinarySaysWhatItIs: version and commit are those that were asked for.
func TestTheBinarySaysWhatItIs(t *testing.T) {
	archive := own(t)
	version, _, _ := strings.Cut(strings.TrimPrefix(filepath.Base(archive), "orderhook_"), "_")
	commit := strings.TrimSpace(output(t, root, "git", "rev-parse", "HEAD"))
	if out := output(t, root, binaryOf(t, archive), "--version"); !strings.HasPrefix(out, "orderhook "+version+" (") || !strings.Contains(out, "commit "+commit) {
		t.Errorf("%s says %q", archive, out)
	}
}

// TestEachBinaryHasItsParts: the document of a binary has its checksum, and the modules that
// `go list` finds for its platform, no more and no fewer.
func TestEachBinaryHasItsParts(t *testing.T) {
	for _, archive := range each(t, published(t), "*.tar.gz") {
		name := strings.TrimSuffix(archive, ".tar.gz")
		doc := new(cdx.BOM)
		if err := cdx.NewBOMDecoder(bytes.NewReader(contentOf(t, name+".cdx.json")), cdx.BOMFileFormatJSON).Decode(doc); err != nil {
			t.Fatal(err)
		}
		if sum := (*doc.Metadata.Component.Hashes)[0].Value; sum != sumOf(t, unpacked(t, archive)["orderhook"]) {
			t.Errorf("%s: its document is of another binary", name)
		}
		parts := strings.Split(name, "_")
		list := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}@{{.Version}}{{end}}{{end}}", "./cmd/orderhook")
		list.Dir, list.Env = root, append(os.Environ(), "CGO_ENABLED=0", "GOOS="+parts[len(parts)-2], "GOARCH="+parts[len(parts)-1])
		out, err := list.Output()
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Fields(string(out))
		slices.Sort(want)
		want = slices.Compact(want)
		var got []string
		for _, c := range *doc.Components {
			if c.Name != "std" {
				got = append(got, c.Name+"@"+c.Version)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: its document has %v, and it is made of %v", name, got, want)
		}
	}
}
