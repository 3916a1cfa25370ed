package app

import (
	"context"
	"fmt"
	"net/http"

	"github.com/go-json-experiment/json"

	"github.com/orderhook/orderhook/internal/apierr"
)

// ApplyThrough is Apply through the API of a server that runs. The document was read here, so
// the variables and the files of secrets are those of who calls this; where requests may go,
// the server says.
func (in *Installation) ApplyThrough(ctx context.Context, server Server, dryRun bool) (found Found, err error) {
	// The tenant is that of the key, so a wrong key must not change another one's.
	var me struct {
		Tenant string `json:"tenant"`
	}
	if err := in.ask(ctx, server, http.MethodGet, "/api/me", nil, &me); err != nil {
		return found, err
	}
	if me.Tenant != in.Tenant {
		return found, UserErrorf("the key is of tenant %q, and not of %q, which --tenant names", me.Tenant, in.Tenant)
	}
	var done struct {
		Differences []string         `json:"differences"`
		Warnings    []apierr.Warning `json:"warnings"`
	}
	err = in.ask(ctx, server, http.MethodPut, fmt.Sprintf("/api/installation?dryRun=%v", dryRun), in.body, &done)
	for _, text := range done.Differences {
		found.Differences = append(found.Differences, Difference{Text: text})
	}
	found.Warnings = done.Warnings
	return found, err
}

// ask makes a call, and reads its answer. An error of the document is told as that of the
// file, as if it had been applied here.
func (in *Installation) ask(ctx context.Context, server Server, method, path string, body []byte, into any) error {
	status, answer, err := server.Ask(ctx, method, path, body)
	if err != nil {
		return err
	}
	if status == http.StatusOK {
		return doing("read the answer to "+path, json.Unmarshal(answer, into))
	}
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(answer, &problem) != nil || problem.Detail == "" { // it is not of orderhook
		return UserErrorf("the server answers %s with %d", path, status)
	}
	if status == http.StatusUnprocessableEntity || status == http.StatusConflict {
		return in.wrong(fmt.Errorf("%s", problem.Detail))
	}
	return UserErrorf("the server answers %d: %s", status, problem.Detail)
}
