package core

import (
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/oms"
)

// appendDetail appends the JSON of a detail, its bodies left out, as decode
// reads it. It is written by hand as it is done for every request that goes
// out: by reflection it takes four times as long.
func appendDetail(b []byte, d *oms.AttemptDetail) []byte {
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
	b = appendMillis(b, `"dns":`, d.Timing.DNS)
	b = appendMillis(b, `,"connect":`, d.Timing.Connect)
	b = appendMillis(b, `,"tls":`, d.Timing.TLS)
	b = appendMillis(b, `,"firstByte":`, d.Timing.FirstByte)
	return append(b, "}}"...)
}

func appendMessage(b []byte, m *oms.Message) []byte {
	b = append(b, '{')
	if m.Method != "" {
		b = append(b, `"method":`...)
		b = append(appendQuoted(b, m.Method), ',')
	}
	b = append(b, `"headers":`...)
	b = appendHeaders(b, m.Headers)
	b = append(b, `,"bodyBytes":`...)
	b = strconv.AppendInt(b, m.BodyBytes, 10)
	if m.Truncated {
		b = append(b, `,"truncated":true`...)
	}
	return append(b, '}')
}

func appendHeaders(b []byte, headers map[string][]string) []byte {
	if headers == nil {
		return append(b, "null"...)
	}
	b = append(b, '{')
	for name, values := range headers {
		b = append(appendQuoted(separated(b, '{'), name), ':', '[')
		for _, value := range values {
			b = appendQuoted(separated(b, '['), value)
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

// separated appends a comma unless the list has just been opened.
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

func appendMillis(b []byte, name string, ms float64) []byte {
	return strconv.AppendFloat(append(b, name...), ms, 'f', -1, 64)
}
