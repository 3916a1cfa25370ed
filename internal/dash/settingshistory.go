package dash

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
)

// historyView is the versions of the settings, the newest first. Only the first page
// knows which version is in force.
type historyView struct {
	Items  []historyRow
	Paging Paging
	Newest int64  // the version in force, where it is on this page
	Server string // this server's address, for the command
}

// historyRow is one version. URL compares it with the version before.
type historyRow struct {
	settingsInfo
	URL     string
	Restore string // "" where it is in force, or for whoever may not
}

// versionView is one version of the settings, beside another. Without another in the URL
// it is the one before, so that one sees what this version changed. Changes are those
// from With to Version; More says that there are others, which are not shown. Restore is
// "" for whoever may not restore it, and for the version in force.
type versionView struct {
	Version  int64
	With     int64 // the version that it is compared with; 0: nothing
	Newest   int64
	Changes  []Change
	More     bool
	Document Document
	Restore  string
	Before   string // the URLs of the versions beside it
	After    string
}

// restoreView asks whether an earlier version shall be in force again. Changes are from
// what is in force to what would be. Same says that it is the version in force, so that
// there is nothing to do.
type restoreView struct {
	Version, Newest int64
	Changes         []Change
	More            bool
	Problem         *Problem
	Same            bool
}

var (
	// They all belong to the section of workflows.
	settingsHistoryPage = newPage[historyView]("settings-history", "/workflows")
	settingsVersionPage = newPage[versionView]("settings-version", "/workflows")
	restorePage         = newPage[restoreView]("settings-restore", "/workflows")
)

// versionPath is the page of a version, or one below it.
func versionPath(version int64, more ...string) string {
	return href(append([]string{"workflows", "history", strconv.FormatInt(version, 10)}, more...)...)
}

// showSettingsHistory lists the versions, with who stored each.
func showSettingsHistory(v *visit) error {
	var list List[settingsInfo]
	if err := v.get("/api/settings/history", asked(v.query()), &list); err != nil {
		return err
	}
	view := historyView{Paging: newPaging(v.r.URL, &list), Server: v.s.address(v.r)}
	// The list begins with the newest version, which is the one in force. Further pages
	// do not have it.
	if v.query().Get("cursor") == "" && len(list.Items) > 0 {
		view.Newest = list.Items[0].Version
	}
	for _, s := range list.Items {
		row := historyRow{settingsInfo: s, URL: versionPath(s.Version)}
		// On a further page no version is in force, so each of them can be restored.
		if s.Version != view.Newest && v.may(access.Operator) {
			row.Restore = versionPath(s.Version, "restore")
		}
		view.Items = append(view.Items, row)
	}
	return settingsHistoryPage.showLive(v, "History of the settings", "settings", view)
}

// versionParam is a version in the URL. Version 0 is that of settings which were never
// stored.
func versionParam(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, apierr.Errorf(apierr.NotFound, "the settings have no version %q", text)
	}
	return n, nil
}

// showSettingsVersion shows what one version changed, and the whole of it. It is not
// live: a version does not change.
func showSettingsVersion(v *visit) error {
	version, err := versionParam(v.r.PathValue("version"))
	if err != nil {
		return err
	}
	// Version 1 is compared with version 0, which is empty.
	other := max(version-1, 0)
	if text := v.query().Get("with"); text != "" {
		if other, err = versionParam(text); err != nil {
			return err
		}
	}
	// A version is read whole, since the differences are made of the documents.
	is, err := v.settingsOf(version)
	if err != nil {
		return err
	}
	was, err := v.settingsOf(other)
	if err != nil {
		return err
	}
	// Only a version that is not in force can be restored, and only one before the newest
	// has a next one.
	newest, err := v.newestVersion()
	if err != nil {
		return err
	}
	view := versionView{Version: version, With: other, Newest: newest}
	view.Changes, view.More = settingsChanges(was.Doc, is.Doc)
	view.Document = v.document("Settings of version "+strconv.FormatInt(version, 10), is.Raw, "", nil)
	if version > 1 {
		view.Before = versionPath(version - 1)
	}
	if version < newest {
		if view.After = versionPath(version + 1); v.may(access.Operator) {
			view.Restore = versionPath(version, "restore")
		}
	}
	return settingsVersionPage.show(v, "Settings, version "+strconv.FormatInt(version, 10), view)
}

// newestVersion is the version in force; 0 where nothing was ever stored.
func (v *visit) newestVersion() (int64, error) {
	var history List[settingsInfo]
	if err := v.get("/api/settings/history", url.Values{"limit": {"1"}}, &history); err != nil || len(history.Items) == 0 {
		return 0, err
	}
	return history.Items[0].Version, nil
}

// showRestore is the page before a version is restored.
func showRestore(v *visit) error { return v.askRestore(nil) }

// askRestore says what would change, and what was wrong when it was tried. The form has
// the version in force as a hidden field, for If-Match.
func (v *visit) askRestore(problem *Problem) error {
	version, err := versionParam(v.r.PathValue("version"))
	if err != nil {
		return err
	}
	// What is compared is what is in force at this moment. The version goes along in the
	// form.
	newest, err := v.newestSettings()
	if err != nil {
		return err
	}
	then, err := v.settingsOf(version)
	if err != nil {
		return err
	}
	// To restore the version in force would change nothing, so there is no button then.
	view := restoreView{Version: version, Newest: newest.Version, Problem: problem, Same: version == newest.Version}
	view.Changes, view.More = settingsChanges(newest.Doc, then.Doc)
	title := "Restore version " + strconv.FormatInt(version, 10)
	if problem != nil {
		return restorePage.refuse(v, title, problem, view)
	}
	return restorePage.show(v, title, view)
}

// restoreSettings sends the version that the page has shown as in force. If somebody has
// stored another since, the API refuses, and the differences are shown anew. Secrets that
// were destroyed since are not in the new version (docs/contract.md#secrets).
func restoreSettings(v *visit) error {
	version, err := versionParam(v.r.PathValue("version"))
	if err != nil {
		return err
	}
	var answer struct {
		Version int64 `json:"version"`
	}
	err = v.sendIf(http.MethodPost, "/api"+href("settings", strconv.FormatInt(version, 10), "restore"), v.field("version"), nil, &answer)
	// 412 says that somebody was faster, 422 that the version would not be valid any
	// more. In both cases the page says so, with the differences as they are by then.
	if p := problemOf(err); p != nil && (p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusPreconditionFailed) {
		return v.askRestore(p)
	}
	if err != nil {
		return err
	}
	return v.see(with(&url.URL{Path: versionPath(answer.Version)}, noticeParam, "restored"))
}
