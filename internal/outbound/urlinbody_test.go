package outbound

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/weburl"
)

// TestAURLInABodyIsShownInWhateverSpelling: what is called is the normal spelling of what the settings
// say, and the body has that as it was written.
func TestAURLInABodyIsShownInWhateverSpelling(t *testing.T) {
	for _, raw := range []string{
		"http://LocalHost:80/ok?token=secret-1", "HTTP://localhost/ok?token=secret-1", "http://localhost/a b?token=secret-1", "http://localhost/ok?t=Ø&token=secret-1",
		`http://localhost\\ok?token=secret-1`, `http://localhost/ok?a=\"&token=secret-1`, "http://localhost/ok?token=secret-1#there", `http://localhost/ok?a=\u0026token=secret-1`,
		"http://BÜCHER.example/?token=secret-1", "http://localhost/%zz?token=secret-1",
	} {
		doc := fmt.Sprintf(`{"link":"https://x.example/?a=1","WorkflowStep":{"Properties":[{"Key":"Host","Value":"%s"}]},"n":1,"not closed?://`, raw)
		target := weburl.NormalURL(strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\u0026`, "&").Replace(raw))
		got := string(withURLShown([]byte(doc), target, weburl.PublicURL))
		if strings.Contains(got, "secret-1") || !strings.Contains(got, `"link":"https://x.example/?a=1"`) || !strings.HasSuffix(got, `}]},"n":1,"not closed?://`) {
			t.Errorf("%s is shown as %s", target, got)
		}
	}
}

// TestASecretOfTheURLIsMaskedInItsEcho though the body of the request has the same text elsewhere.
func TestASecretOfTheURLIsMaskedInItsEcho(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "no ", r.URL.Query().Get("token")) })
	raw := strings.Replace(target, "http://", "HTTP://", 1) + "/?token=query-s3cret"
	r := Request{URL: weburl.NormalURL(raw), Body: []byte(`{"Host":"` + raw + `","other":"query-s3cret"}`)}
	x := newClient(t, nil).Post(t.Context(), r)
	if string(x.Body) != "no ***" {
		t.Errorf("the answer is %s", x.Body)
	}
	if shown := string(x.Detail().Request.Body); strings.Count(shown, "query-s3cret") != 1 || !strings.Contains(shown, "?token=***") {
		t.Errorf("the body is recorded as %s", shown)
	}
	if taken := string(r.ByCarrier(nowhere{}).Body); strings.Count(taken, "query-s3cret") != 1 || !strings.Contains(taken, "?token=***") {
		t.Errorf("a listener gets %s", taken)
	}
}
