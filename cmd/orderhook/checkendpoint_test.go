package main

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"flag"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/checkup/checkuptest"
)

// updateCheck writes the report of TestTheReportOfACheck anew.
var updateCheck = flag.Bool("update-check", false, "write the report of the check of an endpoint anew")

// checks runs the command with arguments.
func checks(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = run(t.Context(), append([]string{"check"}, args...), &o, &e)
	return code, o.String(), e.String()
}

// written is a file with a text.
func written(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// changing is what of a report is another each time.
var changing = regexp.MustCompile(`CHECK-\d{8}T\d{6}|(call|ret|evt)_[0-9a-f]{32}|127\.0\.0\.1:\d+|"durationMs": [0-9.e-]+|after [0-9.]+(µs|ms|s)`)

// TestTheReportOfACheck: its JSON is what programs read, so its form and its words stay.
func TestTheReportOfACheck(t *testing.T) {
	e := checkuptest.New("step")
	checkuptest.Answering(`{"Result":"fine","OrderPatch":{"Status":"Checked","Tags":["checked"]}}`)(e)
	e.Repeated = checkuptest.Conflict
	s := httptest.NewServer(e)
	defer s.Close()
	code, out, errOut := checks(t, s.URL+"/hook?key=s3cret", "--kind", "step", "--json", "--only", "repeat", "--secret-file", written(t, checkuptest.Secret+"\n"))
	if code != exitFound || !strings.Contains(errOut, "/hook?key=***: 2 findings") || strings.Contains(out+errOut, "s3cret") || strings.Contains(out, checkuptest.Secret) {
		t.Errorf("code %d, %s", code, errOut)
	}
	got := changing.ReplaceAllStringFunc(out, func(text string) string {
		if at := strings.IndexAny(text, "_-:"); at > 0 && !strings.HasPrefix(text, "127") {
			return text[:at] + "…"
		}
		return "…"
	})
	file := filepath.Join("testdata", "check.json")
	if *updateCheck {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestACheckIsPrinted for people: a line for each case, and beneath it what is to be changed.
func TestACheckIsPrinted(t *testing.T) {
	e := checkuptest.New("step")
	checkuptest.Answering("\x1b[31mOK")(e)
	s := httptest.NewServer(e)
	defer s.Close()
	code, out, _ := checks(t, s.URL, "--kind", "step", "--secret", checkuptest.Secret)
	if code != exitFound || strings.Contains(out, "\x1b") {
		t.Errorf("code %d", code)
	}
	for _, want := range []string{
		s.URL + ", as a workflow step would be called, with a time-out of 30s\n",
		"error    success     a usual order or cart: 200, the step is an Error; ",
		"\n  error: no-success: invalid response: malformed JSON at line 1, column 1", "\n    advice: Answer with one JSON object", "\n    see:    docs/building-an-endpoint.md#what-is-an-invalid-answer\n",
		"\nskipped  big         an order of 2,500 lines and 9 MiB, or a cart of 4 MiB: left out: success has failed\n",
		"\n1 case: 1 error, 0 warnings; 11 cases left out\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
}

// TestWhatACheckRefuses, with code 2 and one line that names the flag and holds no secret.
func TestWhatACheckRefuses(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	defer s.Close()
	closed := httptest.NewServer(nil)
	closed.Close()
	secure := httptest.NewUnstartedServer(checkuptest.New("step"))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	step := []string{s.URL, "--kind", "step"}
	for _, tc := range []struct {
		want string
		args []string
	}{
		{"--kind is needed", []string{s.URL}},
		{`--kind: "hook" is none of step, return, validator and event`, []string{s.URL, "--kind", "hook"}},
		{"--only is for the check of an endpoint", []string{"--only", "big"}},
		{"--repair is for a database", append(step, "--repair")},
		{`--only: there is no case "huge": the cases are success, `, append(step, "--only", "huge")},
		{"--only: the case late is not for an endpoint of the kind step", append(step, "--only", "late")},
		{"the URL: must be", []string{"localhost/x", "--kind", "step"}},
		{"the URL: must be", []string{"ftp://localhost/x", "--kind", "event"}},
		{"--header: number 1 has no", append(step, "--header", "s3cret")},
		{"--header: ", []string{s.URL, "--kind", "event", "--header", "Webhook-Id: s3cret"}},
		{"--header: ", append(step, "--header", "Content-Type: s3cret")},
		{"--secret and --secret-file are both given", append(step, "--secret", "s3cret", "--secret-file", written(t, "s3cret"))},
		{"--secret-file: must be whsec_", []string{s.URL, "--kind", "event", "--secret", "s3cret"}},
		{"--secret-file: must be base64", append(step, "--secret", "whsec_s3cret%")},
		{"/file: status: must be text", append(step, "--order", written(t, `{"status":1}`))},
		{"--order: it has no line that can be returned", []string{s.URL, "--kind", "return", "--order", written(t, `{"id":"A"}`)}},
		{"--property: an event has no properties", []string{s.URL, "--kind", "event", "--property", "A=b"}},
		{"--timeout: must be more than nothing", append(step, "--timeout", "0s")},
		{"cannot be reached: connection refused", []string{closed.URL, "--kind", "step"}},
		{"cannot be reached: TLS: ", []string{secure.URL, "--kind", "step"}},
		{"cannot be reached: TLS: the server answers in plain HTTP", []string{strings.Replace(s.URL, "http:", "https:", 1), "--kind", "step"}},
		{"cannot be reached: refused by the target guard", []string{"http://169.254.169.254/", "--kind", "step"}},
	} {
		code, out, errOut := checks(t, tc.args...)
		if code != exitUserError || !strings.Contains(errOut, tc.want) || strings.Count(errOut, "\n") != 1 || strings.Contains(out+errOut, "s3cret") {
			t.Errorf("%q: code %d, %q", tc.args, code, errOut)
		}
		if strings.Contains(out, "as a  would") {
			t.Errorf("%q prints %q", tc.args, out)
		}
	}
	ca := written(t, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	for _, flag := range []string{"--ca-file", "--ca"} {
		if code, out, errOut := checks(t, secure.URL, "--kind", "step", "--only", "connection", "--secret", checkuptest.Secret, flag, ca); code != exitOK {
			t.Errorf("code %d, %s%s", code, out, errOut)
		}
	}
}

// TestASecretOfACheckMayBeInAVariable; without one, an endpoint that verifies refuses all.
func TestASecretOfACheckMayBeInAVariable(t *testing.T) {
	s := httptest.NewServer(checkuptest.New("step"))
	defer s.Close()
	code, out, _ := checks(t, s.URL, "--kind", "step", "--only", "signature")
	if code != exitFound || !strings.Contains(out, "the endpoint answered 401 Unauthorized") || !strings.Contains(out, "--secret-file") {
		t.Errorf("code %d, %s", code, out)
	}
	t.Setenv("ORDERHOOK_SECRET", checkuptest.Secret)
	if code, out, _ = checks(t, s.URL, "--kind", "step", "--only", "signature"); code != exitOK {
		t.Errorf("code %d, %s", code, out)
	}
}

// TestACheckSendsWhatWasGiven: headers, properties and an order of one's own.
func TestACheckSendsWhatWasGiven(t *testing.T) {
	e, got := checkuptest.New("step"), make(chan checkuptest.Call, 1)
	e.Verify = checkuptest.AnyCall
	e.Before = func(_ http.ResponseWriter, c checkuptest.Call) bool {
		got <- c
		return false
	}
	s := httptest.NewServer(e)
	defer s.Close()
	code, out, errOut := checks(t, s.URL, "--kind", "step", "--only", "success", "--header", "X-Shop: oslo", "--header-file", written(t, "Authorization: Bearer s3cret\n\nX-Two: 2\n"),
		"--property", "Threshold=80", "--order", written(t, `{"id":"MINE-1","status":"Packed","total":10.10}`))
	if code != exitOK || strings.Contains(out+errOut, "s3cret") {
		t.Fatalf("code %d, %s%s", code, out, errOut)
	}
	c := <-got
	if c.Header.Get("X-Shop") != "oslo" || c.Header.Get("Authorization") != "Bearer s3cret" || c.Header.Get("X-Two") != "2" || c.Header.Get("X-Max-Delivery-Count") != "4" {
		t.Errorf("the headers are %v", c.Header)
	}
	if o := c.Order(); o["Id"] != "MINE-1" || o["Status"] != "Packed" || o["Total"] != json.Number("10.10") || !bytes.Contains(c.Body, []byte(`{"Key":"Threshold","Value":"80"}`)) {
		t.Errorf("the body is %s", c.Body)
	}
}
