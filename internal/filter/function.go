package filter

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// functions are those of values. Each takes its steps before it does anything
// that grows with them.
var functions = map[string]func(x *evaluation, args []any) any{
	"len":         (*evaluation).length,
	"abs":         (*evaluation).absolute,
	"ceil":        rounding(decimal.Decimal.Ceil),
	"floor":       rounding(decimal.Decimal.Floor),
	"round":       rounding(func(d decimal.Decimal) decimal.Decimal { return d.Round(0) }),
	"int":         (*evaluation).whole,
	"float":       (*evaluation).number,
	"string":      (*evaluation).text,
	"upper":       texts(func(t []string) any { return strings.ToUpper(t[0]) }),
	"lower":       texts(func(t []string) any { return strings.ToLower(t[0]) }),
	"trim":        texts(func(t []string) any { return trimmed(t, strings.TrimSpace, strings.Trim) }),
	"trimPrefix":  texts(func(t []string) any { return strings.TrimPrefix(t[0], cut(t)) }),
	"trimSuffix":  texts(func(t []string) any { return strings.TrimSuffix(t[0], cut(t)) }),
	"hasPrefix":   texts(func(t []string) any { return strings.HasPrefix(t[0], t[1]) }),
	"hasSuffix":   texts(func(t []string) any { return strings.HasSuffix(t[0], t[1]) }),
	"indexOf":     texts(func(t []string) any { return int64(strings.Index(t[0], t[1])) }),
	"lastIndexOf": texts(func(t []string) any { return int64(strings.LastIndex(t[0], t[1])) }),
	"split":       (*evaluation).split,
	"join":        (*evaluation).join,
	"max":         func(x *evaluation, args []any) any { return x.extreme(args, 1) },
	"min":         func(x *evaluation, args []any) any { return x.extreme(args, -1) },
	"mean":        (*evaluation).mean,
	"now":         func(*evaluation, []any) any { return time.Now().UTC() },
	"date":        (*evaluation).date,
	"duration":    (*evaluation).duration,
	"first":       func(x *evaluation, args []any) any { return x.get(args[0], int64(0)) },
	"last":        func(x *evaluation, args []any) any { return x.get(args[0], int64(-1)) },
	"get":         func(x *evaluation, args []any) any { return x.get(args[0], args[1]) },
	"take":        (*evaluation).take,
	"keys":        (*evaluation).keys,
	"values":      (*evaluation).values,
	"concat":      (*evaluation).concat,
}

// texts makes a function of texts, which it looks at once.
func texts(do func([]string) any) func(*evaluation, []any) any {
	return func(x *evaluation, args []any) any {
		all := make([]string, len(args))
		for i, a := range args {
			text, isText := a.(string)
			if !isText {
				x.fail("needs text, not %s", kind(a))
			}
			x.step(1 + len(text)/digitsStep)
			all[i] = text
		}
		return do(all)
	}
}

func trimmed(t []string, space func(string) string, chars func(string, string) string) any {
	if len(t) > 1 {
		return chars(t[0], t[1])
	}
	return space(t[0])
}

// cut is what trimPrefix and trimSuffix take off: a space, where nothing is said.
func cut(t []string) string {
	if len(t) > 1 {
		return t[1]
	}
	return " "
}

func (x *evaluation) length(args []any) any {
	switch v := args[0].(type) {
	case string:
		x.step(1 + len(v)/textStep)
		return int64(utf8.RuneCountInString(v))
	case []any:
		return int64(len(v))
	case map[string]any:
		return int64(len(v))
	}
	panic(faultf("%s has no length", kind(args[0])))
}

func (x *evaluation) decimal(v any) decimal.Decimal {
	d, ok := asDecimal(v)
	if !ok {
		x.fail("needs a number, not %s", kind(v))
	}
	x.step(5)
	return d
}

func (x *evaluation) absolute(args []any) any { return x.bounded(x.decimal(args[0]).Abs()) }

func rounding(round func(decimal.Decimal) decimal.Decimal) func(*evaluation, []any) any {
	return func(x *evaluation, args []any) any { return x.bounded(round(x.decimal(args[0]))) }
}

// number reads a number, also from text.
func (x *evaluation) number(args []any) any {
	text, isText := args[0].(string)
	if !isText {
		return x.bounded(x.decimal(args[0]))
	}
	x.step(5 + min(len(text), mostDigits)/digitsStep)
	v, err := parseNumber(text)
	if err != nil {
		x.fail("the text is no number")
	}
	return v
}

func (x *evaluation) whole(args []any) any { return x.bounded(x.decimal(x.number(args)).Truncate(0)) }

func (x *evaluation) text(args []any) any {
	switch v := args[0].(type) {
	case string:
		return v
	case nil:
		return "nil"
	case bool:
		if v {
			return "true"
		}
		return "false"
	case time.Time:
		return v.Format(time.RFC3339Nano)
	case time.Duration:
		return v.String()
	}
	if !isNumber(args[0]) {
		x.fail("%s is not written as text here", kind(args[0]))
	}
	d := x.decimal(args[0])
	x.step(10 + (d.Coefficient().BitLen()/4+int(abs(int64(d.Exponent()))))/digitsStep)
	return d.String()
}

func (x *evaluation) split(args []any) any {
	text, isText := args[0].(string)
	by, isText2 := args[1].(string)
	if !isText || !isText2 {
		x.fail("split takes texts")
	}
	most := int64(-1)
	if len(args) > 2 {
		most, _ = args[2].(int64)
	}
	x.step(len(text)/textStep + 4*strings.Count(text, by) + 1)
	out := []any{}
	for _, part := range strings.SplitN(text, by, int(most)) {
		out = append(out, part)
	}
	return out
}

func (x *evaluation) join(args []any) any {
	list, isList := args[0].([]any)
	by := ""
	if len(args) > 1 {
		by, _ = args[1].(string)
	}
	if !isList {
		x.fail("join takes an array of texts")
	}
	parts := make([]string, len(list))
	for i := range list {
		part, isText := load(list[i]).(string)
		if !isText {
			x.fail("join takes an array of texts")
		}
		x.step(1 + (len(part)+len(by))/textStep)
		parts[i] = part
	}
	return strings.Join(parts, by)
}

// elements are the arguments themselves, or those of the one array among them.
func elements(args []any) []any {
	if list, isList := args[0].([]any); isList && len(args) == 1 {
		return list
	}
	return args
}

// extreme returns the greatest number, or with -1 the least.
func (x *evaluation) extreme(args []any, sign int) any {
	var best any
	for _, v := range elements(args) {
		v = load(v)
		x.decimal(v)
		if best == nil || x.compareNumbers(v, best)*sign > 0 {
			best = v
		}
	}
	if best == nil {
		x.fail("the array is empty")
	}
	return best
}

func (x *evaluation) mean(args []any) any {
	list := elements(args)
	if len(list) == 0 {
		x.fail("the array is empty")
	}
	loaded := make([]any, len(list))
	for i := range list {
		loaded[i] = load(list[i])
	}
	return x.calculate("/", x.total(loaded), int64(len(list)))
}

// dateLayouts are those that date() knows by itself.
var dateLayouts = []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly, time.RFC1123, time.RFC1123Z}

func (x *evaluation) date(args []any) any {
	text, isText := args[0].(string)
	if !isText {
		x.fail("date takes text, not %s", kind(args[0]))
	}
	layouts := dateLayouts
	if len(args) > 1 {
		layout, _ := args[1].(string)
		layouts = []string{layout}
	}
	x.step(20 + (len(text)+len(layouts[0]))/digitsStep)
	for _, layout := range layouts {
		if at, err := time.Parse(layout, text); err == nil {
			return at
		}
	}
	panic(fault("the text is no date"))
}

func (x *evaluation) duration(args []any) any {
	text, _ := args[0].(string)
	x.step(5 + len(text)/digitsStep)
	d, err := time.ParseDuration(text)
	if err != nil {
		x.fail("the text is no duration, as 1h30m is one")
	}
	return d
}

// get returns a member or an element, nil where there is none.
func (x *evaluation) get(from, key any) any {
	switch from := from.(type) {
	case map[string]any:
		name, _ := key.(string)
		return load(from[name])
	case []any:
		i, isInt := key.(int64)
		if i < 0 {
			i += int64(len(from))
		}
		if isInt && i >= 0 && i < int64(len(from)) {
			return load(from[i])
		}
	}
	return nil
}

func (x *evaluation) take(args []any) any {
	list, isList := args[0].([]any)
	n, isInt := args[1].(int64)
	if !isList || !isInt || n < 0 {
		x.fail("take takes an array and a whole number")
	}
	return list[:min(n, int64(len(list)))]
}

func (x *evaluation) keys(args []any) any {
	out := []any{}
	for name := range x.members(args) {
		out = append(out, name)
	}
	return out
}

func (x *evaluation) values(args []any) any {
	out := []any{}
	for _, v := range x.members(args) {
		out = append(out, v)
	}
	return out
}

func (x *evaluation) members(args []any) map[string]any {
	object, isMap := args[0].(map[string]any)
	if !isMap {
		x.fail("needs a map, not %s", kind(args[0]))
	}
	x.step(4 * len(object))
	return object
}

func (x *evaluation) concat(args []any) any {
	out := []any{}
	for _, a := range args {
		list, isList := a.([]any)
		if !isList {
			x.fail("concat takes arrays")
		}
		x.step(len(list))
		out = append(out, list...)
	}
	return out
}
