package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// testCall is the call of the lists below.
var testCall = &call{id: "req-1", r: &http.Request{URL: &url.URL{Path: "/x"}}}

// stack is a list of documents of so many bytes each, that is read as a store is.
type stack struct {
	sizes []int
	fails map[int]error // when the part is read that begins at this one
	asked []store.Page
}

func (s *stack) read(p store.Page) (store.List[store.Document], error) {
	s.asked = append(s.asked, p)
	var first int
	_, _ = fmt.Sscan(p.Cursor, &first)
	if err := s.fails[first]; err != nil {
		return store.List[store.Document]{}, err
	}
	var l store.List[store.Document]
	for i := first; i < len(s.sizes); i++ {
		if len(l.Items) == p.Size() || l.Bytes >= p.MostBytes() {
			l.NextCursor = fmt.Sprint(i)
			break
		}
		l.Items = append(l.Items, store.Document{JSON: fmt.Sprintf(`{"id":%d,"x":"%s"}`, i, strings.Repeat("x", s.sizes[i]))})
		l.Bytes += s.sizes[i]
	}
	return l, nil
}

// ask asks for a page over a connection, and returns the ids, the cursor, what
// was said in the log, and the error of the connection.
func (s *stack) ask(t *testing.T, p store.Page) (ids []int, cursor, log string, err error) {
	t.Helper()
	var logged bytes.Buffer
	defer func() { log = logged.String() }() // once the server is closed, and writes no more
	a := &api{Options: Options{Log: slog.New(slog.NewTextHandler(&logged, nil))}}
	ctx := context.WithValue(t.Context(), callKey{}, testCall)
	server := httptest.NewServer(answering(a.Log, func() (*listOf[orderDocument], error) {
		return listed(ctx, a, p, s.read, func(d store.Document) orderDocument { return orderDocument{d} })
	}))
	defer server.Close()
	answer, err := http.Get(server.URL + "/x")
	if err != nil {
		return nil, "", "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, "", "", err
	}
	var out struct {
		Items []struct {
			ID int `json:"id"`
		} `json:"items"`
		NextCursor *string `json:"nextCursor"`
	}
	if err := json.Unmarshal(body, &out); err != nil || answer.StatusCode != 200 || out.Items == nil || !bytes.HasSuffix(body, []byte("}\n")) {
		t.Fatalf("%d %.200s: %v", answer.StatusCode, body, err)
	}
	if out.NextCursor != nil {
		cursor = unmarked(store.Page{Cursor: *out.NextCursor}).Cursor
	}
	for _, item := range out.Items {
		ids = append(ids, item.ID)
	}
	return ids, cursor, "", nil
}

func upTo(n int) (all []int) {
	for i := range n {
		all = append(all, i)
	}
	return all
}

// A page is read part by part, and ends where one that was read at once would.
func TestAPageIsReadInParts(t *testing.T) {
	of := func(n, size int) []int { return slices.Repeat([]int{size}, n) }
	for _, test := range []struct {
		name   string
		sizes  []int
		limit  int
		items  int
		cursor string
		parts  int
	}{
		{"nothing", nil, 0, 0, "", 1},
		{"little", of(5, 10), 0, 5, "", 1},
		{"as many as asked for", of(5, 10), 3, 3, "3", 1},
		{"as many as there are by default", of(60, 10), 0, 50, "50", 1},
		{"two parts", of(3, 600<<10), 0, 3, "", 2},
		{"the limit over several parts", of(9, 600<<10), 5, 5, "5", 3},
		{"the limit with a part", of(9, 600<<10), 4, 4, "4", 2},
		{"the last part is full", of(4, 600<<10), 0, 4, "", 2},
		{"8 MiB", of(20, 1<<20), 0, 8, "8", 8},
		{"8 MiB, and what brings it there", of(20, 3<<20), 0, 3, "3", 3},
		{"one larger than a page", []int{9 << 20, 9 << 20}, 0, 1, "1", 1},
		{"large and small ones", []int{10, 7 << 20, 10, 10, 2 << 20, 10}, 0, 5, "5", 2},
	} {
		s := &stack{sizes: test.sizes}
		ids, cursor, log, err := s.ask(t, store.Page{Limit: test.limit})
		if err != nil || log != "" {
			t.Fatalf("%s: %v, %s", test.name, err, log)
		}
		if !slices.Equal(ids, upTo(test.items)) || cursor != test.cursor || len(s.asked) != test.parts {
			t.Errorf("%s: %v, then %q, in %d parts; want %d, %q, %d", test.name, ids, cursor, len(s.asked), test.items, test.cursor, test.parts)
		}
		for _, p := range s.asked {
			if p.Bytes <= 0 || p.Bytes > partBytes || p.Limit <= 0 {
				t.Errorf("%s: a part was asked for with %+v", test.name, p)
			}
		}
	}
}

// What fails before anything was written is an error; what fails after that
// breaks the connection off: no part of a page looks like a page.
func TestAPageThatFails(t *testing.T) {
	sizes := slices.Repeat([]int{1 << 20}, 5)
	s := &stack{sizes: sizes, fails: map[int]error{2: errors.New("SELECT s3cret")}}
	ids, _, log, err := s.ask(t, store.Page{})
	if !errors.Is(err, io.ErrUnexpectedEOF) || ids != nil {
		t.Errorf("a part failed: %v, %v", ids, err)
	}
	if !strings.Contains(log, "SELECT s3cret") || !strings.Contains(log, "req-1") || strings.Contains(log, "panic") {
		t.Errorf("the log says %s", log)
	}
	// Others are busy: the page ends where it has come to.
	s.fails = map[int]error{2: apierr.Errorf(apierr.TooMany, "too many lists at once")}
	if ids, cursor, log, err := s.ask(t, store.Page{}); err != nil || !slices.Equal(ids, upTo(2)) || cursor != "2" || log != "" {
		t.Errorf("others were busy: %v, then %q: %v; %s", ids, cursor, err, log)
	}
	s.fails = map[int]error{0: apierr.Errorf(apierr.TooMany, "too many lists at once")}
	if _, err := listed(context.WithValue(t.Context(), callKey{}, testCall), &api{}, store.Page{}, s.read, asIs); apierr.KindOf(err) != apierr.TooMany {
		t.Errorf("others were busy from the beginning: %v", err)
	}
}

// An item behind the first part that cannot be written breaks the connection off, too.
func TestAnItemThatCannotBeEncoded(t *testing.T) {
	a := &api{Options: Options{Log: slog.New(slog.DiscardHandler)}}
	ctx := context.WithValue(t.Context(), callKey{}, testCall)
	server := httptest.NewServer(answering(a.Log, func() (*listOf[float64], error) {
		return listed(ctx, a, store.Page{}, (&stack{sizes: slices.Repeat([]int{1 << 20}, 3)}).read, func(d store.Document) float64 {
			if strings.HasPrefix(d.JSON, `{"id":1,`) {
				return math.NaN()
			}
			return 1
		})
	}))
	defer server.Close()
	answer, err := http.Get(server.URL + "/x")
	if err != nil {
		return // it was broken off before the status was sent
	}
	defer answer.Body.Close()
	if body, err := io.ReadAll(answer.Body); err == nil {
		t.Errorf("%d %s", answer.StatusCode, body)
	}
}
