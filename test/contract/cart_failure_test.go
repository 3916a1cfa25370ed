package contract

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/outbound"
)

// docs/contract.md#validators: what fails, and no retries.

// failsOnce checks a validation that fails with one External error, after one
// call, without touching the cart.
func (r *rig) failsOnce(message string) {
	r.t.Helper()
	before := len(r.get("/api/attempts").doc().Objects("items"))
	r.validate().passes(false, message+"||External|").is("value.version", 1)
	list := r.get("/api/attempts")
	equals(r.t, "attempts", len(list.doc().Objects("items")), before+1)
	list.is("items[0].number", 1).is("items[0].maxNumber", 1).is("items[0].outcome", "failed").is("items[0].error", message)
	equals(r.t, "waits", len(r.clock.Waits()), 0)
	r.get(theCart).is("version", 1)
}

func TestAStatusThatIsNo2xxFailsWithItsBody(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for i, code := range []int{300, 304, 400, 401, 403, 404, 408, 409, 410, 418, 422, 429, 500, 502, 503, 504} {
		body := map[bool]string{true: "", false: "; " + approved}[code == 304]
		s.says(replying(code, strings.TrimPrefix(body, "; ")))
		r.failsOnce(fmt.Sprintf("answered %d %s%s", code, http.StatusText(code), strings.Replace(body, "; ", ": ", 1)))
		equals(t, "calls", len(s.got()), i+1)
	}
	s.says(replying(599, ""))
	r.failsOnce("answered 599")
}

func TestAnErrorRepeatsTheFirst2KiBOfTheBody(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for body, want := range map[string]string{
		strings.Repeat("x", 2048):                      strings.Repeat("x", 2048),
		strings.Repeat("x", 100<<10):                   strings.Repeat("x", 2048),
		strings.Repeat("x", 2047) + "øre":              strings.Repeat("x", 2047),
		strings.Repeat("x", 2046) + "日本":               strings.Repeat("x", 2046),
		strings.Repeat("x", 2045) + "🎁":                strings.Repeat("x", 2045),
		strings.Repeat("x", 2046) + "øre":              strings.Repeat("x", 2046) + "ø",
		"Bl\xe5b\xe6r \"and\"\n\x01 quotes":            "Bl\uFFFDb\uFFFDr \"and\"\n\x01 quotes",
		`{"validationErrors":[{"message":"ignored"}]}`: `{"validationErrors":[{"message":"ignored"}]}`,
	} {
		s.says(replying(500, body))
		r.failsOnce("answered 500 Internal Server Error: " + want)
	}
}

func TestRedirectsOfAValidationAreNotFollowed(t *testing.T) {
	target, s := answering(t, approved), speaking(t)
	r := checking(t, s.sink, "")
	for _, code := range []int{301, 302, 303, 307, 308} {
		s.says(func(w http.ResponseWriter, _ int) {
			w.Header().Set("Location", target.URL)
			w.WriteHeader(code)
		})
		r.failsOnce(fmt.Sprintf("answered %d %s", code, http.StatusText(code)))
	}
	equals(t, "requests to the target", len(target.got()), 0)
}

func TestAnAnswerOver5MiBFails(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	const head = `{"validationMessage":"`
	s.says(replying(200, head+strings.Repeat("x", 5<<20)+`"}`))
	r.failsOnce("invalid response: the body is larger than 5242880 bytes (answered 200: " + head + strings.Repeat("x", 2048-len(head)) + ")")
	fits := 5<<20 - len(head) - 2
	s.says(replying(200, head+strings.Repeat("x", fits)+`"}`))
	equals(t, "message", len(r.validate().passes(true).text("validationMessage")), fits)
}

func TestNetworkErrorsFailAValidation(t *testing.T) {
	s := speaking(t)
	r := checking(t, s.sink, "")
	for reason, do := range map[string]func(*net.TCPConn){
		"connection closed without an answer":                            func(*net.TCPConn) {},
		`connection closed before the whole answer came: {"OrderPatch":`: func(c *net.TCPConn) { _, _ = io.WriteString(c, half) },
		"invalid HTTP response":                                          func(c *net.TCPConn) { _, _ = io.WriteString(c, "SSH-2.0-OpenSSH_9.6\r\n\r\n") },
	} {
		s.says(hijacked(t, do))
		r.failsOnce(reason)
	}
	closed := httptest.NewServer(http.NotFoundHandler())
	closed.Close()
	r.validators(validatorAt(closed.URL, ""))
	r.failsOnce("connection refused")
}

func TestTimeOutOfAValidation(t *testing.T) {
	s := holding(t)
	r := checking(t, s.sink, `,"timeOut":"00:00:00.1500000"`)
	r.failsOnce("timed out after 150ms")
	equals(t, "calls", len(s.got()), 1)
}

func TestTheTargetGuardFailsAValidation(t *testing.T) {
	s := answering(t, approved)
	r := start(t, func(o *outbound.Options) { o.Guard = outbound.Guard{} })
	r.validators(validatorAt(s.URL, ""))
	r.put(cart)
	r.failsOnce("refused by the target guard: 127.0.0.1 is a loopback address" + privateRefused)
	equals(t, "requests", len(s.got()), 0)
}
