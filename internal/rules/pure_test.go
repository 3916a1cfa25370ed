package rules

import (
	"slices"
	"strings"
	"testing"
)

// pure is the packages that neither read files nor reach the network or a database.
var pure = append([]string{"internal/admission", "internal/clock"}, timeless...)

// timeless is those of them that do not read the time, either: it is a fact like
// others, which they are given.
var timeless = []string{"internal/access", "internal/apierr", "internal/attempt", "internal/cart", "internal/event", "internal/export", "internal/ids", "internal/job",
	"internal/jsondoc", "internal/order", "internal/run", "internal/schema", "internal/spelling", "internal/stock", "internal/timetext", "internal/weburl", "internal/settings", "internal/filter", "internal/fair", "internal/secret", "internal/redact", "internal/breaker", "internal/store/bodyindex", decide}

const decide = "internal/workflow/decide"

// outside is what no pure package imports; "os/" is all that lies beneath os.
var outside = []string{"database/", "io/fs", "io/ioutil", "log", "modernc.org/", "net", "net/http", "net/http/", "net/rpc", "net/smtp", "net/textproto",
	"os", "os/", "path/filepath", "plugin"}

// clocks is what of the package time depends on when it is called.
var clocks = []string{"After", "AfterFunc", "NewTicker", "NewTimer", "Now", "Since", "Sleep", "Tick", "Until"}

// mayReadTheTime are the exceptions, by file: a filter's now() is when it is evaluated.
var mayReadTheTime = map[string][]string{"internal/filter/function.go": {"Now"}}

func TestTheDomainIsPure(t *testing.T) {
	seen := 0
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.ImportPath) {
			continue
		}
		seen++
		for _, imported := range p.Imports {
			if isOutside(imported) {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
	}
	if seen != len(pure) {
		t.Errorf("of %d packages that are to be pure %d are there", len(pure), seen)
	}
}

// TestTheCheckCallsAsTheServerDoes: it reaches the network through internal/outbound, and
// nothing else by itself, so that what it finds is what a server would.
func TestTheCheckCallsAsTheServerDoes(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != "internal/checkup" {
			continue
		}
		for _, imported := range p.Imports {
			if isOutside(imported) || strings.HasPrefix(imported, module+"internal/store") {
				t.Errorf("%s imports %s", p.ImportPath, imported)
			}
		}
		return
	}
	t.Error("internal/checkup is not there")
}

func isOutside(path string) bool {
	return slices.ContainsFunc(outside, func(o string) bool {
		return path == o || strings.HasSuffix(o, "/") && strings.HasPrefix(path, o)
	})
}

func TestTheDomainIsGivenTheTime(t *testing.T) {
	eachUse(t, func(p listed, file, of, what string) {
		if of == "time" && slices.Contains(timeless, p.ImportPath) && slices.Contains(clocks, what) && !slices.Contains(mayReadTheTime[file], what) {
			t.Errorf("%s uses time.%s: it is to be given the time", file, what)
		}
	})
}

// What a workflow does is decided from facts alone: whatever waits, or is somebody
// else's to end, stands outside.
func TestDecisionsAreMadeOfFactsAlone(t *testing.T) {
	for _, p := range packages(t) {
		if p.ImportPath != decide {
			continue
		}
		for _, forbidden := range []string{"context", "database/sql", "io", "math/rand", "math/rand/v2", "sync", module + "internal/clock"} {
			if slices.Contains(p.Imports, forbidden) {
				t.Errorf("%s imports %s", decide, forbidden)
			}
		}
	}
}
