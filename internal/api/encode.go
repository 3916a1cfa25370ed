package api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"

	"github.com/orderhook/orderhook/internal/admission"
	"github.com/orderhook/orderhook/internal/oms"
)

// encoded is the body of an answer as it goes out.
type encoded []byte

// encodeFirst has every body encoded before Huma writes the status, which it
// does before it encodes: an answer that cannot be written would be a 200 with an
// error in it. Its panic becomes a 500; see recovered.
func encodeFirst(ctx huma.Context, _ string, body any) (any, error) {
	if !beginEncoding(ctx.Context(), body) {
		return encoded(nil), nil // the caller hung up
	}
	defer admission.Pause(ctx.Context()) // before it is written: that waits for the caller
	out, err := encode(body)
	if err != nil {
		panic(fmt.Errorf("the answer to %s %s cannot be encoded: %w", ctx.Operation().Method, ctx.Operation().Path, err))
	}
	return out, nil
}

// beginEncoding has a large document encoded in turn. It is false once the caller
// has hung up.
func beginEncoding(ctx context.Context, body any) bool {
	var doc *oms.Object
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

// encode returns an encoded body, or the first part of one.
func encode(body any) (any, error) {
	if list, ok := body.(inParts); ok {
		return list.encode()
	}
	var b bytes.Buffer
	err := huma.DefaultJSONFormat.Marshal(&b, body)
	return encoded(b.Bytes()), err
}

// encodedFormat writes what encodeFirst made. That a caller went away, or does not
// take its answer, is nobody's mistake, and there is no one to tell.
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
