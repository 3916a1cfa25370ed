package rules

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
)

// One thing has one word in this project, and the word is the one that others in this
// field use: the glossary of ARCHITECTURE.md has them. The words below meant the same as
// another word, or several things, and were replaced. This test keeps them from coming
// back.

// A retiredWord is a word that is not used any more.
type retiredWord struct {
	word *regexp.Regexp // of the whole word, in lower case
	use  string         // what to write instead
	// names says that the word is retired only as a part of a name in the code: in a
	// sentence it is plain English.
	names bool
	// except are the files, or folders, that need the word: for a name that goes over the
	// wire, or for another meaning that no other word has.
	except []string
}

var retiredWords = []retiredWord{
	{word: is(`lanes?`), use: "order queue, or endpoint queue"},
	{word: is(`settl(e|es|ed|ing|ements?)|unsettled`), use: "complete, completion"},
	{word: is(`recorders?`), use: "completer", except: []string{"internal/dash/fake_test.go", "internal/dash/live_test.go"}},
	{word: is(`rooms?`), use: "memory budget, budget, space", names: true},
	{word: is(`(un)?judg(e|es|ed|ing|ements?|ments?)`), use: "classify an answer, evaluate a filter, check a value"},
	{word: is(`forward`), use: "advance", names: true},
	{word: is(`rests|rested|resting`), use: "delay, pause, depend on"},
	{word: is(`kick(s|ed|ing)?`), use: "wake"},
	{word: is(`carry|carried`), use: "rebase", names: true},
	{word: is(`descen(d|ds|ded|ding|t)`), use: "scan"},
	{word: is(`ill`), use: "unhealthy"},
	{word: is(`hasten(s|ed)?`), use: "reschedule"},
	{word: is(`mistakes?|mistaken`), use: "error, user error"},
	{word: is(`releas(e|es|ed|ing)`), use: "unblock, free, return", names: true,
		except: []string{"cmd/orderhook/version.go", "internal/clock/clocktest/fake.go"}},
	{word: is(`kept`), use: "stored, retained, unchanged", names: true},
	{word: is(`standing`), use: "current, in force"},
	{word: is(`brak(e|es|ed|ing)`), use: "status rate limit"},
	{word: is(`vaults?`), use: "secret cache"},
	{word: is(`deeds?`), use: "action"},
	{word: is(`upkeep`), use: "maintenance"},
}

// unchecked are the list of the words, and the migrations: what has been applied to a
// database is not edited.
var unchecked = []string{"internal/rules/words_test.go", "internal/store/sqlite/migrations"}

// is matches whole words.
func is(words string) *regexp.Regexp { return regexp.MustCompile(`^(` + words + `)$`) }

// retiredIn returns the retired words among those of a file, each with what to write
// instead. Names are those of the code, prose is what people read.
func retiredIn(name string, names, prose []string) (found []string) {
	for _, r := range retiredWords {
		if withinAny(name, r.except) {
			continue
		}
		words := names
		if !r.names {
			words = append(slices.Clip(names), prose...)
		}
		for _, w := range words {
			if r.word.MatchString(w) {
				found = append(found, "the word "+w+" is retired: write "+r.use)
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// withinAny reports whether a file is one of these, or in one of these folders.
func withinAny(name string, places []string) bool {
	return slices.ContainsFunc(places, func(at string) bool {
		return name == at || strings.HasPrefix(name, at+"/")
	})
}

// wordsOf splits a text, or a name, into its words, in lower case: mostOldRuns is most,
// old and runs.
func wordsOf(text string) (words []string) {
	var word []rune
	end := func() {
		if len(word) > 0 {
			words, word = append(words, strings.ToLower(string(word))), nil
		}
	}
	runes := []rune(text)
	for i, r := range runes {
		begins := unicode.IsUpper(r) && i > 0 && (unicode.IsLower(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1]))
		if !unicode.IsLetter(r) || begins {
			end()
		}
		if unicode.IsLetter(r) {
			word = append(word, r)
		}
	}
	end()
	return words
}

// namesOf returns the words of the names that a file of Go declares. What it uses of
// other packages is named by them.
func namesOf(file *ast.File) (words []string) {
	add := func(names ...*ast.Ident) {
		for _, n := range names {
			if n != nil {
				words = append(words, wordsOf(n.Name)...)
			}
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			add(n.Name)
		case *ast.TypeSpec:
			add(n.Name)
		case *ast.ValueSpec:
			add(n.Names...)
		case *ast.Field:
			add(n.Names...)
		case *ast.AssignStmt:
			if n.Tok == token.DEFINE {
				for _, to := range n.Lhs {
					id, _ := to.(*ast.Ident)
					add(id)
				}
			}
		}
		return true
	})
	return words
}

// inlineCode is code within a sentence: it names things, and does not tell of them.
var inlineCode = regexp.MustCompile("`[^`\n]*`")

// spoken returns the words of a file: those of its names, and those that people read.
func spoken(name, text string) (names, prose []string) {
	switch path.Ext(name) {
	case ".go":
		file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.SkipObjectResolution)
		if err != nil {
			return nil, nil // the compiler says what is wrong with it
		}
		return append(namesOf(file), wordsOf(path.Base(name))...), wordsOf(commentsOf(text))
	case ".md":
		return nil, wordsOf(inlineCode.ReplaceAllString(outsideLinks(text), ""))
	}
	return nil, wordsOf(text)
}

func TestRetiredWordsDoNotComeBack(t *testing.T) {
	project := os.DirFS("../..")
	all, err := fileNames(project)
	if err != nil {
		t.Fatal(err)
	}
	for name := range all {
		if !cites(name) || path.Ext(name) == "" || withinAny(name, unchecked) {
			continue
		}
		text, err := fs.ReadFile(project, name)
		if err != nil {
			t.Fatal(err)
		}
		names, prose := spoken(name, string(text))
		for _, what := range retiredIn(name, names, prose) {
			t.Errorf("%s: %s", name, what)
		}
	}
}

func TestRetiredWordsAreFound(t *testing.T) {
	const source = "package p\n\n// Each lane waits, and `kept` is fine here.\nfunc settleAll(kept int) { goOn := kept; other.Recorder(goOn) }\n"
	names, prose := spoken("p/judge.go", source)
	want := []string{
		"the word judge is retired: write classify an answer, evaluate a filter, check a value",
		"the word kept is retired: write stored, retained, unchanged",
		"the word lane is retired: write order queue, or endpoint queue",
		"the word settle is retired: write complete, completion",
	}
	if got := retiredIn("p/judge.go", names, prose); !slices.Equal(got, want) {
		t.Errorf("of the code: %q", got)
	}
	names, prose = spoken("README.md", "A lane, `a mistake`\n\n```\nill\n```\n\nWhat was kept.")
	if got := retiredIn("README.md", names, prose); !slices.Equal(got, want[2:3]) {
		t.Errorf("of a document: %q", got)
	}
}
