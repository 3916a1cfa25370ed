package access

import (
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/schema"
)

// changeable are the fields of a key that may be changed after it was made. The role is not
// among them: whoever holds the key would be able to do more without having been given more.
var changeable = []schema.ShapeField{
	{Name: "name", Limits: schema.Limits{MaxLength: 200}, Doc: "What the key is for"},
	{Name: "rateLimit", Type: schema.ShapeNumber, Limits: schema.Limits{Min: 0.001, Max: 10_000},
		Form: "requests a second, from 0.001 to 10000; leave it out for no limit", Doc: "Requests a second; what comes beyond is 429. No limit if it is left out"},
	{Name: "expiresAt", Type: schema.ShapeTime, Doc: "A time to come, from which on the key is refused with 401; it does not expire if this is left out"},
}

// KeyShape is the body that makes a key.
var KeyShape = &schema.Shape{Name: "KeyRequest", Noun: "a key", Fields: append([]schema.ShapeField{
	{Name: "role", Required: true, Enum: []string{string(Reader), string(Publisher), string(Operator), string(Admin)}},
}, changeable...)}

// InstallationKeyShape is a key of an installation, which is known by its name
// (docs/operating.md#an-installation-in-a-file). One that is to be absent needs nothing else.
var InstallationKeyShape = &schema.Shape{Name: "InstallationKey", Noun: "a key", Fields: append([]schema.ShapeField{
	{Name: "role", Enum: []string{string(Reader), string(Publisher), string(Operator), string(Admin)}, Doc: "Needed, unless it is to be absent"},
	{Name: "key", Doc: "The key itself; needed, unless it is to be absent"},
	{Name: "absent", Type: schema.ShapeFlag, Doc: "Removes the keys of that name"},
}, changeable...)}

// KeyPatchShape is the body that changes a key.
var KeyPatchShape = &schema.Shape{Name: "KeyPatch", Noun: "a key", Fields: changeable}

// notToCome is said of an expiry that lies in the past.
const notToCome = "must be a time to come; delete a key that is to end now"

// CheckExpiry refuses, as [apierr.Invalid], a key that has expired at a time.
func (k *Key) CheckExpiry(now time.Time) error {
	if k.Expired(now) {
		return &apierr.Error{Kind: apierr.Invalid, Detail: "the key is not valid", Fields: []apierr.FieldError{{Location: "expiresAt", Message: notToCome}}}
	}
	return nil
}

// Take sets those fields of the key that the object gives and that may be changed, and
// returns their names. What is null gets its default.
func (k *Key) Take(r *schema.ObjectReader, now time.Time) (given []string) {
	for _, f := range changeable {
		if !r.Given(f.Name) {
			continue
		}
		given = append(given, f.Name)
		switch f.Name {
		case "name":
			k.Name = r.Text("name")
		case "rateLimit":
			k.RateLimit, _ = strconv.ParseFloat(string(r.Number("rateLimit")), 64) // null is no number, and no limit
		case "expiresAt":
			if k.ExpiresAt = r.Time("expiresAt"); r.OK() && k.Expired(now) {
				r.Wrong("expiresAt", notToCome)
			}
		}
	}
	return given
}
