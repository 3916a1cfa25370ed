package dash

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/access"
)

// keysView is the keys of the tenant. The keys have no secret: the API has only their
// hashes.
type keysView struct {
	Items  []shownKey
	Paging Paging
	Roles  []Fact // what each role may do
}

// shownKey is a key as the API shows it.
type shownKey struct {
	access.Key
	May      []string
	Expiring string // "expired", "expires soon", or "" where it is neither
}

// newKeyView is a key that was just made, the only time that it is shown.
type newKeyView struct {
	Key    access.Key
	Secret string // "" where the form was sent twice
	Server string
}

var (
	// A new key is shown by a page of its own, which no URL leads to.
	keysPage   = newPage[keysView]("keys", "/keys")
	newKeyPage = newPage[newKeyView]("new-key", "/keys")
)

// keyPages registers the pages about keys, which are for admins, as the API's calls are.
func keyPages(s *server) {
	s.page(access.Admin, "GET /keys", listKeys)
	s.page(access.Admin, "GET /keys/new", newKey)
	s.page(access.Admin, "POST /keys", createKey)
	s.page(access.Admin, "GET /keys/{id}/change", changeKey)
	s.page(access.Admin, "POST /keys/{id}/change", storeKey)
	s.page(access.Admin, "GET /keys/{id}/delete", confirmDeleteKey)
	s.page(access.Admin, "POST /keys/{id}/delete", deleteKey)
}

// listKeys shows the keys of the tenant.
func listKeys(v *visit) error {
	var list List[shownKey]
	if err := v.get("/api/keys", asked(v.query()), &list); err != nil {
		return err
	}
	now := v.s.Clock.Now()
	for i := range list.Items {
		list.Items[i].Expiring = expiring(&list.Items[i].Key, now)
	}
	return keysPage.showLive(v, "Keys", "keys", keysView{list.Items, newPaging(v.r.URL, &list), roleFacts()})
}

// expiring says in words that a key has ended, or soon will; "" where neither is so.
func expiring(k *access.Key, now time.Time) string {
	switch {
	case k.Expired(now):
		return "expired"
	case k.ExpiresSoon(now):
		return "expires soon"
	}
	return ""
}

// newKey asks for the role that can do least first: a key that may do more than needed is
// found out too late.
func newKey(v *visit) error {
	return showKeyForm(v, keyForm{Role: string(access.Reader)}, nil)
}

// keyForm is what is written into the form of a key.
type keyForm struct{ Name, Role, RateLimit, ExpiresAt string }

func (v *visit) keyForm() keyForm {
	return keyForm{v.field("name"), v.field("role"), strings.TrimSpace(v.field("rateLimit")), strings.TrimSpace(v.field("expiresAt"))}
}

// body is what the API is asked. A field that is empty is null: no limit, or no end. What is
// no number goes as it is: the API says what is wrong with it.
func (f keyForm) body() map[string]any {
	body := map[string]any{"name": f.Name, "rateLimit": nil, "expiresAt": nil}
	if f.RateLimit != "" {
		body["rateLimit"] = f.RateLimit
		if n, err := strconv.ParseFloat(f.RateLimit, 64); err == nil {
			body["rateLimit"] = n
		}
	}
	if f.ExpiresAt != "" {
		body["expiresAt"] = f.ExpiresAt
	}
	return body
}

// inputs are the fields of a form that a key may be changed by.
func (f keyForm) inputs() []Input {
	return []Input{{Name: "name", Label: "Name", Value: f.Name, Hint: "what it is for"},
		{Name: "rateLimit", Label: "Rate limit", Value: f.RateLimit, Hint: "10", Help: "Requests a second, on each node; what comes beyond is answered 429. Empty: no limit."},
		{Name: "expiresAt", Label: "Expires at", Value: f.ExpiresAt, Hint: "2027-11-29T00:00:00Z", Help: "From then on it is refused. Empty: it does not expire."}}
}

// roleFacts say what each role may do beyond those before it.
func roleFacts() (facts []Fact) {
	for i, r := range access.Roles {
		may := r.May()
		fact := Fact{Name: string(r), Value: may[len(may)-1]}
		if i > 0 {
			fact.Value = "all that the role " + string(access.Roles[i-1]) + " may, and " + fact.Value
		}
		facts = append(facts, fact)
	}
	return facts
}

// roleNotes are roleFacts in a sentence each, for the form of a new key.
func roleNotes() (notes []string) {
	for _, f := range roleFacts() {
		notes = append(notes, f.Name+": "+f.Value+".")
	}
	return notes
}

func showKeyForm(v *visit, f keyForm, problem *Problem) error {
	c := Confirm{
		What:   "The tenant " + v.key.Tenant + " gets another key. It is shown once, on the page that comes.",
		Notes:  append(roleNotes(), "Who has the key can sign in here, too."),
		Action: "/keys", Hidden: []Hidden{newOnce()},
		Inputs: append(f.inputs(), Input{Name: "role", Label: "Role", Value: f.Role, Options: options(access.Roles...)}),
		Button: "Make the key", Back: "/keys", Problem: problem,
	}
	return v.confirm("New key", c)
}

// createKey answers with the key itself, not with a redirect: nothing keeps it. A browser that
// reloads that page sends the same Idempotency-Key, and makes no other key. Errors below 500
// are shown with the form; the API checks role and name.
func createKey(v *visit) error {
	var made struct {
		access.Key
		Secret string `json:"key"`
	}
	f := v.keyForm()
	body := f.body()
	body["role"] = f.Role
	err := v.sendForm("/api/keys", body, &made)
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError {
		return showKeyForm(v, f, p)
	}
	if err != nil {
		return err
	}
	return newKeyPage.show(v, "New key", newKeyView{made.Key, made.Secret, v.s.address(v.r)})
}

// changeKey has the form with what the key has now.
func changeKey(v *visit) error {
	k, err := v.oneKey(v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return showKeyChange(v, formOf(k), nil)
}

// formOf is the form with what a key has.
func formOf(k access.Key) keyForm {
	f := keyForm{Name: k.Name}
	if k.RateLimit > 0 {
		f.RateLimit = strconv.FormatFloat(k.RateLimit, 'f', -1, 64)
	}
	if !k.ExpiresAt.IsZero() {
		f.ExpiresAt = k.ExpiresAt.UTC().Format(time.RFC3339Nano)
	}
	return f
}

func showKeyChange(v *visit, f keyForm, problem *Problem) error {
	id := v.r.PathValue("id")
	return v.confirm("Change a key", Confirm{
		What: "The key " + id + " stays the same, and so does its role.", Notes: []string{"What is changed holds within a second, on all nodes."},
		Action: href("keys", id, "change"), Inputs: f.inputs(), Button: "Change the key", Back: "/keys", Problem: problem,
	})
}

func storeKey(v *visit) error {
	f := v.keyForm()
	body, err := v.changedOf(f)
	if err != nil {
		return err
	}
	err = v.send(http.MethodPatch, "/api"+href("keys", v.r.PathValue("id")), body, nil)
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError && p.Status != http.StatusNotFound {
		return showKeyChange(v, f, p)
	}
	if err != nil {
		return err
	}
	return v.done("/keys", "saved")
}

// changedOf is the body of those fields of the form that are not what the key has. A key that
// has expired can be renamed so: its expiresAt, which the API would refuse, is not sent back.
func (v *visit) changedOf(f keyForm) (map[string]any, error) {
	k, err := v.oneKey(v.r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	have, body := formOf(k), f.body()
	for name, same := range map[string]bool{"name": f.Name == have.Name, "rateLimit": f.RateLimit == have.RateLimit, "expiresAt": f.ExpiresAt == have.ExpiresAt} {
		if same {
			delete(body, name)
		}
	}
	return body, nil
}

func confirmDeleteKey(v *visit) error { return showDeleteKey(v, nil) }

// showDeleteKey warns whoever is about to delete their own key. problem is why the API
// refused, as that it is the last key of an admin.
func showDeleteKey(v *visit, problem *Problem) error {
	id := v.r.PathValue("id")
	facts, err := v.keyFacts(id)
	if err != nil {
		return err
	}
	c := Confirm{
		What:   "The key becomes worthless at once, and whoever signed in with it is signed out.",
		Facts:  facts,
		Notes:  []string{"Other keys stay as they are. This cannot be undone."},
		Action: href("keys", id, "delete"), Button: "Delete the key", Danger: true, Back: "/keys", Problem: problem,
	}
	// The session ends with its key, so this page would be the last one.
	if id == v.key.ID {
		c.Notes = append(c.Notes, "It is the key that you have signed in with: you will be signed out.")
	}
	return v.confirm("Delete a key", c)
}

func (v *visit) oneKey(id string) (k access.Key, err error) {
	err = v.get("/api"+href("keys", id), nil, &k)
	return k, err
}

// keyFacts say which key it is.
func (v *visit) keyFacts(id string) ([]Fact, error) {
	k, err := v.oneKey(id)
	if err != nil {
		return nil, err
	}
	return []Fact{{Name: "Key", Value: id}, {Name: "Name", Value: k.Name}, {Name: "Role", Value: string(k.Role)},
		{Name: "What was done with it", Value: "audit", URL: search("audit", "keyId", id)}}, nil
}

// deleteKey deletes a key. If it was that of this session, the next page leads to where
// one signs in.
func deleteKey(v *visit) error {
	err := v.send(http.MethodDelete, "/api"+href("keys", v.r.PathValue("id")), nil, nil)
	if p := problemOf(err); p != nil && p.Status == http.StatusConflict {
		return showDeleteKey(v, p)
	}
	if err != nil {
		return err
	}
	return v.done("/keys", "deleted")
}
