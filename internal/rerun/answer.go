package rerun

import (
	"errors"
	"strings"
	"time"

	"github.com/orderhook/orderhook/internal/answer"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/attempt"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/secret"
	"github.com/orderhook/orderhook/internal/workflow/decide"
)

// Answer is what came back of a call.
type Answer struct {
	Status     int               `json:"status,omitzero"` // 0: no answer came
	Headers    map[string]string `json:"headers,omitempty"`
	DurationMs float64           `json:"durationMs"`
	Body
	// TooLarge says that the body is longer than [outbound.MaxBody], Cut that less of it
	// was recorded than came. A two-way call cannot be decided by an answer that was cut.
	TooLarge bool `json:"tooLarge,omitzero"`
	Cut      bool `json:"cut,omitzero"`
	// Error is why no whole answer came; NotSent that the request was not even sent, and
	// would not be the next time.
	Error   string `json:"error,omitempty"`
	NotSent bool   `json:"notSent,omitzero"`
	// Unreached says that there was no connection to the endpoint. It is of answers that came just
	// now, and no part of the record.
	Unreached bool `json:"-"`
}

// AnswerOf returns the answer of an exchange. It shares the body with it.
func AnswerOf(x outbound.Exchange) Answer {
	a := Answer{Status: x.Status, Headers: shown(x.Header, func(name string) bool { return name == "Set-Cookie" }),
		DurationMs: float64(x.Duration.Microseconds()) / 1000, Body: bodyOf(x.Body), TooLarge: x.TooLarge}
	if x.Err != nil {
		a.Error, a.NotSent = x.Err.Error(), x.Status == 0 && outbound.Classify(0, x.Err) == outbound.Final
		a.Unreached = x.Status == 0 && x.Detail().RemoteAddr == ""
	}
	return a
}

// StepOutcome says what the recorded answer of an attempt at a step's call came to. The answer
// in the attempt's detail must have been read. The error says that the answer was not recorded
// whole, so that nothing can be decided by it.
func StepOutcome(at *attempt.Attempt) (decide.Outcome, error) {
	a := answerOf(at)
	x, err := a.exchange(false)
	if err != nil {
		return decide.Outcome{}, err
	}
	return answer.Step(x), nil
}

// invalidResponse begins what the record says of an answer that came whole and was not
// taken.
const invalidResponse = "invalid response: "

// answerOf returns the answer that an attempt recorded.
func answerOf(at *attempt.Attempt) Answer {
	a := Answer{Status: at.Status, DurationMs: at.DurationMs}
	if m := at.Detail.Response; m != nil {
		a.Headers = shown(m.Headers, func(string) bool { return false })
		a.Body, a.Cut = bodyOf(m.Body), m.Truncated
		a.TooLarge = m.BodyBytes >= outbound.MaxBody && strings.HasPrefix(at.Error, invalidResponse)
	}
	// The record has one text for why the attempt failed. It is the exchange's own unless
	// the status or the body of a whole answer is the reason.
	whole := at.Status != 0 && (at.Status/100 != 2 || strings.HasPrefix(at.Error, invalidResponse) || strings.HasPrefix(at.Error, "answered "))
	if at.Error != "" && !whole {
		// What the record says of a validator repeats the beginning of the answer.
		text := strings.TrimSuffix(at.Error, ": "+answer.Excerpt(a.Bytes()))
		a.Error, a.NotSent = text, at.Status == 0 && outbound.WasNotSent(text)
	}
	return a
}

// shown returns headers, the values of each joined as HTTP allows, without those that are
// masked.
func shown(h map[string][]string, masked func(name string) bool) map[string]string {
	out := map[string]string{}
	for name, values := range h {
		if value := strings.Join(values, ", "); value != secret.Mask && !masked(name) && !secret.IsSignature(name) {
			out[name] = value
		}
	}
	return out
}

// exchange returns the answer as the engine reads it.
func (a *Answer) exchange(oneWay bool) (outbound.Exchange, error) {
	if a.Cut && !a.TooLarge && !oneWay && a.Status/100 == 2 && a.Error == "" {
		return outbound.Exchange{}, apierr.Errorf(apierr.Conflict, "the answer was not recorded whole, so nothing can be decided by it")
	}
	x := outbound.Exchange{Status: a.Status, Body: a.Bytes(), TooLarge: a.TooLarge, OneWay: oneWay, Duration: time.Duration(a.DurationMs * float64(time.Millisecond))}
	x.Header = map[string][]string{}
	for name, value := range a.Headers {
		x.Header.Set(name, value)
	}
	if a.NotSent {
		x.Err = outbound.NotSentError(a.Error)
	} else if a.Error != "" {
		x.Err = errors.New(a.Error)
	}
	return x, nil
}
