package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/receiver"
)

// verifying is a receiver that takes only what is signed with the secret, and a server with the one
// order ORD-1. The last list has what the receiver verified.
func verifying(t *testing.T, secret string) (to, server string, verified *[]string) {
	t.Helper()
	verified = &[]string{}
	v := receiver.Verifier{Secrets: []string{secret}}
	r := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if err := v.Verify(r.Header, body); err != nil {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		*verified = append(*verified, string(body))
	}))
	t.Cleanup(r.Close)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"id":"evt_1"}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":"ORD-1","total":9.90}`)
	}))
	t.Cleanup(s.Close)
	return r.URL, s.URL, verified
}

const triggerSecret = "whsec_c2lnbmluZy1zZWNyZXQtZm9yLXRoZS1kb2Nz"

// TestTriggerSigns by a file, a flag or a variable, what a receiver that verifies takes; and not by
// another secret, nor without one.
func TestTriggerSigns(t *testing.T) {
	to, server, verified := verifying(t, triggerSecret)
	triggers := func(args ...string) (code int, text string) {
		var out, errOut bytes.Buffer
		code = run(t.Context(), slices.Concat([]string{"trigger", "OrderCreated", "--from", "ORD-1", "--url", server, "--key", "k"}, args), &out, &errOut)
		return code, out.String() + errOut.String()
	}
	other := "whsec_" + strings.Repeat("b3JkZXJob29r", 4)
	for name, c := range map[string]struct {
		args     []string
		variable string
		code     int
	}{
		"a file":             {[]string{"--secret-file", written(t, triggerSecret+"\n")}, "", exitOK},
		"a flag":             {[]string{"--secret", triggerSecret}, "", exitOK},
		"a variable":         {nil, triggerSecret, exitOK},
		"another secret":     {[]string{"--secret", other}, "", exitFound},
		"without any secret": {nil, "", exitFound},
	} {
		t.Run(name, func(t *testing.T) {
			if c.variable != "" {
				t.Setenv("ORDERHOOK_SECRET", c.variable)
			}
			*verified = nil
			code, text := triggers(append(c.args, "--to", to+"/?key=s3cret")...)
			if code != c.code || (len(*verified) == 1) != (c.code == exitOK) {
				t.Errorf("code %d, %s; verified are %q", code, text, *verified)
			}
			if c.code == exitOK && !strings.Contains((*verified)[0], `"total":9.90`) {
				t.Errorf("the event is %s", (*verified)[0])
			}
			for _, secret := range []string{triggerSecret, other, "s3cret"} {
				if strings.Contains(text, secret) {
					t.Errorf("it says %s", text)
				}
			}
		})
	}
}

// TestWhatTriggerRefuses, with code 2, before anything is asked, and without the secret.
func TestWhatTriggerRefuses(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	for _, c := range []struct {
		want string
		args []string
	}{
		{"give --to, too", []string{"--secret", triggerSecret}},
		{"give --to, too", []string{"--secret-file", written(t, triggerSecret)}},
		{"--secret and --secret-file are both given", []string{"--to", closed.URL, "--secret", triggerSecret, "--secret-file", written(t, triggerSecret)}},
		{"must be whsec_ and the base64 of 24 to 64 bytes", []string{"--to", closed.URL, "--secret", "s3cret"}},
		{"must be whsec_ and the base64 of 24 to 64 bytes", []string{"--to", closed.URL, "--secret", "whsec_s3cret%"}},
		{"must be whsec_ and the base64 of 24 to 64 bytes", []string{"--to", closed.URL, "--secret", strings.TrimPrefix(triggerSecret, "whsec_")}},
		{"must be whsec_ and the base64 of 24 to 64 bytes", []string{"--to", closed.URL, "--secret", "whsec_c2hvcnQ="}},
		{"--to must be an http or https URL", []string{"--to", "localhost:3000/s3cret"}},
	} {
		var out, errOut bytes.Buffer
		args := slices.Concat([]string{"trigger", "OrderCreated", "--from", "ORD-1", "--url", closed.URL, "--key", "k"}, c.args)
		code := run(t.Context(), args, &out, &errOut)
		text := out.String() + errOut.String()
		if code != exitUserError || !strings.Contains(text, c.want) || strings.Contains(text, "s3cret") || strings.Contains(text, strings.TrimPrefix(triggerSecret, "whsec_")) {
			t.Errorf("%q: code %d, %q", c.args, code, text)
		}
	}
	// Where the receiver is not there, the message has nothing of its URL.
	_, server, _ := verifying(t, triggerSecret)
	var out, errOut bytes.Buffer
	code := run(t.Context(), []string{"trigger", "OrderCreated", "--from", "ORD-1", "--url", server, "--key", "k", "--to", closed.URL + "/?key=s3cret"}, &out, &errOut)
	if text := errOut.String(); code != exitUserError || !strings.Contains(text, "connection refused") || strings.Contains(text, "s3cret") {
		t.Errorf("code %d, %q", code, text)
	}
}
