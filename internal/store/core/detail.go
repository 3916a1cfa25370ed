package core

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/attempt"
)

// appendDetail appends the JSON of a detail without its bodies, as decode reads it
// (attempt.AttemptDetail has the names; TestDetail compares the two). It is written by
// hand, because it is done for every request that goes out: by reflection it takes four
// times as long.
func appendDetail(b []byte, d *attempt.AttemptDetail) []byte {
	b = append(b, `{"request":`...)
	b = appendMessage(b, &d.Request)
	if d.Response != nil {
		b = append(b, `,"response":`...)
		b = appendMessage(b, d.Response)
	}
	if d.RemoteAddr != "" {
		b = append(b, `,"remoteAddr":`...)
		b = appendQuoted(b, d.RemoteAddr)
	}
	if d.TLSVersion != "" {
		b = append(b, `,"tlsVersion":`...)
		b = appendQuoted(b, d.TLSVersion)
	}
	b = append(b, `,"timing":{`...)
	// All four are written, 0 too: a kept connection needs neither DNS nor a handshake.
	b = appendMillis(b, `"dns":`, d.Timing.DNS)
	b = appendMillis(b, `,"connect":`, d.Timing.Connect)
	b = appendMillis(b, `,"tls":`, d.Timing.TLS)
	b = appendMillis(b, `,"firstByte":`, d.Timing.FirstByte)
	b = append(b, '}')
	if l := d.Listener; l != nil {
		b = appendQuoted(append(b, `,"listener":{"interceptionId":`...), l.InterceptionID)
		b = appendQuoted(append(b, `,"keyId":`...), l.KeyID)
		if l.KeyName != "" {
			b = appendQuoted(append(b, `,"keyName":`...), l.KeyName)
		}
		b = append(b, '}')
	}
	if d.Comparison != nil {
		b = appendComparison(append(b, `,"comparison":`...), d.Comparison)
	}
	return append(b, '}')
}

// appendComparison appends the JSON of a comparison. Its paths and values come of what an
// endpoint answered, and whatever that was, it is stored: the record of an attempt must
// not fail for it.
func appendComparison(b []byte, c *attempt.Comparison) []byte {
	b = appendQuoted(append(b, `{"shadowId":`...), c.ShadowID)
	b = appendQuoted(append(b, `,"with":`...), c.With)
	b = appendQuoted(append(b, `,"result":`...), string(c.Result))
	if len(c.Differences) > 0 {
		b = append(b, `,"differences":[`...)
		for _, d := range c.Differences {
			b = appendQuoted(append(separated(b, '['), `{"path":`...), d.Path)
			b = appendValue(append(b, `,"live":`...), d.Live)
			b = append(appendValue(append(b, `,"shadow":`...), d.Shadow), '}')
		}
		b = append(b, ']')
	}
	if c.More != 0 {
		b = strconv.AppendInt(append(b, `,"more":`...), int64(c.More), 10)
	}
	return append(b, '}')
}

// appendValue appends a value that is JSON already; none is null. One that decode would not
// read again is stored as one that is too large is (attempt.Difference): with it nobody could
// read the whole record any more.
func appendValue(b []byte, v jsontext.Value) []byte {
	switch {
	case len(v) == 0:
		return append(b, "null"...)
	case !v.IsValid():
		return append(b, `"…"`...)
	}
	return append(b, v...)
}

// appendMessage appends the JSON of a message without its body, which has a column of its
// own. bodyBytes is the size of the body as it was, of which only the beginning may be
// stored.
func appendMessage(b []byte, m *attempt.Message) []byte {
	b = append(b, '{')
	if m.Method != "" {
		b = append(b, `"method":`...)
		b = append(appendQuoted(b, m.Method), ',')
	}
	b = append(b, `"headers":`...)
	// An attempt whose details were erased has none, which is not the same as no header.
	if m.Headers == nil {
		b = append(b, "null"...)
	} else {
		b = append(b, '{')
		for name, values := range m.Headers { // in any order: the reader has a map, too
			b = append(appendQuoted(separated(b, '{'), name), ':', '[')
			for _, value := range values {
				b = appendQuoted(separated(b, '['), value)
			}
			b = append(b, ']')
		}
		b = append(b, '}')
	}
	b = append(b, `,"bodyBytes":`...)
	b = strconv.AppendInt(b, m.BodyBytes, 10)
	if m.Truncated {
		b = append(b, `,"truncated":true`...)
	}
	return append(b, '}')
}

// separated appends a comma unless the list has just been opened with this byte.
func separated(b []byte, open byte) []byte {
	if b[len(b)-1] == open {
		return b
	}
	return append(b, ',')
}

// appendQuoted appends a text; what is not valid UTF-8 in it becomes U+FFFD.
func appendQuoted(b []byte, text string) []byte {
	b, _ = jsontext.AppendQuote(b, text)
	return b
}

// appendMillis appends a number of milliseconds with its name, as short as it reads back
// the same.
func appendMillis(b []byte, name string, ms float64) []byte {
	return strconv.AppendFloat(append(b, name...), ms, 'f', -1, 64)
}
