package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/jsondoc"
)

// encoded is the body of an answer as it goes out. A nil one is the body of an answer
// that nobody waits for any more.
type encoded []byte

// encodeFirst encodes every body before Huma writes the status. Huma would write the
// status first, and an answer that cannot be encoded would be a 200 with an error in it.
// The panic of encodeFirst becomes a 500 (see recovered). It is the last of Huma's
// transformers, which run before the status is written. A page of a list is the
// exception: its first part is encoded here, and the others while they are sent
// (list.go). A document writes its own JSON, with every digit. Everything else is encoded
// as Huma would do it.
func encodeFirst(ctx huma.Context, _ string, body any) (any, error) {
	if !beginEncoding(ctx.Context(), body) {
		return encoded(nil), nil // the caller hung up
	}
	defer admission.Pause(ctx.Context()) // before it is written: that waits for the caller
	var out any
	var err error
	switch body := body.(type) {
	case inParts:
		out, err = body.encode()
	case interface{ JSON() []byte }: // encoding/json would read it again
		return encoded(append(body.JSON(), '\n')), nil
	default:
		var b bytes.Buffer
		err = huma.DefaultJSONFormat.Marshal(&b, body)
		out = encoded(b.Bytes())
	}
	if err != nil {
		panic(fmt.Errorf("the answer to %s %s cannot be encoded: %w", ctx.Operation().Method, ctx.Operation().Path, err))
	}
	return out, nil
}

// beginEncoding waits for a turn to encode a large document. It returns false if the
// caller has hung up. Only documents are asked how large they are: other answers are
// bounded by what they are made of, and lists by their parts. The size is not worked out,
// only whether it reaches the limit, which is cheap for a small document. Each of these
// types may hold no document, where nothing is to be shown; then it is as good as small.
func beginEncoding(ctx context.Context, body any) bool {
	var doc *jsondoc.Object
	switch body := body.(type) {
	case shownOrder:
		doc = body.Object
	case shownCart:
		doc = body.Object
	case *workflowResult:
		if body != nil {
			doc = body.Order.Object
		}
	case *cartValidation:
		if body != nil {
			doc = body.Value.Object
		}
	}
	size := 0
	if doc.AtLeast(admission.Large) {
		size = admission.Large
	}
	return admission.Begin(ctx, size) == nil
}

// encodedFormat writes what encodeFirst made. If the caller has gone away, or does not
// receive the answer, that is no error of anybody, and there is nobody to tell. Huma
// calls it for every answer of its own, and the request bodies that it reads itself are
// plain JSON.
var encodedFormat = huma.Format{
	Marshal: func(w io.Writer, body any) error {
		if list, ok := body.(*encodedPart); ok {
			list.write(w)
			return nil
		}
		_, _ = w.Write(body.(encoded))
		return nil
	},
	Unmarshal: json.Unmarshal,
}
