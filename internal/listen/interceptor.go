package listen

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/orderhook/orderhook/internal/clock"
)

// Calls says whose calls are taken, as the API has it (docs/contract.md#interceptions).
type Calls struct {
	Steps      []string `json:"steps,omitempty"`
	Connectors []string `json:"connectors,omitempty"`
	Statuses   []string `json:"statuses,omitempty"`
	Orders     []string `json:"orderIds,omitempty"`
	AllOrders  bool     `json:"allOrders,omitempty"`
}

// Call is one attempt of a step's call, as it was handed out.
type Call struct {
	ID          string            `json:"id"`
	Headers     map[string]string `json:"headers"`
	Body        string            `json:"body"`
	BodyBase64  string            `json:"bodyBase64"`
	TimeoutMs   int64             `json:"timeoutMs"`
	OrderID     string            `json:"orderId"`
	Status      string            `json:"status"`
	Step        string            `json:"step"`
	DisplayName string            `json:"displayName"`
}

// Bytes is the body, as the endpoint would have got it.
func (c *Call) Bytes() ([]byte, error) {
	if c.BodyBase64 != "" {
		return base64.StdEncoding.DecodeString(c.BodyBase64)
	}
	return []byte(c.Body), nil
}

// Answer is what the receiver answered; Error says why it did not.
type Answer struct {
	Status  int
	Headers map[string]string
	Body    []byte
	Error   string
}

// CallWatcher is told of what happens to calls. HandOn and Answered are called on a
// goroutine of each call, the others on that of [Interceptor.Run].
type CallWatcher interface {
	Intercepting(id string)                                    // calls are handed out from here on
	Warned(text string)                                        // of a step that was asked for no call can come
	HandOn(ctx context.Context, c *Call) Answer                // hands a call to the receiver; ctx ends with the time of the attempt
	Answered(c *Call, a Answer, took time.Duration, err error) // err: the server has not taken the answer
	Away(err error, again time.Duration)                       // the server is not reached, and is asked again after that time
	Back(after time.Duration)                                  // it is reached again
	// Lapsed: the interception ended, and why. missed calls went to the endpoint until the next
	// one began, -1 if nobody knows how many.
	Lapsed(why string, missed int)
	Idle() // the server was asked and had no call
}

// Interceptor takes the calls of steps and brings their answers back.
type Interceptor struct {
	Server  Server
	Calls   Calls
	Watcher CallWatcher
	Clock   clock.Clock

	under sync.WaitGroup // calls that are not answered yet
}

const interceptions = "/api/interceptions"

// Run takes calls until ctx ends, and then ends the interception. The error is a *Refused if
// the server does not let it.
func (i *Interceptor) Run(ctx context.Context) (err error) {
	id, warnings, err := i.begin(ctx)
	if err != nil {
		return err
	}
	defer func() {
		i.under.Wait()
		err = errors.Join(err, i.end(ctx, id))
	}()
	i.intercepting(id, warnings)
	var down time.Time // since when there is no connection; zero: there is one
	pause := firstPause
	for {
		call, err := i.take(ctx, id)
		refused := (*Refused)(nil)
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &refused) && (refused.Status == http.StatusConflict || refused.Status == http.StatusNotFound):
			if id, err = i.again(ctx, id, refused.Why); err == nil {
				continue
			}
			if errors.As(err, &refused) {
				return err
			}
		case refused != nil:
			return err
		}
		if err != nil {
			if down.IsZero() {
				down = i.Clock.Now()
			}
			i.Watcher.Away(err, pause)
			if clock.Pause(ctx, i.Clock, pause) != nil {
				return nil
			}
			pause = min(2*pause, mostPause)
			continue
		}
		if !down.IsZero() {
			i.Watcher.Back(i.Clock.Now().Sub(down))
			down, pause = time.Time{}, firstPause
		}
		if call == nil {
			i.Watcher.Idle()
			continue
		}
		i.under.Go(func() { i.answer(ctx, id, call) })
	}
}

// begin begins an interception.
func (i *Interceptor) begin(ctx context.Context) (id string, warnings []string, err error) {
	body, err := json.Marshal(i.Calls)
	if err != nil {
		return "", nil, err
	}
	answer, err := ask(ctx, i.Server, http.MethodPost, interceptions, body, http.StatusCreated)
	var made struct {
		ID       string
		Warnings []struct{ Message string }
	}
	if err == nil {
		err = json.Unmarshal(answer, &made)
	}
	if err != nil {
		return "", nil, err
	}
	for _, warning := range made.Warnings {
		warnings = append(warnings, warning.Message)
	}
	return made.ID, warnings, nil
}

// intercepting tells that an interception has begun, and what was said of it.
func (i *Interceptor) intercepting(id string, warnings []string) {
	i.Watcher.Intercepting(id)
	for _, text := range warnings {
		i.Watcher.Warned(text)
	}
}

// again begins another interception in place of one that has ended, and says what was missed in
// between: the next one is there before it asks, so no call is missed that it does not tell of.
// After an error the id is that of before.
func (i *Interceptor) again(ctx context.Context, was, why string) (id string, err error) {
	id, warnings, err := i.begin(ctx)
	if err != nil {
		return was, err
	}
	var ended struct {
		Missed int
		Reason string
	}
	ended.Missed = -1
	answer, err := ask(ctx, i.Server, http.MethodGet, interceptions+"/"+url.PathEscape(was), nil, http.StatusOK)
	if err == nil && json.Unmarshal(answer, &ended) == nil && ended.Reason != "" {
		why = ended.Reason
	}
	i.Watcher.Lapsed(why, ended.Missed)
	i.intercepting(id, warnings)
	return id, nil
}

// end ends the interception. It has time for that, also after ctx has ended.
func (i *Interceptor) end(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leavingTime)
	defer cancel()
	_, err := ask(ctx, i.Server, http.MethodDelete, interceptions+"/"+url.PathEscape(id), nil, http.StatusNoContent)
	if refused := (*Refused)(nil); errors.As(err, &refused) && (refused.Status == http.StatusConflict || refused.Status == http.StatusNotFound) {
		return nil // it has ended
	}
	if err != nil {
		return fmt.Errorf("the interception could not be ended, and ends by itself within a minute: %w", err)
	}
	return nil
}

// take waits for the next call; nil if there is none yet.
func (i *Interceptor) take(ctx context.Context, id string) (*Call, error) {
	answer, err := ask(ctx, i.Server, http.MethodPost, fmt.Sprintf("%s/%s/calls?wait=PT%gS", interceptions, url.PathEscape(id), pageWait.Seconds()), nil, http.StatusOK)
	var list struct{ Items []*Call }
	if err == nil {
		err = json.Unmarshal(answer, &list)
	}
	if err != nil || len(list.Items) == 0 {
		return nil, err
	}
	return list.Items[0], nil
}

// answer has the receiver answer a call, and brings the answer back. A lost connection is
// tried again for as long as the attempt lasts.
func (i *Interceptor) answer(ctx context.Context, id string, c *Call) {
	began := i.Clock.Now()
	// A call that was taken is answered, also where the listener is to end.
	attempt := time.Duration(c.TimeoutMs) * time.Millisecond
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attempt+leavingTime)
	defer cancel()
	attempting, over := context.WithTimeout(ctx, attempt)
	defer over()
	a := i.Watcher.HandOn(attempting, c)
	took := i.Clock.Now().Sub(began)
	body, err := a.document()
	for err == nil {
		_, err = ask(ctx, i.Server, http.MethodPut, fmt.Sprintf("%s/%s/calls/%s", interceptions, url.PathEscape(id), url.PathEscape(c.ID)), body, http.StatusNoContent)
		if refused := (*Refused)(nil); err == nil || errors.As(err, &refused) || clock.Pause(ctx, i.Clock, firstPause) != nil {
			break
		}
		err = nil
	}
	i.Watcher.Answered(c, a, took, err)
}

// document is the answer as the API takes it.
func (a *Answer) document() ([]byte, error) {
	doc := map[string]any{}
	switch {
	case a.Error != "":
		doc["error"] = a.Error
	case utf8.Valid(a.Body):
		doc["status"], doc["headers"], doc["body"] = a.Status, a.Headers, string(a.Body)
	default:
		doc["status"], doc["headers"], doc["bodyBase64"] = a.Status, a.Headers, base64.StdEncoding.EncodeToString(a.Body)
	}
	return json.Marshal(doc)
}
