package rules

import (
	"go/ast"
	"go/token"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/run"
)

// An enumTag is a field of the API whose tag lists the values that it may have.
type enumTag struct {
	field  string // as attempt.Attempt.Kind: package, type or function, field
	kind   string // the field's type, as event.DeliveryStatus; or string
	values []string
}

// An enumRow says what the values of a tag are, where the type of its field does not say it.
type enumRow struct {
	of    string // the constants: those of a type, or those whose names begin so
	part  string // why the tag has fewer of them; "": it has all
	more  string // a value beside those of the constants
	alone string // why there are no such constants; "": there are
}

// enumRows are the fields that are texts, and those that may have a part of the values of
// their type. All other tags list every constant of the type of their field.
var enumRows = map[string]enumRow{
	"access.AuditTarget.Kind":       {of: "access.Audit"},
	"access.AuditedJob.Kind":        {of: "job.Job", part: "the other two follow from other changes, whose entries tell of them"},
	"access.AuditedJob.What":        {of: "job.Recover"},
	"api.Job.Kind":                  {of: "job.Job"},
	"api.Job.What":                  {of: "job.Recover"},
	"api.attemptParams.Kind":        {of: "attempt.Kind"},
	"api.attemptParams.Outcome":     {of: "attempt.Outcome"},
	"api.blamedFieldShape.Unknown":  {alone: "two reasons of this answer alone"},
	"api.explanation.Delivery":      {of: "event.DeliveryStatus"},
	"api.feedItem.Gone":             {alone: "two reasons of this answer alone"},
	"api.handedCall.Method":         {alone: "every call is a POST"},
	"api.kindCounts.Kind":           {of: "attempt.Kind", part: "calls of shadows are counted by themselves"},
	"api.listAudit.Action":          {alone: "ids of operations: TestEveryChangeIsInTheAuditLog of test/contract compares them with what leaves an entry"},
	"api.listAudit.Kind":            {of: "access.Audit"},
	"api.listRuns.Resumable":        {alone: "a filter that is given or not"},
	"api.recentAttempt.Outcome":     {of: "attempt.Outcome"},
	"api.stuckRun.Status":           {of: "run.RunStatus", part: "a run is stuck where it ended badly"},
	"attempt.Attempt.Kind":          {of: "attempt.Kind"},
	"attempt.Attempt.Outcome":       {of: "attempt.Outcome"},
	"attempt.Disagreement.Result":   {of: "attempt.Result", part: "those that do not agree"},
	"workflow.BreakerState.Circuit": {of: "breaker.State", more: "off"},
}

// texts are the product's constants that are texts.
type texts struct {
	typed   map[string][]string // by their type, as event.DeliveryStatus
	untyped map[string]string   // by package and name, as attempt.KindStep
}

// constants finds them.
func constants(t *testing.T) texts {
	all := texts{map[string][]string{}, map[string]string{}}
	eachFile(t, func(p listed, _ string, file *ast.File) {
		for _, d := range file.Decls {
			group, ok := d.(*ast.GenDecl)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, s := range group.Specs {
				all.add(path.Base(p.ImportPath), s.(*ast.ValueSpec))
			}
		}
	})
	return all
}

// add adds one constant, if it is a text that stands there itself.
func (c texts) add(of string, s *ast.ValueSpec) {
	if len(s.Names) != 1 || len(s.Values) != 1 {
		return
	}
	literal, ok := s.Values[0].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return
	}
	if kind, ok := s.Type.(*ast.Ident); ok {
		c.typed[of+"."+kind.Name] = append(c.typed[of+"."+kind.Name], text)
		return
	}
	c.untyped[of+"."+s.Names[0].Name] = text
}

// of returns the constants of a type, or those whose names begin so.
func (c texts) of(what string) []string {
	found := slices.Clone(c.typed[what])
	for name, text := range c.untyped {
		if strings.HasPrefix(name, what) {
			found = append(found, text)
		}
	}
	return found
}

// enumTags returns the fields that have such a tag, but for the flags of the command line.
func enumTags(t *testing.T) (tags []enumTag) {
	eachFile(t, func(p listed, _ string, file *ast.File) {
		if strings.HasPrefix(p.ImportPath, "cmd/") {
			return
		}
		of := path.Base(p.ImportPath)
		for _, d := range file.Decls {
			within := of + "." + declared(d)
			ast.Inspect(d, func(n ast.Node) bool {
				if s, ok := n.(*ast.TypeSpec); ok {
					within = of + "." + s.Name.Name
				}
				if f, ok := n.(*ast.Field); ok && f.Tag != nil && len(f.Names) == 1 {
					text, _ := strconv.Unquote(f.Tag.Value)
					if list, has := reflect.StructTag(text).Lookup("enum"); has {
						tags = append(tags, enumTag{within + "." + f.Names[0].Name, typeName(of, f.Type), strings.Split(list, ",")})
					}
				}
				return true
			})
		}
	})
	return tags
}

// declared is the name of the function that a declaration is; "" for any other.
func declared(d ast.Decl) string {
	if f, ok := d.(*ast.FuncDecl); ok {
		return f.Name.Name
	}
	return ""
}

// typeName returns the type of a field with its package, as event.DeliveryStatus, and string
// as it is.
func typeName(of string, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			return x.Name + "." + e.Sel.Name
		}
	case *ast.Ident:
		if e.Name != "string" {
			return of + "." + e.Name
		}
	}
	return "string"
}

// TestEnumsListTheirConstants: the OpenAPI document, and what refuses other values, go by tags,
// which no compiler compares with the constants. So a new constant that a tag lacks fails here.
func TestEnumsListTheirConstants(t *testing.T) {
	all := constants(t)
	seen := map[string]bool{}
	for _, tag := range enumTags(t) {
		row, known := enumRows[tag.field]
		seen[tag.field] = true
		if row.alone != "" {
			continue
		}
		if !known {
			row.of = tag.kind
		}
		want := all.of(row.of)
		if len(want) == 0 {
			t.Errorf("%s lists values, and nothing says of which constants: give it a row in enumRows", tag.field)
			continue
		}
		if row.more != "" {
			want = append(want, row.more)
		}
		compareEnum(t, tag.field+": the tag enum", tag.values, want, row.part != "")
	}
	for field := range enumRows {
		if !seen[field] {
			t.Errorf("enumRows has a row for %s, which has no tag", field)
		}
	}
}

// compareEnum compares a list with the constants, in any order. A part lacks at least one.
func compareEnum(t *testing.T, what string, got, want []string, part bool) {
	t.Helper()
	for _, v := range got {
		if !slices.Contains(want, v) {
			t.Errorf("%s has %q, which is none of the constants %q", what, v, want)
		}
	}
	lacks := slices.DeleteFunc(slices.Clone(want), func(v string) bool { return slices.Contains(got, v) })
	if len(lacks) > 0 != part {
		t.Errorf("%s lacks %q", what, lacks)
	}
}

// TestListsOfConstantsAreWhole looks at the lists that stand beside constants.
func TestListsOfConstantsAreWhole(t *testing.T) {
	all := constants(t)
	for of, list := range map[string][]string{
		"run.RunStatus":        textsOf(run.RunStatuses),
		"event.DeliveryStatus": textsOf(event.DeliveryStatuses),
		"access.Role":          textsOf(access.Roles),
		"access.Audit":         access.AuditKinds,
		"attempt.Kind":         attempt.Kinds,
		"attempt.Outcome":      attempt.Outcomes,
	} {
		compareEnum(t, "the list of "+of, list, all.of(of), false)
	}
}

func textsOf[T ~string](list []T) []string {
	out := make([]string, len(list))
	for i, v := range list {
		out[i] = string(v)
	}
	return out
}
