package dash

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
)

// settingsInfo is one version of the settings in their history. By is what stored it: a
// key, or the command line.
type settingsInfo struct {
	Version int64     `json:"version"`
	Created time.Time `json:"created"`
	By      string    `json:"by"`
	KeyName string    `json:"keyName"`
}

// stored is one version of the settings, as they are shown: secrets as ***. Doc and Raw
// are the same document: one to look into, and one to show with every digit.
type stored struct {
	Version int64 // 0: none were ever stored
	Doc     *jsondoc.Object
	Raw     json.RawMessage
}

// newestSettings reads the settings that are in force. The version comes from the
// history, so that it is the document's, whoever stores settings meanwhile. The document
// itself has no version in it.
func (v *visit) newestSettings() (s stored, err error) {
	var history List[settingsInfo]
	if err := v.get("/api/settings/history", url.Values{"limit": {"1"}}, &history); err != nil {
		return s, err
	}
	if len(history.Items) == 0 {
		return v.settingsOf(0)
	}
	return v.settingsOf(history.Items[0].Version)
}

// settingsOf reads a version of the settings; version 0 is an empty document. A version
// that there never was is a 404 of the API.
func (v *visit) settingsOf(version int64) (s stored, err error) {
	s.Version, s.Doc, s.Raw = version, jsondoc.NewObject(), json.RawMessage("{}")
	if version == 0 {
		return s, nil
	}
	if err := v.get("/api"+href("settings", strconv.FormatInt(version, 10)), nil, &s.Raw); err != nil {
		return s, err
	}
	s.Doc, err = schema.Parse(s.Raw)
	return s, err
}

// tried is what the API says of settings that are not stored. DryRun is nil unless an
// order was named.
type tried struct {
	Warnings []apierr.Warning `json:"warnings"`
	DryRun   *trialOutcome    `json:"dryRun"`
}

// trialOutcome is of a dry run's result what is shown beside settings.
type trialOutcome struct {
	IsAborted bool           `json:"isAborted"`
	Reason    string         `json:"reason"`
	Order     resultOrder    `json:"order"`
	Steps     []resultOfStep `json:"orderActionExecutionResults"`
}

// resultOrder is of the order in a result what is shown of it.
type resultOrder struct {
	Status string `json:"status"`
}

// resultOfStep is what one step came to, or would do.
type resultOfStep struct {
	Step         string `json:"step"`
	DisplayName  string `json:"displayName"`
	ActionStatus string `json:"actionStatus"`
	ErrorReason  string `json:"errorReason"`
}

// check asks the API what is wrong with settings, and what would become of an order.
// Settings that the API would not store are a problem.
func (v *visit) check(doc *jsondoc.Object, order trialOrder) (t tried, err error) {
	path := "/api/settings/check"
	if query := order.query(); len(query) > 0 {
		path += "?" + query.Encode()
	}
	return t, v.send(http.MethodPost, path, json.RawMessage(doc.JSON()), &t)
}

// seal is what says that a person has seen what these settings change: it can be made by
// this server alone, and holds for this session, version and document. Without it, a form
// that is posted twice could store what nobody has looked at.
func (v *visit) seal(base stored, doc *jsondoc.Object) string {
	mac := hmac.New(sha256.New, []byte(v.token))
	mac.Write([]byte("settings " + strconv.FormatInt(base.Version, 10) + " "))
	mac.Write(doc.JSON())
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

const (
	// mostDifferences is how many places that differ a page lists.
	mostDifferences = 500
	// newSecret stands for a secret that was typed: that it is new may be shown, and not
	// what it is.
	newSecret = "*** (a new one)"
)

// settingsChanges lists where settings differ, with no secret that came in. A *** that
// came in stays, so that a secret which is unchanged is no difference.
func settingsChanges(a, b *jsondoc.Object) (changes []Change, more bool) {
	b = b.Clone()
	settings.ReplaceSecrets(b, func(string) string { return newSecret })
	return comparedByName(a.JSON(), b.JSON(), mostDifferences)
}

// rawOf is a document as it is sent.
func rawOf(doc *jsondoc.Object) json.RawMessage { return json.RawMessage(doc.JSON()) }
