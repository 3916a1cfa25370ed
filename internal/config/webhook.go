package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/hook"
	"github.com/orderhook/orderhook/internal/notify"
	"github.com/orderhook/orderhook/internal/oms"
)

// WebHook is the section of that name, which has an endpoint told of the states
// that orders come to (order-state-webhook.txt). Its files have not been read.
type WebHook struct {
	Tenant string // whose orders
	URL    string // with its key
	TLS    hook.FileTrust

	secret  string
	timeout time.Duration
	path    string // of the config file, for errors
}

// maxTimeout keeps a slip of the pen from being taken for days of patience.
const maxTimeout = 24 * time.Hour

// webHookKeys is the keys of the section; tenant is orderhook's own (API.md,
// "Auth").
var webHookKeys = map[string]Kind{
	"enabled": Flag, "endpoint": Text, "key": Text, "secret": Text, "connectionTimeout": Text, "tenant": Text,
	"useSslTrustAll": Flag, "useSslClientCert": Flag, "sslTrustFile": Text, "sslKeyFile": Text, "sslKeyPassword": Text,
}

// webHook reads the section, and returns nil where it is off, as it is by
// default: it may say what it likes then, in the right types.
func webHook(v any) (*WebHook, error) {
	section, ok := v.(*oms.Object)
	if !ok {
		return nil, errors.New("webHook: must be an object")
	}
	for _, m := range section.Members() {
		kind, known := named(webHookKeys, m.Name)
		if !known {
			return nil, fmt.Errorf("webHook.%s: there is no such key", m.Name)
		}
		if m.Value == nil {
			continue
		}
		if err := checkKind("webHook."+m.Name, kind, m.Value); err != nil {
			return nil, err
		}
	}
	if !section.True("enabled") {
		return nil, nil
	}
	return enabledWebHook(section)
}

func enabledWebHook(section *oms.Object) (w *WebHook, err error) {
	trustAll, _ := section.Get("useSslTrustAll")
	w = &WebHook{Tenant: cmp.Or(section.Text("tenant"), oms.DefaultTenant), secret: section.Text("secret"), TLS: hook.FileTrust{
		TrustAll: trustAll != false, ClientCert: section.True("useSslClientCert"),
		TrustFile: section.Text("sslTrustFile"), KeyFile: section.Text("sslKeyFile"), KeyPassword: section.Text("sslKeyPassword"),
	}}
	if w.URL, err = keyedURL(section.Text("endpoint"), section.Text("key")); err != nil {
		return nil, err
	}
	w.timeout, err = connectionTimeout(section)
	return w, err
}

// keyedURL returns the endpoint's URL with the key in it. Errors do not repeat
// the URL, in which there may be a password.
func keyedURL(endpoint, key string) (string, error) {
	if endpoint == "" {
		return "", errors.New("webHook.endpoint: is needed where webHook is enabled")
	}
	u, ok := oms.ParseURL(endpoint)
	if !ok {
		return "", errors.New("webHook.endpoint: must be an absolute http or https URL")
	}
	if oms.OddHost(u) {
		return "", errors.New("webHook.endpoint: must have a name or a plain IP address as its host")
	}
	if key != "" {
		addKey(u, key)
	}
	return u.String(), nil
}

// addKey puts the key where the seed shows it: behind a slash. What the query
// holds already stays before it.
func addKey(u *url.URL, key string) {
	if path := u.EscapedPath(); !strings.HasSuffix(path, "/") {
		u.Path, u.RawPath = u.Path+"/", path+"/"
	}
	if u.RawQuery != "" {
		u.RawQuery += "&"
	}
	u.RawQuery += "key=" + url.QueryEscape(key)
}

func connectionTimeout(section *oms.Object) (time.Duration, error) {
	if v, _ := section.Get("connectionTimeout"); v == nil {
		return oms.DefaultTimeout, nil
	}
	d, ok := oms.ParseDuration(section.Text("connectionTimeout"), maxTimeout)
	if !ok || d == 0 {
		return 0, errors.New("webHook.connectionTimeout: must be a duration over 0 and up to P1D, as PT30S or 00:00:30")
	}
	return d, nil
}

// Open reads the section's files. Its error is one line that names the config
// file, the key and what is wrong; no password is in it.
func (w *WebHook) Open() (*notify.WebHook, error) {
	trust, err := hook.LoadTrust(w.TLS)
	if err != nil {
		return nil, fmt.Errorf("%s: webHook.%w", w.path, err)
	}
	return &notify.WebHook{Tenant: w.Tenant, URL: w.URL, Secret: w.secret, Timeout: w.timeout, Trust: trust,
		TrustsAll: w.TLS.TrustAll && strings.HasPrefix(w.URL, "https:")}, nil
}

// At says where a key of the section stands, for an error.
func (w *WebHook) At(key string) string { return w.path + ": webHook." + key }
