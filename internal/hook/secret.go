package hook

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/oms"
)

// secretsOf returns the secrets that a request carries, in each form in which an
// answer may repeat them: as it was sent, without its scheme, without what
// stands before it in Basic credentials, in base64, and as a URL has it. What
// the body says as it is recorded is none: the endpoint is to know it.
func secretsOf(req *http.Request, masked []string, shownBody []byte) []string {
	var f secretForms
	for _, name := range masked {
		for _, value := range append(req.Header[name], req.Header[strings.ToLower(name)]...) { // see putHidden
			if oms.IsSignature(name) {
				f.signatures(value)
			} else if oms.IsSecret(name, value) {
				f.credentials(name, value)
			}
		}
	}
	f.query(req.URL)
	return slices.DeleteFunc(f, func(form string) bool { return bytes.Contains(shownBody, []byte(form)) })
}

// secretForms collects what is looked for.
type secretForms []string

func (f *secretForms) add(form string) {
	if len(form) >= oms.LeastSecret {
		*f = append(*f, form)
	}
}

// signatures adds those of a header: they are separated by spaces, each behind
// its kind.
func (f *secretForms) signatures(value string) {
	for _, one := range strings.Fields(value) {
		if _, bare, ok := strings.Cut(one, ","); ok {
			one = bare
		}
		f.add(one)
	}
}

func (f *secretForms) credentials(name, value string) {
	f.everyForm(value)
	if name == "Cookie" {
		for one := range strings.SplitSeq(value, ";") {
			_, bare, _ := strings.Cut(one, "=")
			f.everyForm(bare)
		}
	}
	scheme, bare, ok := strings.Cut(value, " ")
	if !ok {
		return
	}
	f.everyForm(bare)
	if plain, err := base64.StdEncoding.DecodeString(bare); err == nil && strings.EqualFold(scheme, "Basic") {
		f.everyForm(string(plain))
		if _, password, ok := strings.Cut(string(plain), ":"); ok {
			f.everyForm(password)
		}
	}
}

// everyForm adds a secret and its encodings. Base64 is added without its
// padding, which may be left out.
func (f *secretForms) everyForm(value string) {
	if len(value) < oms.LeastSecret {
		return
	}
	f.add(value)
	std, forURL := base64.RawStdEncoding.EncodeToString([]byte(value)), base64.RawURLEncoding.EncodeToString([]byte(value))
	f.add(std)
	if forURL != std {
		f.add(forURL)
	}
	for _, escaped := range []string{url.QueryEscape(value), url.PathEscape(value)} {
		if escaped != value {
			f.add(escaped)
		}
	}
}

// query adds the secrets in a URL's query.
func (f *secretForms) query(u *url.URL) {
	if u.RawQuery == "" {
		return
	}
	for name, values := range u.Query() {
		for _, value := range values {
			if oms.IsSecret(http.CanonicalHeaderKey(name), value) {
				f.everyForm(value)
			}
		}
	}
}
