package dash

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"

	"github.com/orderhook/orderhook/internal/api"
)

// onceField is the hidden field that makes a form unlike every other one. Its value is
// made when the page is, so the same page sends the same value.
const onceField = "once"

// newOnce is a field for the form of what must not be done twice, however often the
// button is pressed or the page reloaded. Two pages have two values, so whoever opens the
// form again may do the same thing once more.
func newOnce() Hidden { return Hidden{onceField, rand.Text()} }

// sendForm has the API do once what a form says. The key is made of the form and of what
// it says, so that a form that was changed after it was sent is another one. The API then
// answers a form that comes twice as it did the first time
// (docs/contract.md#idempotency).
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

// formKey is the same whenever the same form is sent with the same content. The path is
// in it, so a form that is sent elsewhere is another one.
func (v *visit) formKey(path string, text []byte) string {
	hash := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", v.field(onceField), path, text))
	return hex.EncodeToString(hash[:16])
}

// refused is the problem of what the API understood and will not do, so that the form
// is shown again; nil for any other outcome. Those are 409 and 422. A 404 or 403 has no
// form to go back to, and a 5xx is nothing that the form could mend.
func refused(err error) *Problem {
	p := problemOf(err)
	if p != nil && (p.Status == http.StatusConflict || p.Status == http.StatusUnprocessableEntity) {
		return p
	}
	return nil
}

// confirm shows the page before something is done, or shows it again with why it was
// refused. The inputs are copied before errors are noted in them, because they may be a
// package variable's.
func (v *visit) confirm(title string, c Confirm) error {
	if c.Problem != nil {
		c.Inputs = slices.Clone(c.Inputs)
		c.Problem.mark(c.Inputs)
		return confirmPage.refuse(v, title, c.Problem, c)
	}
	return confirmPage.show(v, title, c)
}

// done sends the browser to a page that says what was done. A redirect lets the browser
// reload that page without sending the form again.
func (v *visit) done(path, notice string) error {
	return v.see(path + "?" + noticeParam + "=" + notice)
}

// unlessRefused returns an error unless the API has refused: what was refused is shown on
// the page, and all else is its error.
func unlessRefused(err error) error {
	if refused(err) != nil {
		return nil
	}
	return err
}
