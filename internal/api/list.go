package api

import "github.com/orderhook/orderhook/internal/store"

// listOf is one page of a list.
type listOf[T any] struct {
	Body page[T]
}

type page[T any] struct {
	Items      []T    `json:"items" nullable:"false"`
	NextCursor string `json:"nextCursor,omitempty" doc:"Ask for the next page with it; absent on the last"`
}

// answerList shows a page of what the store has.
func answerList[S, T any](l store.List[S], err error, show func(S) T) (*listOf[T], error) {
	if err != nil {
		return nil, err
	}
	out := &listOf[T]{}
	out.Body.Items = make([]T, len(l.Items))
	for i, item := range l.Items {
		out.Body.Items[i] = show(item)
	}
	out.Body.NextCursor = l.NextCursor
	return out, nil
}

func asIs[T any](v T) T { return v }
