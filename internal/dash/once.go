package dash

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/orderhook/orderhook/internal/api"
)

// onceField is the hidden field that makes a form unlike every other one.
const onceField = "once"

// newOnce is a field for the form of what must not be done twice, however often the
// button is pressed or the page reloaded.
func newOnce() Hidden { return Hidden{onceField, rand.Text()} }

// sendForm has the API do once what a form says. The key is made of the form and of what
// it says, so that a form that was changed after it was sent is another one.
func (v *visit) sendForm(path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := newRequest(v.r, http.MethodPost, path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Idempotency-Key", v.formKey(path, text))
	return v.s.call(r.WithContext(api.WithKey(r.Context(), v.key)), v.ticket, into)
}

// formKey is the same whenever the same form is sent with the same content.
func (v *visit) formKey(path string, text []byte) string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", v.field(onceField), path, text))
	return hex.EncodeToString(hash[:16])
}

// refused is the problem of what the API understood and will not do, so that the form
// is shown again; nil for any other outcome.
func refused(err error) *Problem {
	p := problemOf(err)
	if p != nil && (p.Status == http.StatusConflict || p.Status == http.StatusUnprocessableEntity) {
		return p
	}
	return nil
}

// confirm shows the page before something is done, or shows it again with why it was
// refused.
func (v *visit) confirm(title string, c Confirm) error {
	if c.Problem != nil {
		return confirmPage.refuse(v, title, c.Problem, c)
	}
	return confirmPage.show(v, title, c)
}

// done sends the browser to a page that says what was done.
func (v *visit) done(path, notice string) error {
	return v.see(path + "?" + noticeParam + "=" + notice)
}

// unlessRefused is the error of what did not come about for another reason.
func unlessRefused(err error) error {
	if refused(err) != nil {
		return nil
	}
	return err
}
