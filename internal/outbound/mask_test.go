package outbound

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/admission"
)

// TestASearchReadsATextNoMoreThanItMust: what begins no escape is read once and costs no memory,
// and what is escaped once is not read a third time.
func TestASearchReadsATextNoMoreThanItMust(t *testing.T) {
	secrets := benchSecrets()
	for unit, most := range map[string]int{"a": 0, "%": 1, "&": 1, "%25": 2, "&amp;": 2, `\\u0025`: 3 + 2 + 3, "%&": 3} {
		s := search{text: bytes.Repeat([]byte(unit), window/len(unit)), secrets: secrets}
		if s.find(); s.rounds > most {
			t.Errorf("%s: read %d times, want %d at most", unit, s.rounds, most)
		}
		large := bytes.Repeat([]byte(unit), 1<<20/len(unit))
		if got := testing.AllocsPerRun(1, func() { hidden(large, secrets, false) }); got > 2000 {
			t.Errorf("%s: %v allocations for 1 MiB", unit, got)
		}
	}
}

// TestALargeAnswerIsSearchedInItsTurn: who ends while it waits for that gets nothing of the body, since
// that was not searched; else it is masked as any other.
func TestALargeAnswerIsSearchedInItsTurn(t *testing.T) {
	const token = "hush-hush-hush"
	r := Request{BearerToken: given(token), URL: serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, strings.Repeat("%", admission.Large), token)
	})}
	work := admission.NewWork(1)
	held, free := work.Task(t.Context(), "other")
	if err := admission.Begin(held, admission.Large); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting, end := work.Task(ctx, "")
	go func() {
		for work.Figures().Waiting == 0 {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if x := newClient(t, nil).Post(waiting, r); x.Err != ErrCanceled || x.Status != http.StatusOK || len(x.Body) != 0 {
		t.Errorf("%d with %d bytes, %v", x.Status, len(x.Body), x.Err)
	}
	end()
	free()
	waiting, end = work.Task(t.Context(), "")
	defer end()
	if x := newClient(t, nil).Post(waiting, r); x.Err != nil || !strings.HasSuffix(string(x.Body), "%***") {
		t.Errorf("%v, and it ends with %s", x.Err, x.Body[max(0, len(x.Body)-20):])
	}
}

// TestDigitsAreNotReadForEachPlaceInThem: a number has no end that every secret in it looks for.
func TestDigitsAreNotReadForEachPlaceInThem(t *testing.T) {
	digits := strings.Repeat("7", 200)
	if got := string(hidden([]byte("["+digits+"]"), []string{"777777"}, false)); !strings.HasPrefix(got, "[***") {
		t.Errorf("it is %s", got)
	}
	// In time that grows with the square this would take an hour.
	hidden([]byte("["+strings.Repeat("7", MaxBody)+"]"), []string{"7", "777777"}, false)
}

// benchSecrets are the forms of one bearer token, as an answer is searched for them.
func benchSecrets() []string {
	var f secretForms
	f.addCredentials("Authorization", "Bearer 8a1fTok/en+with_some-length.42")
	return f
}

// BenchmarkHidden searches large answers that hold no secret. Those of escapes alone must cost
// a few times as much a byte as the one of letters, and not hundreds of times.
func BenchmarkHidden(b *testing.B) {
	secrets := benchSecrets()
	for _, unit := range []string{"a", "%", "%25", "&", "&amp;", `\`, `\u0025`, "%&", "%2525"} {
		text := bytes.Repeat([]byte(unit), MaxBody/len(unit))
		b.Run(unit, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				hidden(text, secrets, false)
			}
		})
	}
}

// BenchmarkHiddenShort is the usual answer: short, with few secrets to look for.
func BenchmarkHiddenShort(b *testing.B) {
	secrets, text := benchSecrets(), []byte(`{"orderStatus":"Packed","properties":[{"key":"a","value":"b\"c"}]}`)
	b.ReportAllocs()
	for b.Loop() {
		hidden(text, secrets, false)
	}
}
