package tracing

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/spelling"
)

// config is what the variables say.
// The zero value is off.
type config struct {
	on       bool
	endpoint *url.URL
	header   http.Header // with secrets
	timeout  time.Duration
	gzip     bool
	tls      *tls.Config
	sampler  sdk.Sampler
}

// wrong is a variable whose value is not as it should be. The problem quotes nothing that may
// be secret.
// Each of them is one warning in the log.
type wrong struct{ variable, problem string }

// The values that hold where no variable says otherwise, as OpenTelemetry has them.
const (
	defaultEndpoint = "http://localhost:4318"
	defaultTimeout  = 10 * time.Second
	defaultSampler  = "parentbased_always_on"
	protocol        = "http/protobuf"
)

// reader reads variables and gathers what is wrong with them.
// It goes on after an error, so an operator sees everything that is wrong at one start.
type reader struct {
	lookup func(string) (string, bool)
	wrong  []wrong
}

// read reads all variables. What is wrong with the place that spans go to turns them off,
// since they would go elsewhere or nowhere; of all else the default holds.
func read(lookup func(string) (string, bool)) (c config, _ []wrong) {
	r := &reader{lookup: lookup}
	if !r.wanted() {
		return c, r.wrong
	}
	var placed, secured bool
	c.endpoint, placed = r.endpoint()
	c.tls, secured = r.tls()
	c.on = placed && secured && r.spoken()
	c.header, c.timeout, c.gzip, c.sampler = r.header(), r.timeout(), r.compressed(), r.sampler()
	// These three change nothing here. They only report what is wrong.
	r.attributes()
	r.propagators()
	r.numbers()
	return c, r.wrong
}

// bad notes that a variable is wrong. The caller must not put into it what may be secret,
// since the problem goes to the log.
func (r *reader) bad(variable, problem string, args ...any) {
	r.wrong = append(r.wrong, wrong{variable, fmt.Sprintf(problem, args...)})
}

// text returns a variable without the white space around it. A variable that is set to
// the empty text counts as not set, as OpenTelemetry wants it.
func (r *reader) text(variable string) string {
	text, _ := r.lookup(variable)
	return strings.TrimSpace(text)
}

// otlp returns a variable of the exporter, which has a name for traces alone that wins.
// The name that is returned is the one whose value holds, so a message names the variable
// that has to be changed.
func (r *reader) otlp(what string) (variable, text string) {
	variable = "OTEL_EXPORTER_OTLP_TRACES_" + what
	if text = r.text(variable); text == "" {
		variable = "OTEL_EXPORTER_OTLP_" + what
		text = r.text(variable)
	}
	return variable, text
}

// wanted reports whether the variables ask for traces: an endpoint, or the exporter by its name.
func (r *reader) wanted() bool {
	switch text := strings.ToLower(r.text("OTEL_SDK_DISABLED")); text {
	case "true":
		return false
	case "", "false":
	default:
		r.bad("OTEL_SDK_DISABLED", "is %q, and must be true or false; false holds", clip(text))
	}
	_, endpoint := r.otlp("ENDPOINT")
	// OpenTelemetry exports by default. orderhook does not: a server that nobody has
	// configured must not send anything anywhere.
	names := r.text("OTEL_TRACES_EXPORTER")
	if names == "" {
		return endpoint != ""
	}
	var named bool
	// The variable may be a list. An unknown name is reported, and the known ones still
	// hold.
	for name := range strings.SplitSeq(names, ",") {
		switch name = strings.TrimSpace(name); name {
		case "otlp":
			named = true
		case "none":
		default:
			r.bad("OTEL_TRACES_EXPORTER", "names %q, which orderhook does not have: otlp is the one that it has", clip(name))
		}
	}
	return named
}

// spoken reports whether the protocol is the one that orderhook speaks.
// Another protocol needs another encoder, and a collector that expects it would refuse
// each export. So the server says it once at the start, and exports nothing.
func (r *reader) spoken() bool {
	variable, text := r.otlp("PROTOCOL")
	if text != "" && text != protocol {
		r.bad(variable, "is %q, which orderhook does not speak, so no traces are exported: it speaks %s, whose usual port is 4318", clip(text), protocol)
		return false
	}
	return true
}

// endpoint is where spans are sent. The variable for all signals names a place to which the path
// of traces is added.
func (r *reader) endpoint() (*url.URL, bool) {
	variable, text := r.otlp("ENDPOINT")
	u, err := url.Parse(cmp.Or(text, defaultEndpoint))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		// The value is not quoted, because a URL may hold a password.
		r.bad(variable, "must be an absolute http or https URL, so no traces are exported")
		return nil, false
	}
	// The default endpoint gets the path as well: the variable is the general one then.
	if !strings.Contains(variable, "TRACES") {
		u = u.JoinPath("v1", "traces")
	}
	return u, true
}

// header are the headers of each export, which mostly hold a key: neither their values nor a
// pair that cannot be read is quoted.
func (r *reader) header() http.Header {
	variable, text := r.otlp("HEADERS")
	header := http.Header{}
	for i, pair := range strings.Split(text, ",") {
		if strings.TrimSpace(pair) == "" {
			continue
		}
		name, value, cut := strings.Cut(pair, "=")
		name = strings.TrimSpace(name)
		// PathUnescape leaves a plus sign as it is. Keys in base64 have plus signs.
		value, err := url.PathUnescape(strings.TrimSpace(value))
		if !cut || err != nil || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			r.bad(variable, "pair %d is not of the form name=value, with %%-escapes in the value, and is not sent", i+1)
			continue
		}
		// If two pairs have one name, the last pair holds.
		header.Set(name, value)
	}
	return header
}

// timeout bounds each request to the collector. The variable is in milliseconds, as
// OpenTelemetry has it.
func (r *reader) timeout() time.Duration {
	variable, text := r.otlp("TIMEOUT")
	if text == "" {
		return defaultTimeout
	}
	// 32 bits are 24 days, so the product below cannot overflow.
	ms, err := strconv.ParseInt(text, 10, 32)
	if err != nil || ms <= 0 {
		r.bad(variable, "is %q, and must be a number of milliseconds above 0; %d holds", clip(text), defaultTimeout.Milliseconds())
		return defaultTimeout
	}
	return time.Duration(ms) * time.Millisecond
}

// compressed reports whether exports are compressed with gzip. An unknown value means
// that they are not, since every collector understands that.
func (r *reader) compressed() bool {
	variable, text := r.otlp("COMPRESSION")
	switch text {
	case "gzip":
		return true
	case "", "none":
	default:
		r.bad(variable, "is %q, and must be gzip or none; none holds", clip(text))
	}
	return false
}

// tls is how the collector is verified, and what this server shows it.
// It reports false where a file cannot be used: to export without it could send spans to
// a collector that nobody has verified.
func (r *reader) tls() (*tls.Config, bool) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if variable, file := r.otlp("CERTIFICATE"); file != "" {
		text, err := os.ReadFile(file)
		// The file takes the place of the system's authorities: whoever names one trusts it
		// alone.
		if c.RootCAs = x509.NewCertPool(); err == nil && !c.RootCAs.AppendCertsFromPEM(text) {
			err = errors.New("there is no certificate in it")
		}
		if err != nil {
			r.bad(variable, "so no traces are exported: %s", err)
			return nil, false
		}
	}
	certificate, file := r.otlp("CLIENT_CERTIFICATE")
	variable, key := r.otlp("CLIENT_KEY")
	switch {
	case file == "" && key == "":
		return c, true
	case file == "":
		r.bad(variable, "needs a certificate, so no traces are exported")
		return nil, false
	case key == "":
		r.bad(certificate, "needs a key, so no traces are exported")
		return nil, false
	}
	// The files are read once, so a renewed certificate holds from the next start on.
	pair, err := tls.LoadX509KeyPair(file, key)
	if err != nil {
		r.bad(certificate, "with its key, so no traces are exported: %s", err)
		return nil, false
	}
	c.Certificates = []tls.Certificate{pair}
	return c, true
}

// sampler decides which traces are made spans of: of those that a caller began, the
// caller's own decision holds with each whose name begins with parentbased.
func (r *reader) sampler() sdk.Sampler {
	name := cmp.Or(strings.ToLower(r.text("OTEL_TRACES_SAMPLER")), defaultSampler)
	root, based := strings.CutPrefix(name, "parentbased_")
	var s sdk.Sampler
	switch root {
	case "always_on":
		s = sdk.AlwaysSample()
	case "always_off":
		s = sdk.NeverSample()
	// The ratio is read only where a sampler uses it, so a wrong one is not reported
	// otherwise.
	case "traceidratio":
		s = sdk.TraceIDRatioBased(r.ratio())
	default:
		r.bad("OTEL_TRACES_SAMPLER", "is %q, which orderhook does not have; %s holds", clip(name), defaultSampler)
		// These two make up defaultSampler.
		s, based = sdk.AlwaysSample(), true
	}
	if based {
		s = sdk.ParentBased(s)
	}
	return s
}

// ratio is how many of the traces are made spans of, from 0 for none to 1 for all. It is
// 1 where the variable says nothing, or nothing that can be used.
func (r *reader) ratio() float64 {
	text := r.text("OTEL_TRACES_SAMPLER_ARG")
	if text == "" {
		return 1
	}
	ratio, err := strconv.ParseFloat(text, 64)
	// NaN is a number to ParseFloat, and all comparisons with it are false. So the
	// condition asks for what is right, and negates it.
	if err != nil || !(ratio >= 0 && ratio <= 1) {
		r.bad("OTEL_TRACES_SAMPLER_ARG", "is %q, and must be a number from 0 to 1; 1 holds", clip(text))
		return 1
	}
	return ratio
}

// attributes looks at what the library reads by itself.
// The pairs are not quoted.
func (r *reader) attributes() {
	for i, pair := range strings.Split(r.text("OTEL_RESOURCE_ATTRIBUTES"), ",") {
		if name, _, cut := strings.Cut(pair, "="); strings.TrimSpace(pair) != "" && (!cut || strings.TrimSpace(name) == "") {
			r.bad("OTEL_RESOURCE_ATTRIBUTES", "pair %d is not of the form name=value, and is left out", i+1)
		}
	}
}

// numbers looks at those that the library reads by itself, and passes over where they are none.
// Without these words an operator would not notice that the default holds.
func (r *reader) numbers() {
	for _, variable := range []string{"OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_EXPORT_TIMEOUT", "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
		"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT"} {
		if text := r.text(variable); text != "" {
			if n, err := strconv.Atoi(text); err != nil || n <= 0 {
				r.bad(variable, "is %q, and must be a number above 0; the default holds", clip(text))
			}
		}
	}
}

// propagators says of those that are asked for which ones there are not.
func (r *reader) propagators() {
	text := r.text("OTEL_PROPAGATORS")
	if text == "" {
		return
	}
	names := strings.Split(text, ",")
	for i := range names {
		names[i] = strings.TrimSpace(names[i])
	}
	// This is a warning only: no variable takes the traceparent out of a request.
	if !slices.Contains(names, "tracecontext") {
		r.bad("OTEL_PROPAGATORS", "does not name tracecontext, which orderhook uses in any case: each of its requests has a traceparent")
	}
	for _, name := range names {
		switch name {
		case "", "tracecontext", "none":
		case "baggage":
			r.bad("OTEL_PROPAGATORS", "names baggage, which orderhook does not pass on to endpoints")
		default:
			r.bad("OTEL_PROPAGATORS", "names %q, which orderhook does not have", clip(name))
		}
	}
}

// clip shortens a value that is quoted.
func clip(text string) string {
	return spelling.Clip(text, 40)
}
