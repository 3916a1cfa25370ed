package dash

import (
	"net/http"
	"net/url"

	"github.com/orderhook/orderhook/internal/oms"
)

// keysView is the keys of the tenant.
type keysView struct {
	Items  []oms.Key
	Paging Paging
}

// newKeyView is a key that was just made, the only time that it is shown.
type newKeyView struct {
	Key    oms.Key
	Secret string // "" where the form was sent twice
	Server string
}

var (
	keysPage   = newPage[keysView]("keys", "/keys")
	newKeyPage = newPage[newKeyView]("new-key", "/keys")
)

func keyPages(s *server) {
	s.page(oms.Admin, "GET /keys", listKeys)
	s.page(oms.Admin, "GET /keys/new", newKey)
	s.page(oms.Admin, "POST /keys", createKey)
	s.page(oms.Admin, "GET /keys/{id}/delete", confirmDeleteKey)
	s.page(oms.Admin, "POST /keys/{id}/delete", deleteKey)
}

func listKeys(v *visit) error {
	var list List[oms.Key]
	if err := v.get("/api/keys", asked(v.query()), &list); err != nil {
		return err
	}
	return keysPage.showLive(v, "Keys", "keys", keysView{list.Items, newPaging(v.r.URL, &list)})
}

func newKey(v *visit) error {
	return showKeyForm(v, "", string(oms.Reader), nil)
}

func showKeyForm(v *visit, name, role string, problem *Problem) error {
	c := Confirm{
		What: "The tenant " + v.key.Tenant + " gets another key. It is shown once, on the page that comes.",
		Notes: []string{"reader: reads. publisher: also writes orders, carts, stock and events. operator: also settings, endpoints, runs and replays. admin: also keys and the audit log.",
			"Who has the key can sign in here, too."},
		Action: "/keys", Hidden: []Hidden{newOnce()},
		Inputs: []Input{{Name: "name", Label: "Name", Value: name, Hint: "what it is for"},
			{Name: "role", Label: "Role", Value: role, Options: options(string(oms.Reader), string(oms.Publisher), string(oms.Operator), string(oms.Admin))}},
		Button: "Make the key", Back: "/keys", Problem: problem,
	}
	return v.confirm("New key", c)
}

// createKey answers with the key itself, not with a redirect: nothing keeps it. Who
// reloads that page sends the same Idempotency-Key, and makes no other key.
func createKey(v *visit) error {
	var made struct {
		oms.Key
		Secret string `json:"key"`
	}
	err := v.sendForm("/api/keys", map[string]string{"name": v.field("name"), "role": v.field("role")}, &made)
	if p := problemOf(err); p != nil && p.Status < http.StatusInternalServerError {
		return showKeyForm(v, v.field("name"), v.field("role"), p)
	}
	if err != nil {
		return err
	}
	return newKeyPage.show(v, "New key", newKeyView{made.Key, made.Secret, v.s.address(v.r)})
}

func confirmDeleteKey(v *visit) error { return showDeleteKey(v, nil) }

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
	if id == v.key.ID {
		c.Notes = append(c.Notes, "It is the key that you have signed in with: you will be signed out.")
	}
	return v.confirm("Delete a key", c)
}

// keyFacts say which key it is. The API tells of no single key: the name and the role are
// shown if it is among the newest that one page of the list has.
func (v *visit) keyFacts(id string) ([]Fact, error) {
	var list List[oms.Key]
	if err := v.get("/api/keys", url.Values{"limit": {"200"}}, &list); err != nil {
		return nil, err
	}
	facts := []Fact{{Name: "Key", Value: id}}
	for _, k := range list.Items {
		if k.ID == id {
			facts = append(facts, Fact{Name: "Name", Value: k.Name}, Fact{Name: "Role", Value: string(k.Role)})
		}
	}
	return append(facts, Fact{Name: "What was done with it", Value: "audit", URL: search("audit", "keyId", id)}), nil
}

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
