// Command sbom prints what a binary of Go is made of, as a CycloneDX document: the modules
// that the linker wrote into it, so that the list is of what is shipped, not of what go.mod
// allows. `make release` calls it for each binary.
//
//	sbom BINARY VERSION >BINARY.cdx.json
//
// The same binary gives the same document, byte by byte. Its time is that of
// SOURCE_DATE_EPOCH, in seconds since 1970; without it there is none.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/uuid"
)

func main() {
	if err := run(os.Args[1:], os.Getenv("SOURCE_DATE_EPOCH"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

// run is main with what it depends on. It writes nothing before it knows the whole
// document.
func run(args []string, epoch string, out io.Writer) error {
	if len(args) != 2 {
		return errors.New("say of which binary, and which version it is: sbom BINARY VERSION")
	}
	// Not the machine's time: two builds of one version must be the same.
	at, err := timestamp(epoch)
	if err != nil {
		return err
	}
	doc, err := document(args[0], strings.TrimPrefix(args[1], "v"), at)
	if err != nil {
		return err
	}
	encoder := cdx.NewBOMEncoder(out, cdx.BOMFileFormatJSON).SetPretty(true)
	return encoder.EncodeVersion(doc, cdx.SpecVersion1_6)
}

// timestamp is the time of SOURCE_DATE_EPOCH as RFC 3339; "" if that is not set. RFC 3339
// is what CycloneDX wants.
func timestamp(epoch string) (string, error) {
	if epoch == "" {
		return "", nil
	}
	seconds, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil {
		return "", fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339), nil
}

// document returns what is known of a binary. Its serial number follows from the binary's
// bytes: two documents of the same binary are the same document.
func document(path, version, timestamp string) (*cdx.BOM, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil, err
	}
	bytes, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(bytes)
	product := cdx.Component{
		Type: cdx.ComponentTypeApplication, BOMRef: "pkg:golang/" + info.Main.Path + "@v" + version,
		Name: filepath.Base(info.Path), Version: version, PackageURL: "pkg:golang/" + info.Main.Path + "@v" + version,
		// Whoever has the binary can find out whether the document is about it.
		Hashes:   &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}},
		Licenses: &cdx.Licenses{{License: &cdx.License{ID: "Apache-2.0"}}}, Properties: settings(info),
	}
	doc := cdx.NewBOM()
	doc.SerialNumber = uuid.NewHash(sha256.New(), uuid.NameSpaceOID, sum[:], 8).URN()
	doc.Metadata = &cdx.Metadata{Timestamp: timestamp, Component: &product}
	parts := components(info)
	doc.Components = &parts
	// All modules are named as parts of the binary: which of them needs which is not
	// written into it.
	refs := make([]string, len(parts))
	for i, p := range parts {
		refs[i] = p.BOMRef
	}
	doc.Dependencies = &[]cdx.Dependency{{Ref: product.BOMRef, Dependencies: &refs}}
	return doc, nil
}

// components are the modules of a binary, and Go's own library, which has holes now and then
// as any other part has.
func components(info *debug.BuildInfo) []cdx.Component {
	// Go's library has no entry among the modules; its version is that of the compiler.
	parts := []cdx.Component{library("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, m := range info.Deps {
		// What was built is the replacement.
		if m.Replace != nil {
			m = m.Replace
		}
		parts = append(parts, library(m.Path, m.Version, m.Sum))
	}
	return parts
}

// library is one module. Its package URL is the form in which databases of vulnerabilities
// name it. goSum is the hash that go.sum has of it; "" for none.
func library(path, version, goSum string) cdx.Component {
	url := "pkg:golang/" + path + "@" + version
	c := cdx.Component{Type: cdx.ComponentTypeLibrary, BOMRef: url, Name: path, Version: version, Scope: cdx.ScopeRequired, PackageURL: url}
	if goSum != "" { // a hash over the files of a module, of which CycloneDX has no kind
		c.Properties = &[]cdx.Property{{Name: "go:sum", Value: goSum}}
	}
	return c
}

// settings are those that the binary was built with, as the platform, and whether cgo was
// used: each may matter for whether a vulnerability does.
func settings(info *debug.BuildInfo) *[]cdx.Property {
	of := []cdx.Property{{Name: "go:version", Value: info.GoVersion}}
	for _, s := range info.Settings {
		of = append(of, cdx.Property{Name: "go:build:" + s.Key, Value: s.Value})
	}
	return &of
}
