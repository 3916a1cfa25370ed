package receiver

import (
	"container/list"
	"context"
	"sync"
)

// Memory is a Store that forgets everything when the program ends, and the oldest marks once
// there are too many.
type Memory struct {
	most int

	mu        sync.Mutex
	done      map[claim]*list.Element
	oldest    *list.List // of remembered
	underWay  map[claim]chan struct{}
	positions map[string]string
}

// claim is what one call of Once at a time works on: a key, or the position of a feed.
type claim struct {
	name, key string
	position  bool
}

type remembered struct {
	claim  claim
	result []byte
}

// NewMemory returns a Memory of so many marks.
func NewMemory(most int) *Memory {
	return &Memory{most: most, done: map[claim]*list.Element{}, oldest: list.New(), underWay: map[claim]chan struct{}{}, positions: map[string]string{}}
}

// Once implements Store.
func (m *Memory) Once(ctx context.Context, mark Mark, do func(context.Context) ([]byte, error)) (result []byte, repeated bool, err error) {
	claims := mark.claims()
	before, err := m.begin(ctx, mark, claims)
	if err != nil || before != nil {
		if before != nil {
			return before.result, true, nil
		}
		return nil, false, err
	}
	finished := false // do may panic, and whoever waits must not wait for ever
	defer func() { m.end(mark, claims, result, finished) }()
	result, err = do(ctx)
	finished = err == nil
	return result, false, err
}

// claims are what a mark is worked on under.
func (mark Mark) claims() (claims []claim) {
	if mark.Key != "" {
		claims = append(claims, claim{name: mark.Name, key: mark.Key})
	}
	if mark.To != "" {
		claims = append(claims, claim{name: mark.Name, position: true})
	}
	return claims
}

// begin waits until nobody else works on the claims. It returns what is remembered, or nil
// once the claims are the caller's.
func (m *Memory) begin(ctx context.Context, mark Mark, claims []claim) (*remembered, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for {
		busy := m.busy(claims)
		if busy == nil {
			break
		}
		m.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
		}
		m.mu.Lock()
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
	if mark.To != "" && m.positions[mark.Name] != mark.From {
		return nil, ErrMoved
	}
	if e, ok := m.done[claim{name: mark.Name, key: mark.Key}]; ok {
		m.move(mark)
		return e.Value.(*remembered), nil
	}
	mine := make(chan struct{})
	for _, c := range claims {
		m.underWay[c] = mine
	}
	return nil, nil
}

func (m *Memory) busy(claims []claim) chan struct{} {
	for _, c := range claims {
		if busy := m.underWay[c]; busy != nil {
			return busy
		}
	}
	return nil
}

// end gives the claims back, and remembers what was done.
func (m *Memory) end(mark Mark, claims []claim, result []byte, finished bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(claims) > 0 {
		close(m.underWay[claims[0]])
	}
	for _, c := range claims {
		delete(m.underWay, c)
	}
	if !finished {
		return
	}
	m.move(mark)
	if mark.Key == "" {
		return
	}
	known := claim{name: mark.Name, key: mark.Key}
	m.done[known] = m.oldest.PushBack(&remembered{known, result})
	if m.oldest.Len() > m.most {
		delete(m.done, m.oldest.Remove(m.oldest.Front()).(*remembered).claim)
	}
}

func (m *Memory) move(mark Mark) {
	if mark.To != "" {
		m.positions[mark.Name] = mark.To
	}
}

// Done implements Store.
func (m *Memory) Done(_ context.Context, name, key string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, done := m.done[claim{name: name, key: key}]
	return done, nil
}

// Position implements Store.
func (m *Memory) Position(_ context.Context, name string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.positions[name], nil
}
