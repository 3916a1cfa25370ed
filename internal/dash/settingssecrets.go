package dash

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
)

// typedSecrets are the secrets that somebody typed into a form of the settings. Such a form
// comes back at least once, since what would change is seen before it is stored. A page must
// not show a secret, so a text stands in its place, and the secret itself goes along in a
// hidden field that the session alone can open. A stand-in has a number, which is its
// place in the list of the hidden field. The lists are two because the page which is made
// may show other secrets than the form which came.
type typedSecrets struct {
	sent  []string // what the hidden field of the form had
	shown []string // what the hidden field of the page that is made now has
}

// typedField is the hidden field. A page whose form has no secrets leaves it empty.
const typedField = "typed"

// standIn is what stands in place of a secret in a form that comes back. Its number says
// which secret of the hidden field it is.
var standIn = regexp.MustCompile(`\(secret (\d{1,6}), as typed\)`)

// hide returns what stands in place of a secret. The text may be a stand-in itself, of a
// secret that was typed before the page came back the last time. Empty texts and *** are
// no secrets.
func (t *typedSecrets) hide(text string) string {
	if text == "" || text == masked {
		return text
	}
	t.shown = append(t.shown, t.typed(text))
	return fmt.Sprintf("(secret %d, as typed)", len(t.shown))
}

// typed returns the secret that a text stands in for; any other text is itself. A number
// that the hidden field does not have is a text that somebody typed.
func (t *typedSecrets) typed(text string) string {
	m := standIn.FindStringSubmatch(text)
	if m == nil || m[0] != text {
		return text
	}
	if n, _ := strconv.Atoi(m[1]); n >= 1 && n <= len(t.sent) {
		return t.sent[n-1]
	}
	return text
}

// restore puts the secrets back into an object that was made of a form, where the settings
// have secrets. Anywhere else a stand-in is an error: put back there, the secret would be
// shown. For example somebody may have moved a header's value into a field that is shown
// to everybody.
func (t *typedSecrets) restore(at place, o *jsondoc.Object) error {
	settings.ReplaceSecrets(at.around(o), t.typed)
	for _, m := range o.Members() {
		if text := standIn.Find(jsondoc.NewObject(m).JSON()); text != nil {
			return apierr.Wrong(strings.TrimPrefix("body."+at.String()+"."+m.Name, "body.."), "has %s where there is no such secret: type there what it shall be", text)
		}
	}
	return nil
}

// typedCipher encrypts with a key that is made of the session's token. The browser sends the
// token with each form, so any node of the server can decrypt. A page that was saved, or a
// script that reads it, has no token; once the session has ended, nobody has.
func (v *visit) typedCipher() (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(v.token), nil, "secrets that were typed into a form", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// sealTyped is the hidden field of the secrets of a page; "" where there are none. It opens
// for the form of the same place alone. The place is bound in as additional data, so the
// field cannot be moved to a form that would show the secret elsewhere.
func (v *visit) sealTyped(at string, t *typedSecrets) (string, error) {
	if len(t.shown) == 0 {
		return "", nil
	}
	text, err := json.Marshal(t.shown)
	if err != nil {
		return "", err
	}
	aead, err := v.typedCipher()
	if err != nil {
		return "", fmt.Errorf("seal the secrets of a form: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(aead.Seal(nil, nil, text, []byte(at))), nil
}

// openTyped reads the hidden field of a form that was sent. One of another session, as
// after signing in again, cannot be read; the person has to type the secrets anew.
func (v *visit) openTyped(at string) (*typedSecrets, error) {
	t := &typedSecrets{}
	sealed := v.field(typedField)
	if sealed == "" {
		return t, nil
	}
	aead, err := v.typedCipher()
	if err != nil {
		return nil, fmt.Errorf("open the secrets of a form: %w", err)
	}
	text, err := base64.RawURLEncoding.DecodeString(sealed)
	if err == nil {
		text, err = aead.Open(nil, nil, text, []byte(at))
	}
	if err == nil {
		err = json.Unmarshal(text, &t.sent)
	}
	if err != nil {
		return nil, apierr.Errorf(apierr.Malformed, "the secrets that were typed into this form cannot be read any more; open the page again")
	}
	return t, nil
}

// hideSecrets takes out of a form that comes back what was typed into its secrets. It is
// called last, when the inputs have their values.
func (v *visit) hideSecrets(e *editView) (err error) {
	e.hideInJSON()
	if e.Form != nil {
		e.hideInForm()
	}
	e.Typed, err = v.sealTyped(e.At, e.typed)
	return err
}

// secretMembers finds, in a text that is no JSON yet, the members whose values may be
// secrets, up to the end of the value or of the line.
var secretMembers = regexp.MustCompile(`(?i)("(?:` + strings.Join(secretFields, "|") + `|value)"\s*:\s*)"((?:[^"\\\n]|\\.)*)("?)`)

// hideInJSON hides the secrets of the JSON's field. Where that is valid, the settings know
// what is a secret. In anything else all is hidden that may be one, but for what the page
// showed before somebody changed it: that was no secret.
func (e *editView) hideInJSON() {
	if o, err := parsedJSON(e.JSON); err == nil {
		before := len(e.typed.shown)
		settings.ReplaceSecrets(e.place.around(o), e.typed.hide)
		if len(e.typed.shown) > before { // else the text stays as it was written
			e.JSON = editable(o.JSON())
		}
		return
	}
	e.JSON = secretMembers.ReplaceAllStringFunc(e.JSON, func(member string) string {
		part := secretMembers.FindStringSubmatch(member)
		if strings.Contains(e.shown, `"`+part[2]+`"`) {
			return member
		}
		text := part[2]
		_ = json.Unmarshal([]byte(`"`+text+`"`), &text) // with an escape that is none it stays as it is
		return part[1] + `"` + e.typed.hide(text) + part[3]
	})
}

// hideInForm hides the secrets of the fields and rows. The help of the field says what
// became of what was typed.
func (e *editView) hideInForm() {
	for i := range e.Form.Groups {
		for j := range e.Form.Groups[i].Fields {
			f := &e.Form.Groups[i].Fields[j]
			if f.Kind == "secret" && f.Value != "" && f.Value != masked {
				f.Value, f.Help = e.typed.hide(f.Value), "What you typed is sent again with this form, and is not shown. "+f.Help
			}
		}
	}
	for _, rows := range e.Form.Rows {
		for i := range rows.Rows {
			if row := &rows.Rows[i]; e.place.secretRow(rows.List, row.KeyGroup) {
				row.Value = e.typed.hide(row.Value)
			}
		}
	}
}

// secretRow reports whether the value of a row is a secret: the header of a connector, or
// what a step sends as one.
func (p place) secretRow(list, keyGroup string) bool {
	return list == "customHeaders" || p.list() == "workflowSteps" && spelling.SameName(keyGroup, "RequestHeaders")
}
