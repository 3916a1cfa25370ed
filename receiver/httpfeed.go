package receiver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HTTPFeed is the feed of an endpoint of a server: GET /api/endpoints/{id}/feed.
type HTTPFeed struct {
	URL      string // of the server, as https://orderhook.example.com
	Key      string // an API key of the role reader
	Endpoint string // the id of the endpoint, ep_…
	// Client is what it asks with; nil is one that follows no redirect, which could lead the
	// key elsewhere.
	Client *http.Client
}

// mostPage bounds an answer. A page has about a megabyte, or one event, which may be larger.
const mostPage = 64 << 20

// After implements Feed.
func (f *HTTPFeed) After(ctx context.Context, position string, wait time.Duration) (Page, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+30*time.Second)
	defer cancel()
	query := url.Values{}
	if position != "" {
		query.Set("after", position)
	}
	if wait > 0 {
		query.Set("wait", fmt.Sprintf("PT%gS", wait.Seconds()))
	}
	at := strings.TrimSuffix(f.URL, "/") + "/api/endpoints/" + url.PathEscape(f.Endpoint) + "/feed?" + query.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
	if err != nil {
		return Page{}, fmt.Errorf("ask the feed: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+f.Key)
	req.Header.Set("Accept", "application/json")
	client := f.Client
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	resp, err := client.Do(req)
	if err != nil {
		return Page{}, fmt.Errorf("ask the feed: %w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, mostPage+1))
	switch {
	case err != nil:
		return Page{}, fmt.Errorf("read the feed: %w", err)
	case len(body) > mostPage:
		return Page{}, fmt.Errorf("read the feed: a page has more than %d bytes", mostPage)
	case resp.StatusCode != http.StatusOK:
		return Page{}, refused(resp.Status, body)
	}
	page, err := readPage(body)
	if err != nil {
		return Page{}, fmt.Errorf("read the feed: %w", err)
	}
	return page, nil
}

// refused says why the server does not answer with a page, in its own words.
func refused(status string, body []byte) error {
	var problem struct {
		Detail string
		Errors []struct{ Location, Message string }
	}
	_ = json.Unmarshal(body, &problem) // what is no problem of the server's has its status
	said := []string{"the server answers the feed with " + status}
	if problem.Detail != "" {
		said = append(said, problem.Detail)
	}
	for _, e := range problem.Errors {
		said = append(said, e.Location+" "+e.Message)
	}
	return errors.New(strings.Join(said, ": "))
}

func readPage(body []byte) (Page, error) {
	var answer struct {
		Items []struct {
			Position, Previous, EventID, WebhookID, Type, Gone string
			Body                                               json.RawMessage
		}
		Next string
		More bool
		Lost *struct{ After, UpTo string }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Page{}, err
	}
	if answer.Next == "" {
		return Page{}, errors.New("this is no page of a feed: it has no next")
	}
	page := Page{Next: answer.Next, More: answer.More}
	if answer.Lost != nil {
		page.Lost = "events after the position " + answer.Lost.After + ", up to " + answer.Lost.UpTo
	}
	for _, item := range answer.Items {
		e := &Event{Call: Call{Key: item.WebhookID, Body: item.Body}, Type: item.Type, ID: item.EventID, Gone: item.Gone}
		if item.Gone == "" {
			var err error
			if e, err = eventOf(e.Call); err != nil {
				return Page{}, fmt.Errorf("the event at %s: %w", item.Position, err)
			}
		}
		e.Position, e.Previous = item.Position, previousOf(item.Previous)
		page.Events = append(page.Events, *e)
	}
	return page, nil
}
