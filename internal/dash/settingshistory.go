package dash

import (
	"net/http"
	"net/url"
	"strconv"

	"github.com/orderhook/orderhook/internal/oms"
)

// historyView is the versions of the settings, the newest first.
type historyView struct {
	Items  []historyRow
	Paging Paging
	Newest int64 // the version in force, where it is on this page
}

// historyRow is one version.
type historyRow struct {
	settingsInfo
	URL     string
	Restore string // "" where it is in force, or for whoever may not
}

// versionView is one version of the settings, beside another.
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

// restoreView asks whether an earlier version shall be in force again.
type restoreView struct {
	Version, Newest int64
	Changes         []Change
	More            bool
	Problem         *Problem
	Same            bool
}

var (
	settingsHistoryPage = newPage[historyView]("settings-history", "/workflows")
	settingsVersionPage = newPage[versionView]("settings-version", "/workflows")
	restorePage         = newPage[restoreView]("settings-restore", "/workflows")
)

func versionPath(version int64, more ...string) string {
	return href(append([]string{"workflows", "history", strconv.FormatInt(version, 10)}, more...)...)
}

func showSettingsHistory(v *visit) error {
	var list List[settingsInfo]
	if err := v.get("/api/settings/history", asked(v.query()), &list); err != nil {
		return err
	}
	view := historyView{Paging: newPaging(v.r.URL, &list)}
	if v.query().Get("cursor") == "" && len(list.Items) > 0 {
		view.Newest = list.Items[0].Version
	}
	for _, s := range list.Items {
		row := historyRow{settingsInfo: s, URL: versionPath(s.Version)}
		if s.Version != view.Newest && v.may(oms.Operator) {
			row.Restore = versionPath(s.Version, "restore")
		}
		view.Items = append(view.Items, row)
	}
	return settingsHistoryPage.showLive(v, "History of the settings", "settings", view)
}

// versionParam is a version in the URL.
func versionParam(text string) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 {
		return 0, oms.Errorf(oms.NotFound, "the settings have no version %q", text)
	}
	return n, nil
}

func showSettingsVersion(v *visit) error {
	version, err := versionParam(v.r.PathValue("version"))
	if err != nil {
		return err
	}
	other := max(version-1, 0)
	if text := v.query().Get("with"); text != "" {
		if other, err = versionParam(text); err != nil {
			return err
		}
	}
	is, err := v.settingsOf(version)
	if err != nil {
		return err
	}
	was, err := v.settingsOf(other)
	if err != nil {
		return err
	}
	newest, err := v.newestVersion()
	if err != nil {
		return err
	}
	view := versionView{Version: version, With: other, Newest: newest}
	view.Changes, view.More = settingsChanges(was.Doc, is.Doc)
	lines := someLines
	if v.query().Get("show") == "all" {
		lines = allLines
	}
	view.Document = newDocument("Settings of version "+strconv.FormatInt(version, 10), is.Raw, lines, nil)
	if view.Document.Cut && lines == someLines {
		view.Document.All = with(v.r.URL, "show", "all")
	}
	if version > 1 {
		view.Before = versionPath(version - 1)
	}
	if version < newest {
		if view.After = versionPath(version + 1); v.may(oms.Operator) {
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

func showRestore(v *visit) error { return v.askRestore(nil) }

// askRestore says what would change, and what was wrong when it was tried.
func (v *visit) askRestore(problem *Problem) error {
	version, err := versionParam(v.r.PathValue("version"))
	if err != nil {
		return err
	}
	newest, err := v.newestSettings()
	if err != nil {
		return err
	}
	then, err := v.settingsOf(version)
	if err != nil {
		return err
	}
	view := restoreView{Version: version, Newest: newest.Version, Problem: problem, Same: version == newest.Version}
	view.Changes, view.More = settingsChanges(newest.Doc, then.Doc)
	title := "Restore version " + strconv.FormatInt(version, 10)
	if problem != nil {
		return restorePage.refuse(v, title, problem, view)
	}
	return restorePage.show(v, title, view)
}

func restoreSettings(v *visit) error {
	version, err := versionParam(v.r.PathValue("version"))
	if err != nil {
		return err
	}
	var answer struct {
		Version int64 `json:"version"`
	}
	err = v.sendIf(http.MethodPost, "/api"+href("settings", strconv.FormatInt(version, 10), "restore"), v.field("version"), nil, &answer)
	if p := problemOf(err); p != nil && (p.Status == http.StatusUnprocessableEntity || p.Status == http.StatusPreconditionFailed) {
		return v.askRestore(p)
	}
	if err != nil {
		return err
	}
	return v.see(with(&url.URL{Path: versionPath(answer.Version)}, noticeParam, "restored"))
}
