package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/delivery"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/timetext"
	"github.com/orderhook/orderhook/internal/weburl"
)

// WebHook is the section of that name, which has an endpoint told of the states that orders
// come to (docs/contract.md#order-state-webhook). Its files have not been read: Open does
// that. The section is not stored in the database, and neither are its secrets.
type WebHook struct {
	// Tenant is the default tenant where the section names none.
	Tenant string // whose orders
	URL    string // with its key
	TLS    outbound.FileTrust

	// secret signs the deliveries; "" means none is signed.
	secret  string
	timeout time.Duration
	path    string // of the config file, for errors
}

// maxTimeout is the longest timeout that is accepted: a unit that was mixed up must not be
// taken for days of patience.
const maxTimeout = 24 * time.Hour

// webHookShape is the section; tenant is orderhook's own
// (docs/contract.md#order-state-webhook).
var webHookShape = &schema.Shape{Noun: "webHook", Fields: []schema.ShapeField{
	{Name: "enabled", Type: schema.ShapeFlag}, {Name: "endpoint"}, {Name: "key"}, {Name: "secret"}, {Name: "connectionTimeout"},
	{Name: "tenant"},
	{Name: "useSslTrustAll", Type: schema.ShapeFlag, Default: true}, {Name: "useSslClientCert", Type: schema.ShapeFlag},
	{Name: "sslTrustFile"}, {Name: "sslTrustPassword"}, {Name: "sslKeyFile"}, {Name: "sslKeyPassword"},
}}

// webHook reads the section. It returns nil if the section is off, as it is by default:
// then it may say what it likes, in the right types.
func webHook(section *jsondoc.Object) (w *WebHook, err error) {
	r, err := read(section, webHookShape, "webHook.")
	if err != nil || !r.Flag("enabled") {
		return nil, err
	}
	w = &WebHook{Tenant: cmp.Or(r.Text("tenant"), access.DefaultTenant), secret: r.Text("secret"), TLS: outbound.FileTrust{
		TrustAll: r.Flag("useSslTrustAll"), ClientCert: r.Flag("useSslClientCert"),
		TrustFile: r.Text("sslTrustFile"), TrustPassword: r.Text("sslTrustPassword"), KeyFile: r.Text("sslKeyFile"), KeyPassword: r.Text("sslKeyPassword"),
	}}
	// The key is a part of the URL from here on, and is hidden with it.
	if w.URL, err = keyedURL(r.Text("endpoint"), r.Text("key")); err != nil {
		return nil, err
	}
	// Whether there is such a tenant can be seen only with the database (app,
	// checkWebHook).
	w.timeout, err = connectionTimeout(r)
	return w, err
}

// keyedURL returns the endpoint's URL with the key in it. Errors do not repeat
// the URL, in which there may be a password.
func keyedURL(endpoint, key string) (string, error) {
	if endpoint == "" {
		return "", errors.New("webHook.endpoint: is needed where webHook is enabled")
	}
	u, ok := weburl.ParseURL(endpoint)
	if !ok {
		return "", errors.New("webHook.endpoint: must be an absolute http or https URL")
	}
	// A wrong host ends the start here, and not the first delivery.
	if weburl.OddHost(u) {
		return "", errors.New("webHook.endpoint: " + weburl.WrongHost)
	}
	if key != "" {
		addKey(u, key)
	}
	return u.String(), nil
}

// addKey puts the key where the specification shows it: behind a slash. What the query
// holds already stays before it. Receivers that were written for the specification look for
// it there.
func addKey(u *url.URL, key string) {
	// The escaped form is set, too: a path may have escapes that must stay.
	if path := u.EscapedPath(); !strings.HasSuffix(path, "/") {
		u.Path, u.RawPath = u.Path+"/", path+"/"
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "key=" + url.QueryEscape(key)
}

// connectionTimeout reads how long an answer may take.
func connectionTimeout(r *schema.ObjectReader) (time.Duration, error) {
	// A section without the field has the default timeout of endpoints.
	if !r.Has("connectionTimeout") {
		return event.DefaultTimeout, nil
	}
	d, ok := timetext.ParseDuration(r.Text("connectionTimeout"), maxTimeout)
	// 0 could be meant as no limit, which there is not.
	if !ok || d == 0 {
		return 0, errors.New("webHook.connectionTimeout: must be a duration over 0 and up to P1D, as PT30S or 00:00:30")
	}
	return d, nil
}

// Open reads the section's files. It is called once, at the start. Its error is one line
// that names the config file, the key and what is wrong; no password is in it.
// Load does not read the files, so that commands which send nothing do not need them.
func (w *WebHook) Open() (*delivery.WebHook, error) {
	trust, err := outbound.LoadTrust(w.TLS)
	if err != nil {
		return nil, fmt.Errorf("%s: webHook.%w", w.path, err)
	}
	// An http URL leads to no certificate that could be trusted, so TrustsAll is for https alone.
	return &delivery.WebHook{Tenant: w.Tenant, URL: w.URL, Secret: w.secret, Timeout: w.timeout, Trust: trust,
		TrustsAll: w.TLS.TrustAll && strings.HasPrefix(w.URL, "https:")}, nil
}

// At says where a key of the section stands, for an error.
func (w *WebHook) At(key string) string { return w.path + ": webHook." + key }
