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
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// listOf is one page of a list. It is what every operation that lists things answers
// with.
type listOf[T any] struct {
	Body page[T]
}

// page is the body of a list. Huma makes the schema of it, and never encodes it: encode
// does, part by part.
type page[T any] struct {
	Items       []T    `json:"items" nullable:"false"`
	Count       *int   `json:"count,omitempty" doc:"With count=true: how many there are with this filter, on all pages together"`
	CountCapped *bool  `json:"countCapped,omitempty" doc:"With count=true: there are at least so many, and it was not counted further: 10,000 are the most, or it would have taken long"`
	NextCursor  string `json:"nextCursor,omitempty" doc:"Ask for the next page with it; absent on the last. A page may have fewer items than asked for, or none, and still a cursor"`

	// more reads the next part of the page; nil: there is none. If it is set, NextCursor
	// is where that part begins.
	more   func() (page[T], error)
	failed func(error) // is told when more fails
}

// withCount adds to a list how many there are, if the caller asks for it. It takes the
// error of the list, so that callers need not check it in between. A count is a question
// of its own, asked after the page; writes in between may make the two differ a little.
func withCount[T any](in CountParams, list *listOf[T], err error, count func() (store.Count, error)) (*listOf[T], error) {
	if err != nil || !in.Count {
		return list, err
	}
	n, err := count()
	list.Body.Count, list.Body.CountCapped = &n.N, &n.Capped
	return list, err
}

// nothing is the empty list, for a filter that names something that does not exist. It
// has a count, too, where one was asked for.
func nothing[T any](in CountParams) (*listOf[T], error) {
	list, err := answerList(store.List[T]{}, nil, asIs)
	return withCount(in, list, err, func() (store.Count, error) { return store.Count{}, nil })
}

// answerList shows a list that is in memory. The error of whoever made the list is handed
// through. The items are never nil, so that the JSON has [] and not null.
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

// partBytes is how much of a page is read at a time. So an answer holds only this much
// and one more item in memory, however slowly its caller receives it, and no database
// connection.
const partBytes = 1 << 20

// listed answers with a page that is read part by part. The first part is read before
// anything is written, and each other part once the part before it was written.
//
// ask reads one part, and show makes of an item what the API shows. Because the first
// part is read before the status is sent, an error in it is an ordinary problem. After an
// error in a later part the answer is broken off, which the log says, unless the caller
// is gone.
func listed[S, T any](ctx context.Context, a *api, asked store.Page, ask func(store.Page) (store.List[S], error), show func(S) T) (*listOf[T], error) {
	asked.Limit, asked.Bytes = asked.Size(), asked.MostBytes()
	read := func(p store.Page) (store.List[S], error) {
		defer admission.Pause(ctx) // what was read waits for its caller now
		return ask(p)
	}
	first, err := readPart(callOf(ctx).r.URL.Path, asked, read, show)
	first.failed = func(err error) {
		if ctx.Err() == nil {
			a.Log.Error("the answer with a list was broken off", "request", callOf(ctx).id, "error", err)
		}
	}
	return &listOf[T]{first}, err
}

// readPart reads a part of a page, and tells how to read the next part. A page may have 8
// MiB, and is read and sent in parts, so that it is never in memory as a whole. The
// limits of left count down from part to part, so that the whole page keeps to what the
// caller asked for. The path is that of the list, of which the caller's cursor is.
func readPart[S, T any](path string, left store.Page, ask func(store.Page) (store.List[S], error), show func(S) T) (page[T], error) {
	part := left
	part.Bytes = min(left.Bytes, partBytes)
	list, err := ask(part)
	shown, err := answerList(list, err, show)
	if err != nil {
		return page[T]{}, err
	}
	left.Limit, left.Bytes, left.Cursor = left.Limit-len(list.Items), left.Bytes-list.Bytes, list.NextCursor
	shown.Body.NextCursor = marked(path, list.NextCursor)
	// A part that ended for another reason than its size is the last one.
	if list.Bytes >= part.Bytes && left.Limit > 0 && left.Bytes > 0 && left.Cursor != "" {
		shown.Body.more = func() (page[T], error) { return readPart(path, left, ask, show) }
	}
	return shown.Body, nil
}

// encodedPart is a part of a page, ready to be sent. The parts of a page are made one
// after the other, on the goroutine of the request, so no more than one is in memory.
type encodedPart struct {
	items  []string
	count  string // the members that say how many there are; "" for none
	cursor string // where what is behind it begins
	next   func() (*encodedPart, error)
	failed func(error)
}

// encode implements [inParts]. The items of a part are all encoded before any of them is
// written: one that cannot be encoded is an error of its part.
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

// encodeItem returns the JSON of an item. A stored document is not copied. Huma's format
// ends each value with a line break, which has no place within a list.
func encodeItem(item any) (string, error) {
	if stored, ok := item.(interface{ text() string }); ok {
		return stored.text(), nil
	}
	var b strings.Builder
	err := huma.DefaultJSONFormat.Marshal(&b, item)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// inParts is a body that is encoded and written part by part. Only a page is one. The
// interface lets encodeFirst find it without knowing the type of its items.
type inParts interface{ encode() (*encodedPart, error) }

// write writes a page, and reads its further parts. If a part has to wait for too long,
// the page ends early, with a cursor. After any other error the connection is broken off,
// because an incomplete page must not look complete.
//
// It runs when the status has been sent, so an error cannot become an answer any more. A
// caller who sees the connection break off asks again; one who sees a cursor goes on from
// it.
func (p *encodedPart) write(to io.Writer) {
	w := bufio.NewWriterSize(to, 32<<10)
	failed, count := p.failed, p.count // which the first part has
	separator := `{"items":[`
	for {
		for i, item := range p.items {
			_, _ = w.WriteString(separator) // the error of a write comes with Flush
			_, _ = w.WriteString(item)
			// An item that is written is let go, so that a slow caller does not keep the whole
			// part in memory.
			separator, p.items[i] = ",", ""
		}
		if p.next == nil {
			break
		}
		next, err := p.next()
		if apierr.KindOf(err) == apierr.TooMany {
			break
		}
		if err != nil {
			failed(err)
			panic(http.ErrAbortHandler)
		}
		p = next
	}
	// Nothing was written: the list is empty, and has not been opened yet.
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

// asIs shows a thing as it is stored, where the type has its JSON already.
func asIs[T any](v T) T { return v }
