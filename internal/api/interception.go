package api

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"golang.org/x/net/http/httpguts"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/intercept"
	"github.com/orderhook/orderhook/internal/nodes"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/settings"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/store"
	"github.com/orderhook/orderhook/internal/timetext"
)

// interceptions registers the operations by which the calls of steps go to a listener in place
// of their endpoint (docs/contract.md#interceptions). They need the role that may change the
// settings, since an answer changes orders, and whoever may lead a step to another host could
// answer its calls anyway.
func interceptions(a *api) {
	tags := []string{"Interceptions"}
	handle(a, access.Operator, huma.Operation{OperationID: "create-interception", Method: http.MethodPost, Path: "/api/interceptions", Tags: tags,
		Summary: "Have the calls of chosen steps handed to you in place of their endpoint", DefaultStatus: http.StatusCreated,
		Description: "Ask for them with `take-call` again and again: who does not for half a minute loses the interception, and calls go to their endpoint again. " +
			"Names have no case. At least one of `steps`, `connectors` and `statuses` is needed, and either `orderIds` or `allOrders`. 409 where several nodes share the database.",
		RequestBody: bodyOf(a, interceptionShape, "Whose calls", map[string]any{"steps": []any{"Fraud check"}, "orderIds": []any{"ORD-1"}})}, a.createInterception)
	handle(a, access.Reader, huma.Operation{OperationID: "list-interceptions", Method: http.MethodGet, Path: "/api/interceptions", Tags: tags,
		Summary: "List whose calls are intercepted, and by which key", Description: "Those that ended within an hour, too. They are in the memory of the server: one that was restarted has none."}, a.listInterceptions)
	handle(a, access.Reader, huma.Operation{OperationID: "get-interception", Method: http.MethodGet, Path: "/api/interceptions/{id}", Tags: tags,
		Summary: "Read an interception, also one that ended within an hour"}, a.getInterception)
	handle(a, access.Operator, huma.Operation{OperationID: "delete-interception", Method: http.MethodDelete, Path: "/api/interceptions/{id}", Tags: tags,
		Summary: "End an interception", Description: "Calls that were handed out and are not answered fail, and are tried again as ever. 409 if it has ended by itself.", Errors: []int{http.StatusConflict}}, a.deleteInterception)
	handle(a, access.Operator, huma.Operation{OperationID: "take-call", Method: http.MethodPost, Path: "/api/interceptions/{id}/calls", Tags: tags,
		Summary: "Take the next call of an interception", DefaultStatus: http.StatusOK, Errors: []int{http.StatusConflict},
		Description: "For the key that began the interception. A call that was handed out is one attempt: it fails unless its answer comes within `timeoutMs`. 409 once the interception has ended."}, a.takeCall)
	handle(a, access.Operator, huma.Operation{OperationID: "answer-call", Method: http.MethodPut, Path: "/api/interceptions/{id}/calls/{callId}", Tags: tags,
		Summary: "Answer a call that was handed to you", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusConflict},
		Description: "As the endpoint would answer, or with `error` where there is no answer. 204 once it was applied to the order; 409 if it came too late, or the call has an answer.",
		RequestBody: bodyOf(a, listenerAnswerShape, "The answer", map[string]any{"status": 200, "headers": map[string]any{"content-type": "application/json"}, "body": "{}"})}, a.answerCall)
}

const (
	// mostNames and mostOrders bound the lists of an interception.
	mostNames, mostOrders = 50, 100
	// maxCallWait is how long a poll may wait. It is as long as a lease: a poll holds the
	// lease while it waits, also that of a listener whose connection is gone.
	maxCallWait = intercept.DefaultLease
	// mostAnswerError is how many characters the reason may have why there is no answer. It
	// stands on the order.
	mostAnswerError = 200
)

// interceptionShape is the body that begins an interception.
var interceptionShape = &schema.Shape{Name: "InterceptionRequest", Noun: "an interception", Fields: []schema.ShapeField{
	{Name: "steps", Type: schema.ShapeTexts, Limits: schema.Limits{MaxItems: mostNames}, Doc: "displayName or name of steps"},
	{Name: "connectors", Type: schema.ShapeTexts, Limits: schema.Limits{MaxItems: mostNames}, Doc: "connectorId or name of connectors"},
	{Name: "statuses", Type: schema.ShapeTexts, Limits: schema.Limits{MaxItems: mostNames}, Doc: "That orders or returns enter"},
	{Name: "orderIds", Type: schema.ShapeTexts, Limits: schema.Limits{MaxItems: mostOrders}, Doc: "Of these orders alone"},
	{Name: "allOrders", Type: schema.ShapeFlag, Doc: "Of all orders of the tenant"},
}}

// listenerAnswerShape is the body that answers a call.
var listenerAnswerShape = &schema.Shape{Name: "ListenerAnswer", Noun: "an answer", Fields: []schema.ShapeField{
	{Name: "status", Type: schema.ShapeWhole, Limits: schema.Limits{Min: 200, Max: 599}},
	{Name: "headers", Type: schema.ShapeObject, Doc: "Texts by name"},
	{Name: "body", Doc: "As text"},
	{Name: "bodyBase64", Doc: "In place of body, where it is no UTF-8"},
	{Name: "error", Limits: schema.Limits{MaxLength: mostAnswerError}, Doc: "Why there is no answer, as connection refused; in place of all others"},
}}

// interception is an interception as the API shows it.
type interception struct {
	ID         string     `json:"id"`
	Steps      []string   `json:"steps,omitempty" nullable:"false"`
	Connectors []string   `json:"connectors,omitempty" nullable:"false"`
	Statuses   []string   `json:"statuses,omitempty" nullable:"false"`
	OrderIDs   []string   `json:"orderIds,omitempty" nullable:"false"`
	AllOrders  bool       `json:"allOrders,omitempty"`
	KeyID      string     `json:"keyId" doc:"That began it, and takes its calls"`
	KeyName    string     `json:"keyName,omitempty"`
	BeganAt    time.Time  `json:"beganAt"`
	Until      time.Time  `json:"until" doc:"When it ends unless its listener asks again; of one that has ended, when it would have"`
	EndedAt    *time.Time `json:"endedAt,omitempty" doc:"Absent while it goes on"`
	Reason     string     `json:"reason,omitempty" doc:"Why it ended"`
	Handed     int        `json:"handed" doc:"Calls that the listener got"`
	Answered   int        `json:"answered" doc:"Of these, in time"`
	Missed     int        `json:"missed" doc:"Calls of the kind that went to their endpoint since it ended"`
	// Warnings are in the answer to the request that begins it alone.
	Warnings []apierr.Warning `json:"warnings,omitempty" nullable:"false" doc:"Steps that are named and of which no call can come, as the settings are when it begins"`
}

func showInterception(s intercept.State) interception {
	f := s.Filter
	out := interception{ID: s.ID, Steps: f.Steps, Connectors: f.Connectors, Statuses: f.Statuses, OrderIDs: f.Orders, AllOrders: f.AllOrders,
		KeyID: s.By.KeyID, KeyName: s.By.KeyName, BeganAt: s.Begun, Until: s.Until, Reason: s.Why, Handed: s.Handed, Answered: s.Answered, Missed: s.Missed}
	if !s.Ended.IsZero() {
		out.EndedAt = &s.Ended
	}
	return out
}

type interceptionAnswer struct{ Body interception }

// createInterception begins an interception, and notes that in the audit log. It begins
// before the write: until its caller has the id nothing is handed out, and if the write
// fails, it ends. A repeated request shows that of the first one as it is now.
func (a *api) createInterception(ctx context.Context, in *OnceParams) (*interceptionAnswer, error) {
	filter, err := a.interceptionFilter(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.alone(); err != nil {
		return nil, err
	}
	key, id, begun := callOf(ctx).key, intercept.NewID(), false
	earlier, err := a.once(ctx, *in, func(tx store.Tx, _ time.Time) (string, error) {
		if !begun { // a write may be decided again
			if _, err := a.Board.Begin(tenantOf(ctx), id, attempt.Listener{KeyID: key.ID, KeyName: key.Name}, filter); err != nil {
				return "", err
			}
			begun = true
		}
		return id, tx.NoteInterception(ctx, tenantOf(ctx), id, &access.AuditedInterception{Steps: filter.Steps, Connectors: filter.Connectors,
			Statuses: filter.Statuses, OrderIDs: filter.Orders, AllOrders: filter.AllOrders})
	})
	// Another request with the same key may have been written after this one had begun its
	// interception, of which nobody would ever hear.
	if err != nil || earlier != nil && earlier.Resource != id {
		a.Board.End(tenantOf(ctx), id)
	}
	if err != nil {
		return nil, err
	}
	if earlier != nil {
		id = earlier.Resource
	}
	out, err := a.getInterception(ctx, &InterceptionID{id})
	if err == nil {
		out.Body.Warnings, err = a.interceptionWarnings(ctx, filter.Steps)
	}
	return out, err
}

// interceptionWarnings names the steps that no active step is called by: a listener would wait for
// their calls for ever, without a word. They are no errors, since the settings may get them yet.
func (a *api) interceptionWarnings(ctx context.Context, names []string) (out []apierr.Warning, err error) {
	s, err := a.Store.Settings(ctx, tenantOf(ctx))
	if err != nil {
		return nil, err
	}
	live, shadows := s.TwoWaySteps()
	var labels []string
	for _, st := range live {
		if label := fmt.Sprintf("%q", st.Label()); !slices.Contains(labels, label) {
			labels = append(labels, label)
		}
	}
	there := "there is none"
	if len(labels) > 0 {
		there = "there are " + strings.Join(labels[:min(len(labels), mostNames)], ", ")
	}
	if more := len(labels) - mostNames; more > 0 {
		there += fmt.Sprintf(" and %d others", more)
	}
	among := func(steps []*settings.Step, name string) bool {
		return slices.ContainsFunc(steps, func(st *settings.Step) bool {
			return spelling.SameName(name, st.Name) || spelling.SameName(name, st.DisplayName)
		})
	}
	for i, name := range names {
		if among(live, name) {
			continue
		}
		what := fmt.Sprintf("no active step with an answer is called %q", name)
		if among(shadows, name) {
			what = fmt.Sprintf("%q is a shadow, whose calls always go to its endpoint", name)
		}
		out = append(out, apierr.Warning{Path: fmt.Sprintf("steps[%d]", i), Message: what + ", so none of its calls comes; " + there})
	}
	return out, nil
}

// interceptionFilter reads the body. What picks too much must be said in so many words: all
// orders, and never all steps.
func (a *api) interceptionFilter(ctx context.Context) (f intercept.Filter, err error) {
	body, err := readBody(ctx, interceptionShape)
	if err != nil {
		return f, err
	}
	f = intercept.Filter{Steps: body.Texts("steps"), Connectors: body.Texts("connectors"), Statuses: body.Texts("statuses"),
		Orders: body.Texts("orderIds"), AllOrders: body.Flag("allOrders")}
	if body.OK() {
		if len(f.Steps)+len(f.Connectors)+len(f.Statuses) == 0 {
			body.Wrong("", "must name steps, connectors or statuses")
		}
		if (len(f.Orders) > 0) == f.AllOrders {
			body.Wrong("", "must have either orderIds, or allOrders: true")
		}
		for _, list := range [][]string{f.Steps, f.Connectors, f.Statuses, f.Orders} {
			if slices.Contains(list, "") {
				body.Wrong("", "must have no empty names")
			}
		}
	}
	return f, within(body.Err())
}

// alone refuses where several nodes share the work: a run goes on at the node that has its
// order, and listeners ask any of them.
func (a *api) alone() error {
	live := slices.DeleteFunc(a.Node.List(), func(s nodes.Status) bool { return !s.Live })
	if len(live) > 1 {
		return apierr.Errorf(apierr.Conflict, "%s: intercept calls with one node", intercept.SeveralNodes)
	}
	return nil
}

func (a *api) listInterceptions(ctx context.Context, _ *struct{}) (*listOf[interception], error) {
	return answerList(store.List[intercept.State]{Items: a.Board.List(tenantOf(ctx))}, nil, showInterception)
}

// InterceptionID is the interception that a path names.
type InterceptionID struct {
	ID string `path:"id" doc:"The interception's id"`
}

func (a *api) getInterception(ctx context.Context, in *InterceptionID) (*interceptionAnswer, error) {
	s, err := a.Board.StateOf(tenantOf(ctx), in.ID)
	if err != nil {
		return nil, err
	}
	return &interceptionAnswer{showInterception(s)}, nil
}

// deleteInterception ends an interception. Any key of the role may: whoever wonders why the
// endpoint is not called must be able to mend that. The entry in the audit log comes first.
func (a *api) deleteInterception(ctx context.Context, in *InterceptionID) (*struct{}, error) {
	goesOn := func() error {
		s, err := a.Board.StateOf(tenantOf(ctx), in.ID)
		if err == nil && !s.Ended.IsZero() {
			err = apierr.Errorf(apierr.Conflict, "the interception has ended already: %s", s.Why)
		}
		return err
	}
	err := a.Store.Write(ctx, func(tx store.Tx) error {
		if err := goesOn(); err != nil {
			return err
		}
		return tx.NoteInterception(ctx, tenantOf(ctx), in.ID, nil)
	})
	if err == nil {
		a.Board.End(tenantOf(ctx), in.ID)
	}
	return nil, err
}

// handedCall is a call as its listener gets it.
type handedCall struct {
	ID          string            `json:"id" doc:"For the answer"`
	Method      string            `json:"method" enum:"POST"`
	Headers     map[string]string `json:"headers" doc:"As the endpoint would get them, but for its credentials and custom headers"`
	Body        string            `json:"body,omitempty" doc:"The body, byte for byte"`
	BodyBase64  string            `json:"bodyBase64,omitempty" doc:"The body, where it is no UTF-8 text"`
	TimeoutMs   int64             `json:"timeoutMs" doc:"How long the attempt may take, from when the call was handed out"`
	OrderID     string            `json:"orderId"`
	RunID       string            `json:"runId"`
	Status      string            `json:"status" doc:"That was entered"`
	Step        string            `json:"step"`
	DisplayName string            `json:"displayName,omitempty"`
	ConnectorID string            `json:"connectorId,omitempty"`
}

type handedCalls struct {
	Body struct {
		Items []handedCall `json:"items" nullable:"false" doc:"One call, or none"`
	}
}

// takeCall waits for a call. That it was asked renews the lease, whether there is one or not.
func (a *api) takeCall(ctx context.Context, in *struct {
	InterceptionID
	Wait string `query:"wait" doc:"How long to wait for a call where there is none yet, at most PT30S" example:"PT25S"`
}) (*handedCalls, error) {
	wait, ok := timetext.ParseDuration(in.Wait, maxCallWait)
	if in.Wait != "" && !ok {
		return nil, apierr.Wrong("query.wait", "must be a duration of at most PT30S, as PT25S or 00:00:25")
	}
	if err := a.ownInterception(ctx, in.ID); err != nil {
		return nil, err
	}
	if a.alone() != nil {
		a.Board.Lose(tenantOf(ctx), in.ID, intercept.SeveralNodes)
	}
	over, stop := context.WithTimeout(ctx, wait)
	defer stop()
	go func() {
		select {
		case <-a.Engine.Leaving():
			stop()
		case <-over.Done():
		}
	}()
	admission.Pause(ctx)
	r, err := a.Board.Take(ctx, over.Done(), tenantOf(ctx), in.ID)
	if gone := a.stillAdmitted(ctx); apierr.KindOf(gone) == apierr.Unauthorized {
		a.Board.Lose(tenantOf(ctx), in.ID, intercept.KeyGone)
		return nil, gone
	} else if gone != nil {
		return nil, gone // what was taken fails by its timeout, and is called again
	}
	if err != nil {
		return nil, err
	}
	out := &handedCalls{}
	if out.Body.Items = []handedCall{}; r != nil {
		out.Body.Items = []handedCall{showCall(r)}
	}
	return out, nil
}

// ownInterception refuses the calls of an interception to other keys than the one that began it:
// what was handed to one listener another one would never see.
func (a *api) ownInterception(ctx context.Context, id string) error {
	s, err := a.Board.StateOf(tenantOf(ctx), id)
	if err == nil && s.By.KeyID != callOf(ctx).key.ID {
		err = apierr.Errorf(apierr.Conflict, "another key began this interception, and takes its calls")
	}
	return err
}

func showCall(r *intercept.Request) handedCall {
	s := r.Subject
	out := handedCall{ID: r.ID, Method: http.MethodPost, Headers: map[string]string{}, TimeoutMs: r.Timeout.Milliseconds(), OrderID: s.OrderID,
		RunID: s.RunID, Status: s.Status, Step: s.Step, DisplayName: s.DisplayName, ConnectorID: s.ConnectorID}
	for name, values := range r.Header {
		out.Headers[name] = strings.Join(values, ", ")
	}
	if utf8.Valid(r.Body) {
		out.Body = string(r.Body)
	} else {
		out.BodyBase64 = base64.StdEncoding.EncodeToString(r.Body)
	}
	return out
}

// answerCall gives an answer to the run that waits for it, and returns once that was applied.
// Its memory is counted for the tenant until then.
func (a *api) answerCall(ctx context.Context, in *struct {
	InterceptionID
	CallID string `path:"callId" doc:"The id of the call, as it was handed out"`
}) (*struct{}, error) {
	answer, err := listenerAnswer(ctx)
	if err != nil {
		return nil, err
	}
	if err := a.ownInterception(ctx, in.ID); err != nil {
		return nil, err
	}
	// The run may need the turn for large documents that this request has.
	admission.Pause(ctx)
	return nil, a.Board.BringAnswer(ctx, tenantOf(ctx), in.ID, in.CallID, answer)
}

// listenerAnswer reads the body of an answer. One that is larger than an endpoint may answer is
// cut where that is noticed: it fails as that of the endpoint would.
func listenerAnswer(ctx context.Context) (out intercept.Answer, err error) {
	body, err := readBody(ctx, listenerAnswerShape)
	if err != nil {
		return out, err
	}
	out = intercept.Answer{Status: body.Whole("status"), Header: http.Header{}, Body: []byte(body.Text("body")), Error: body.Text("error")}
	for _, m := range body.Object("headers").Members() {
		text, isText := m.Value.(string)
		if !isText || !httpguts.ValidHeaderFieldName(m.Name) || !httpguts.ValidHeaderFieldValue(text) {
			body.Wrong("headers", "must have texts by name, as HTTP allows them")
			break
		}
		out.Header.Add(m.Name, text)
	}
	if encoded := body.Text("bodyBase64"); encoded != "" {
		if len(out.Body) > 0 {
			body.Wrong("bodyBase64", "must not be there beside body")
		}
		if out.Body, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			body.Wrong("bodyBase64", "must be base64")
		}
	}
	if body.OK() && (out.Status == 0) == (out.Error == "") {
		body.Wrong("", "must have either a status, or an error")
	}
	out.Body = out.Body[:min(len(out.Body), outbound.MaxBody+1)]
	return out, within(body.Err())
}

// intercepted warns of interceptions that go on, so that nobody wonders why an endpoint is not
// called.
func (a *api) intercepted(ctx context.Context) (out []apierr.Warning) {
	for _, s := range a.Board.List(tenantOf(ctx)) {
		if !s.Ended.IsZero() {
			continue
		}
		f, of := s.Filter, "all orders"
		if !f.AllOrders {
			of = clip(strings.Join(f.Orders, ", "))
		}
		names := strings.Join(slices.Concat(f.Steps, f.Connectors, f.Statuses), ", ")
		out = append(out, apierr.Warning{Path: "interceptions", Message: fmt.Sprintf("calls of %s, of %s, go to a listener in place of their endpoint: %s, by key %s, until %s unless it goes on",
			clip(names), of, s.ID, cmp.Or(s.By.KeyName, s.By.KeyID), s.Until.Format(time.RFC3339))})
	}
	return out
}
