package app

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/rerun"
)

// CallSource is where recorded calls come from. It is safe for concurrent use.
type CallSource interface {
	// List returns the names of the calls, which Call takes.
	List(ctx context.Context) ([]string, error)
	Call(ctx context.Context, name string) (*rerun.Call, error)
}

// ServerCalls are the calls of a server that runs, through its API.
type ServerCalls struct {
	Server Server
	IDs    []string // of attempts; none: those that the filter picks
	// Filter is name=value, as the parameters of GET /api/attempts have them.
	Filter []string
	Most   int // of those that the filter picks, the newest
}

// listLimit is how many attempts are asked for at a time.
const listLimit = 200

// List implements [CallSource]. Replays are left out: they repeat a call that is there.
func (c *ServerCalls) List(ctx context.Context) ([]string, error) {
	if len(c.IDs) > 0 {
		return c.IDs, nil
	}
	query := url.Values{"limit": {fmt.Sprint(min(listLimit, c.Most))}}
	for _, f := range c.Filter {
		name, value, ok := strings.Cut(f, "=")
		if !ok || name == "" || name == "limit" || name == "cursor" {
			return nil, UserErrorf("--filter %s: write NAME=VALUE, with a name that GET /api/attempts filters by", f)
		}
		query.Set(name, value)
	}
	var ids []string
	for {
		var page struct {
			Items []struct {
				ID   string `json:"id"`
				Kind string `json:"kind"`
			} `json:"items"`
			NextCursor string `json:"nextCursor"`
		}
		if err := askServer(ctx, c.Server, "/api/attempts?"+query.Encode(), &page); err != nil {
			return nil, err
		}
		for _, at := range page.Items {
			if at.Kind != attempt.KindReplay && at.Kind != attempt.KindShadow && len(ids) < c.Most {
				ids = append(ids, at.ID)
			}
		}
		if page.NextCursor == "" || len(ids) == c.Most {
			return ids, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}

// Call implements [CallSource].
func (c *ServerCalls) Call(ctx context.Context, id string) (*rerun.Call, error) {
	var text rawAnswer
	if err := askServer(ctx, c.Server, "/api/attempts/"+url.PathEscape(id)+"/call", &text); err != nil {
		return nil, err
	}
	return rerun.Parse(text)
}

// rawAnswer takes an answer as it came.
type rawAnswer []byte

// UnmarshalJSON implements json.Unmarshaler.
func (a *rawAnswer) UnmarshalJSON(text []byte) error {
	*a = slices.Clone(text)
	return nil
}

// askServer asks a server for something, and reads its answer. What the server refuses is a
// user error, in its words.
func askServer(ctx context.Context, server Server, path string, into any) error {
	status, answer, err := server.Ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	if status == http.StatusOK {
		return doing("read the answer to "+path, json.Unmarshal(answer, into))
	}
	var problem struct {
		Detail string `json:"detail"`
		Errors []struct {
			Location string `json:"location"`
			Message  string `json:"message"`
		} `json:"errors"`
	}
	if json.Unmarshal(answer, &problem) != nil || problem.Detail == "" { // it is not of orderhook
		return UserErrorf("the server answers %s with %d", path, status)
	}
	for _, e := range problem.Errors {
		problem.Detail += fmt.Sprintf("; %s %s", e.Location, e.Message)
	}
	return UserErrorf("the server answers %d: %s", status, problem.Detail)
}

// CallFolder is a folder with files of calls, as `ci record` writes them.
type CallFolder struct{ Dir string }

// callFile is the name of the file of a call.
const callFile = ".json"

// List implements [CallSource].
func (c CallFolder) List(context.Context) ([]string, error) {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return nil, UserErrorf("%w", err)
	}
	var names []string
	for _, e := range entries { // in the order of their names
		if !e.IsDir() && filepath.Ext(e.Name()) == callFile {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		return nil, UserErrorf("%s: no call was found: it holds no file *%s, as ci record writes them", c.Dir, callFile)
	}
	return names, nil
}

// Call implements [CallSource].
func (c CallFolder) Call(_ context.Context, name string) (*rerun.Call, error) {
	path := filepath.Join(c.Dir, name)
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, UserErrorf("%w", err)
	}
	call, err := rerun.Parse(text)
	if err != nil {
		return nil, UserErrorf("%s: %w", path, err)
	}
	return call, nil
}
