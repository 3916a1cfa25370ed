package main

import (
	"bytes"
	"debug/buildinfo"
	"os"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// described returns the document of this test's own binary, which is one of Go's as any other.
func described(t *testing.T, epoch string) (*cdx.BOM, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := run([]string{self, "v1.2.3"}, epoch, &out); err != nil {
		t.Fatal(err)
	}
	text := out.String()
	doc := new(cdx.BOM)
	if err := cdx.NewBOMDecoder(&out, cdx.BOMFileFormatJSON).Decode(doc); err != nil {
		t.Fatal(err)
	}
	return doc, text
}

func TestEachModuleOfTheBinaryIsInItsDocument(t *testing.T) {
	doc, _ := described(t, "1700000000")
	if c := doc.Metadata.Component; c.Version != "1.2.3" || len((*c.Hashes)[0].Value) != 64 {
		t.Errorf("the binary is %+v", c)
	}
	if doc.Metadata.Timestamp != "2023-11-14T22:13:20Z" {
		t.Errorf("its time is %q", doc.Metadata.Timestamp)
	}
	listed := map[string]cdx.Component{}
	for _, c := range *doc.Components {
		listed[c.Name] = c
	}
	self, _ := os.Executable()
	info, err := buildinfo.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Deps) == 0 || len(listed) != len(info.Deps)+1 {
		t.Errorf("%d parts are listed, and the binary has %d modules and Go's library", len(listed), len(info.Deps))
	}
	for _, m := range info.Deps {
		c := listed[m.Path]
		if c.Version != m.Version || c.PackageURL != "pkg:golang/"+m.Path+"@"+m.Version || (*c.Properties)[0].Value != m.Sum {
			t.Errorf("%s %s is listed as %+v", m.Path, m.Version, c)
		}
	}
	if std := listed["std"]; "go"+std.Version != info.GoVersion {
		t.Errorf("Go's library is listed as %+v, and is %s", std, info.GoVersion)
	}
	if on := (*doc.Dependencies)[0]; on.Ref != doc.Metadata.Component.BOMRef || len(*on.Dependencies) != len(listed) {
		t.Errorf("%s depends on %d parts", on.Ref, len(*on.Dependencies))
	}
}

func TestTheSameBinaryHasTheSameDocument(t *testing.T) {
	_, first := described(t, "")
	doc, second := described(t, "")
	if first != second {
		t.Error("two documents of one binary differ")
	}
	if doc.Metadata.Timestamp != "" || strings.Contains(first, os.TempDir()) {
		t.Errorf("it names a time or a place of this machine: %.300s", first)
	}
}

func TestWhatIsNoBinaryIsRefused(t *testing.T) {
	var out bytes.Buffer
	for _, args := range [][]string{nil, {"main.go"}, {"main.go", "1"}, {"gone", "1"}} {
		if err := run(args, "", &out); err == nil || out.Len() > 0 {
			t.Errorf("%v: %v, %q", args, err, &out)
		}
	}
	self, _ := os.Executable()
	if err := run([]string{self, "1"}, "today", &out); err == nil {
		t.Error("SOURCE_DATE_EPOCH=today is taken")
	}
}
