package api

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// listOf is one page of a list.
type listOf[T any] struct {
	Body page[T]
}

type page[T any] struct {
	Items       []T    `json:"items" nullable:"false"`
	Count       *int   `json:"count,omitempty" doc:"With count=true: how many there are with this filter, on all pages together"`
	CountCapped *bool  `json:"countCapped,omitempty" doc:"With count=true: there are at least so many, and it was not counted further: 10,000 are the most, or it would have taken long"`
	NextCursor  string `json:"nextCursor,omitempty" doc:"Ask for the next page with it; absent on the last. A page may have fewer items than asked for, or none, and still a cursor"`

	// more reads the part of the page that comes next; nil: there is none. NextCursor
	// then is where that part begins.
	more   func() (page[T], error)
	failed func(error) // is told when more fails
}

// counted adds to a list how many there are, if that is asked for.
func counted[T any](in CountParams, list *listOf[T], err error, count func() (store.Count, error)) (*listOf[T], error) {
	if err != nil || !in.Count {
		return list, err
	}
	n, err := count()
	list.Body.Count, list.Body.CountCapped = &n.N, &n.Capped
	return list, err
}

// nothing is a list of what a filter picks that names what is not there.
func nothing[T any](in CountParams) (*listOf[T], error) {
	list, err := answerList(store.List[T]{}, nil, asIs)
	return counted(in, list, err, func() (store.Count, error) { return store.Count{}, nil })
}

// answerList shows a list that is in memory.
func answerList[S, T any](l store.List[S], err error, show func(S) T) (*listOf[T], error) {
	if err != nil {
		return nil, err
	}
	out := &listOf[T]{page[T]{Items: make([]T, len(l.Items)), NextCursor: l.NextCursor}}
	for i, item := range l.Items {
		out.Body.Items[i] = show(item)
	}
	return out, nil
}

// partBytes is how much of a page is read at a time. So an answer holds this much
// and one item, however slowly its caller takes it, and no connection to the
// database.
const partBytes = 1 << 20

// listed answers with a page that ask reads, part by part: the first before
// anything is written, each other one once the part before it was.
func listed[S, T any](ctx context.Context, a *api, asked store.Page, ask func(store.Page) (store.List[S], error), show func(S) T) (*listOf[T], error) {
	asked.Limit, asked.Bytes = asked.Size(), asked.MostBytes()
	read := func(p store.Page) (store.List[S], error) {
		defer admission.Pause(ctx) // what was read waits for its caller now
		return ask(p)
	}
	first, err := readPart(asked, read, show)
	first.failed = func(err error) {
		if ctx.Err() == nil {
			a.Log.Error("the answer with a list was broken off", "request", callOf(ctx).id, "error", err)
		}
	}
	return &listOf[T]{first}, err
}

func readPart[S, T any](left store.Page, ask func(store.Page) (store.List[S], error), show func(S) T) (page[T], error) {
	part := left
	part.Bytes = min(left.Bytes, partBytes)
	list, err := ask(part)
	shown, err := answerList(list, err, show)
	if err != nil {
		return page[T]{}, err
	}
	left.Limit, left.Bytes, left.Cursor = left.Limit-len(list.Items), left.Bytes-list.Bytes, list.NextCursor
	// A part that ended for another reason than its bytes is the last one.
	if list.Bytes >= part.Bytes && left.Limit > 0 && left.Bytes > 0 && left.Cursor != "" {
		shown.Body.more = func() (page[T], error) { return readPart(left, ask, show) }
	}
	return shown.Body, nil
}

// encodedPart is a part of a page as it goes out.
type encodedPart struct {
	items  []string
	count  string // the members that say how many there are; "" for none
	cursor string // where what is behind it begins
	next   func() (*encodedPart, error)
	failed func(error)
}

// encode implements [inParts].
func (p page[T]) encode() (*encodedPart, error) {
	out := &encodedPart{items: make([]string, len(p.Items)), cursor: p.NextCursor, failed: p.failed}
	if p.Count != nil {
		out.count = fmt.Sprintf(`,"count":%d,"countCapped":%t`, *p.Count, *p.CountCapped)
	}
	for i, item := range p.Items {
		var err error
		if out.items[i], err = encodeItem(item); err != nil {
			return nil, err
		}
	}
	if p.more != nil {
		out.next = func() (*encodedPart, error) {
			more, err := p.more()
			if err != nil {
				return nil, err
			}
			return more.encode()
		}
	}
	return out, nil
}

// encodeItem returns the JSON of an item: of a stored document, without a copy.
func encodeItem(item any) (string, error) {
	if stored, ok := item.(interface{ text() string }); ok {
		return stored.text(), nil
	}
	var b strings.Builder
	err := huma.DefaultJSONFormat.Marshal(&b, item)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// inParts is a body that is encoded and written part by part.
type inParts interface{ encode() (*encodedPart, error) }

// write writes a page, and reads the parts of it behind the first. A part that
// has to wait for too long ends the page early, with a cursor. After any other
// failure the connection is broken off: a part of a page must not look like one.
func (p *encodedPart) write(to io.Writer) {
	w := bufio.NewWriterSize(to, 32<<10)
	failed, count := p.failed, p.count // which the first part has
	separator := `{"items":[`
	for {
		for i, item := range p.items {
			_, _ = w.WriteString(separator) // the error of a write comes with Flush
			_, _ = w.WriteString(item)
			separator, p.items[i] = ",", ""
		}
		if p.next == nil {
			break
		}
		next, err := p.next()
		if oms.KindOf(err) == oms.TooMany {
			break
		}
		if err != nil {
			failed(err)
			panic(http.ErrAbortHandler)
		}
		p = next
	}
	if separator != "," {
		_, _ = w.WriteString(separator)
	}
	_, _ = w.WriteString("]" + count)
	if p.cursor != "" {
		_, _ = w.WriteString(`,"nextCursor":` + strconv.Quote(p.cursor)) // base64, which needs no escapes
	}
	_, _ = w.WriteString("}\n")
	if w.Flush() != nil {
		panic(http.ErrAbortHandler) // nobody reads it any more
	}
}

func asIs[T any](v T) T { return v }
