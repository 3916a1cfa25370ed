package filter

import (
	"strings"
	"time"
	"unicode/utf8"

	"github.com/shopspring/decimal"
)

// functions are those of values. Each takes its steps before it does anything
// that grows with them. check has seen to it that a filter calls no others.
var functions = map[string]func(x *evaluation, args []any) any{
	// Of texts, arrays and maps.
	"len": (*evaluation).length,
	// Of numbers. What comes out is exact, and bounded as every number is.
	"abs":    (*evaluation).absolute,
	"ceil":   rounding(decimal.Decimal.Ceil),
	"floor":  rounding(decimal.Decimal.Floor),
	"round":  rounding(func(d decimal.Decimal) decimal.Decimal { return d.Round(0) }),
	"int":    (*evaluation).whole,
	"float":  (*evaluation).number,
	"string": (*evaluation).text,
	// Of texts. Positions in them count bytes.
	"upper":       texts(func(t []string) any { return strings.ToUpper(t[0]) }),
	"lower":       texts(func(t []string) any { return strings.ToLower(t[0]) }),
	"trim":        texts(func(t []string) any { return trimmed(t, strings.TrimSpace, strings.Trim) }),
	"trimPrefix":  texts(func(t []string) any { return strings.TrimPrefix(t[0], cut(t)) }),
	"trimSuffix":  texts(func(t []string) any { return strings.TrimSuffix(t[0], cut(t)) }),
	"hasPrefix":   texts(func(t []string) any { return strings.HasPrefix(t[0], t[1]) }),
	"hasSuffix":   texts(func(t []string) any { return strings.HasSuffix(t[0], t[1]) }),
	"indexOf":     texts(func(t []string) any { return int64(strings.Index(t[0], t[1])) }),
	"lastIndexOf": texts(func(t []string) any { return int64(strings.LastIndex(t[0], t[1])) }),
	// From texts to arrays and back.
	"split": (*evaluation).split,
	"join":  (*evaluation).join,
	// Of several numbers, or of those in one array.
	"max":  func(x *evaluation, args []any) any { return x.extreme(args, 1) },
	"min":  func(x *evaluation, args []any) any { return x.extreme(args, -1) },
	"mean": (*evaluation).mean,
	// Of time. With now, the same event may be admitted today and not tomorrow.
	"now":      func(*evaluation, []any) any { return time.Now().UTC() },
	"date":     (*evaluation).date,
	"duration": (*evaluation).duration,
	// Of arrays and maps. They return parts and never change what they were given.
	"first":  endOf(0),
	"last":   endOf(-1),
	"get":    func(x *evaluation, args []any) any { return x.get(args[0], args[1]) },
	"take":   (*evaluation).take,
	"keys":   (*evaluation).keys,
	"values": (*evaluation).values,
	"concat": (*evaluation).concat,
}

// texts makes a function of texts, which it looks at once. The steps for each text are
// taken before the function does anything with it.
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

// trimmed takes off white space or, if they are given, certain characters.
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

// length is len(): the characters of a text, the elements of an array, the members of a
// map. nil has none, and to ask for it is an error.
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

// decimal returns a number to calculate with. Anything else is an error. It takes the steps
// of a small calculation.
func (x *evaluation) decimal(v any) decimal.Decimal {
	d, ok := asDecimal(v)
	if !ok {
		x.fail("needs a number, not %s", kind(v))
	}
	x.step(5)
	return d
}

// absolute is abs().
func (x *evaluation) absolute(args []any) any { return x.bounded(x.decimal(args[0]).Abs()) }

// rounding makes a function of a way to round to a whole number. The three are ceil, floor
// and round.
func rounding(round func(decimal.Decimal) decimal.Decimal) func(*evaluation, []any) any {
	return func(x *evaluation, args []any) any { return x.bounded(round(x.decimal(args[0]))) }
}

// number reads a number, also from text.
func (x *evaluation) number(args []any) any {
	text, isText := args[0].(string)
	if !isText {
		return x.bounded(x.decimal(args[0]))
	}
	// No more than that is looked at where a text is too long for a number.
	x.step(5 + min(len(text), mostDigits)/digitsStep)
	v, err := parseNumber(text)
	if err != nil {
		x.fail("the text is no number")
	}
	return v
}

// whole is int(): the number without what is behind its point.
func (x *evaluation) whole(args []any) any { return x.bounded(x.decimal(x.number(args)).Truncate(0)) }

// text is string(). Arrays and maps are not written as text, since they may be of any size.
// Numbers are written with all their digits.
func (x *evaluation) text(args []any) any {
	switch v := args[0].(type) {
	case string:
		return v
	// So texts can be put together of what may be missing.
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
	// A number is written without an exponent, so it may have many more digits than it
	// holds.
	x.step(10 + (d.Coefficient().BitLen()/4+int(abs(int64(d.Exponent()))))/digitsStep)
	return d.String()
}

// split takes its steps by the number of parts, not by the text alone: each part is a value
// of its own, and one of a short text may be many. With an empty separator, each character
// is a part.
func (x *evaluation) split(args []any) any {
	text, isText := args[0].(string)
	by, isText2 := args[1].(string)
	if !isText || !isText2 {
		x.fail("split takes texts")
	}
	// Without a third argument there may be any number of parts.
	most := int64(-1)
	if len(args) > 2 {
		var isInt bool
		if most, isInt = args[2].(int64); !isInt {
			x.fail("split makes a whole number of parts, not %s of them", kind(args[2]))
		}
	}
	x.step(len(text)/textStep + 4*strings.Count(text, by) + 1)
	out := []any{}
	for _, part := range strings.SplitN(text, by, int(most)) {
		out = append(out, part)
	}
	return out
}

// join is the reverse of split; elements that are no texts are an error. Without a second
// argument nothing stands between them.
func (x *evaluation) join(args []any) any {
	list, isList := args[0].([]any)
	if !isList {
		x.fail("join takes an array of texts")
	}
	by := ""
	if len(args) > 1 {
		var isText bool
		if by, isText = args[1].(string); !isText {
			x.fail("join puts text between the texts, not %s", kind(args[1]))
		}
	}
	parts := make([]string, len(list))
	for i := range list {
		part, isText := load(list[i]).(string)
		if !isText {
			x.fail("join takes an array of texts")
		}
		// A separator counts with each part, since it is written as often.
		x.step(1 + (len(part)+len(by))/textStep)
		parts[i] = part
	}
	return strings.Join(parts, by)
}

// elements adds the arguments to a list, with the elements of arrays among them in their
// place, however deep. So max(1, 2) is the same as max([1, 2]) and as max(1, [2]).
func (x *evaluation) elements(args, list []any) []any {
	for _, v := range args {
		x.step(1)
		v = load(v)
		if within, isList := v.([]any); isList {
			list = x.elements(within, list)
			continue
		}
		list = append(list, v)
	}
	return list
}

// extreme returns the greatest number, or with -1 the least; nil if there is none. Of equal
// ones it is the first.
func (x *evaluation) extreme(args []any, sign int) any {
	var best any
	for _, v := range x.elements(args, nil) {
		// This refuses what is no number.
		x.decimal(v)
		if best == nil || x.compareNumbers(v, best)*sign > 0 {
			best = v
		}
	}
	return best
}

// mean is the sum by the count, rounded as every quotient is; 0 of no numbers. Each element
// must be a number.
func (x *evaluation) mean(args []any) any {
	list := x.elements(args, nil)
	return x.calculate("/", x.total(list), int64(max(1, len(list))))
}

// dateLayouts are those that date() knows by itself: those of the filter language, and some
// that other systems write. They are tried one after the other.
var dateLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", time.DateTime, time.DateOnly, time.TimeOnly,
	time.RFC822, time.RFC850, time.RFC1123, time.RFC1123Z,
}

// date reads a time, in the layout that is given, or in one of dateLayouts. One without a zone
// is in UTC, whatever the zone of the server. A text in another form is an error.
func (x *evaluation) date(args []any) any {
	text, isText := args[0].(string)
	if !isText {
		x.fail("date takes text, not %s", kind(args[0]))
	}
	layouts := dateLayouts
	if len(args) > 1 {
		layout, isText := args[1].(string)
		if !isText {
			x.fail("the layout of date is text, not %s", kind(args[1]))
		}
		layouts = []string{layout}
	}
	x.step(20 + (len(text)+len(layouts[0]))/digitsStep)
	for _, layout := range layouts {
		if at, err := time.ParseInLocation(layout, text, time.UTC); err == nil {
			x.known(at)
			return at
		}
	}
	panic(fault("the text is no date"))
}

// known refuses a time whose zone is an abbreviation, as CET. Go reads each of those but UTC
// and GMT as if it were UTC, or as the zone of the server has it.
func (x *evaluation) known(at time.Time) {
	name, offset := at.Zone()
	if offset == 0 && name != "" && name != "UTC" && name != "GMT" {
		x.fail("the time zone %s is ambiguous: an offset as +01:00 is not", clip(name))
	}
}

// duration reads a duration as Go writes it. It is no ISO 8601, as elsewhere: the filter
// language has this form.
func (x *evaluation) duration(args []any) any {
	text, _ := args[0].(string)
	x.step(5 + len(text)/digitsStep)
	d, err := time.ParseDuration(text)
	if err != nil {
		x.fail("the text is no duration, as 1h30m is one")
	}
	return d
}

// get returns a member or an element, nil where there is none. Unlike a member that the
// filter names, one that is not there is no error. What could find nothing in any such value
// is one, since that is a slip.
func (x *evaluation) get(from, key any) any {
	if from == nil {
		return nil
	}
	if list, isList := from.([]any); isList {
		// An index below 0 counts from the end.
		length := int64(len(list))
		if i, isInt := key.(int64); isInt && (i >= length || i < -length) {
			return nil
		}
	}
	return load(x.member(from, key))
}

// endOf makes a function that returns the element with an index, nil of an array without one
// and of nil. Of anything else but an array that is an error.
func endOf(i int64) func(*evaluation, []any) any {
	return func(x *evaluation, args []any) any {
		switch args[0].(type) {
		case nil, []any:
			return x.get(args[0], i)
		}
		panic(faultf("needs an array, not %s", kind(args[0])))
	}
}

// take returns the first elements of an array; all, if it has fewer. They are not copied,
// since nothing changes an array.
func (x *evaluation) take(args []any) any {
	list, isList := args[0].([]any)
	n, isInt := args[1].(int64)
	if !isList || !isInt || n < 0 {
		x.fail("take takes an array and a whole number")
	}
	return list[:min(n, int64(len(list)))]
}

// keys returns the names of a map's members, in no order. A filter that depends on their
// order is wrong.
func (x *evaluation) keys(args []any) any {
	out := []any{}
	for name := range x.members(args) {
		out = append(out, name)
	}
	return out
}

// values returns the values of a map's members, in no order. They may not have been read
// yet.
func (x *evaluation) values(args []any) any {
	out := []any{}
	for _, v := range x.members(args) {
		out = append(out, v)
	}
	return out
}

// members is the map that keys and values look through, once the steps for its size were taken.
func (x *evaluation) members(args []any) map[string]any {
	object, isMap := args[0].(map[string]any)
	if !isMap {
		x.fail("needs a map, not %s", kind(args[0]))
	}
	x.step(4 * len(object))
	return object
}

// concat puts arrays one behind the other. The steps for each array are taken before it is
// copied.
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
