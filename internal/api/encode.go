package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/danielgtaylor/huma/v2"
)

// encoded is the body of an answer as it goes out.
type encoded []byte

// encodeFirst has every body encoded before Huma writes the status, which it
// does before it encodes: an answer that cannot be written would be a 200 with an
// error in it. Its panic becomes a 500; see recovered.
func encodeFirst(ctx huma.Context, _ string, body any) (any, error) {
	out, err := encode(body)
	if err != nil {
		panic(fmt.Errorf("the answer to %s %s cannot be encoded: %w", ctx.Operation().Method, ctx.Operation().Path, err))
	}
	return out, nil
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
