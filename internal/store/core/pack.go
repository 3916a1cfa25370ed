package core

import (
	"context"
	"encoding/base64"
	"fmt"

	"github.com/klauspost/compress/zstd"
	"github.com/orderhook/orderhook/internal/admission"
)

// packFrom is how many bytes a document has at least that is stored compressed. Smaller
// documents are stored uncompressed; nearly all are. An order of 7 MiB shrinks to a tenth, so
// other writers wait less (docs/design.md#a-write-is-a-value).
const packFrom = 32 << 10

// packMark begins a document that is stored compressed: no JSON does, and all JSON
// objects come behind it where texts are compared.
const packMark = 'z'

// mostUnpacked bounds what a stored document may become: many times what any is.
const mostUnpacked = 1 << 30

var (
	packer, _   = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest)) // fails for wrong options only
	unpacker, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(mostUnpacked))
)

// packed returns a document as it is stored. Text columns hold no binary data, so what is
// compressed is written as base64. If that is not shorter, the document is stored as it is.
func packed(json []byte) string {
	if len(json) < packFrom {
		return string(json)
	}
	small := packer.EncodeAll(json, nil)
	// What hardly compresses, such as embedded pictures, would only cost time at each read.
	if base64.StdEncoding.EncodedLen(len(small)) >= len(json) {
		return string(json)
	}
	out := make([]byte, 1, 1+base64.StdEncoding.EncodedLen(len(small)))
	out[0] = packMark
	return string(base64.StdEncoding.AppendEncode(out, small))
}

// unpacked is unpack for a task, which takes a slot if the document is large.
func unpacked(ctx context.Context, stored []byte) ([]byte, error) {
	if err := admission.Begin(ctx, jsonSize(stored)); err != nil {
		return nil, err
	}
	return unpack(stored)
}

// jsonSize is how many bytes the JSON of a stored document has. It looks only at the header
// of what is compressed, so that a slot can be taken before the memory is.
func jsonSize(stored []byte) int {
	if len(stored) == 0 || stored[0] != packMark {
		return len(stored)
	}
	var head zstd.Header
	// The header of a frame says how long its content is. It is at the beginning, so little
	// is decoded.
	start, err := base64.StdEncoding.AppendDecode(nil, stored[1:][:min(len(stored)-1, base64.StdEncoding.EncodedLen(zstd.HeaderMaxSize))])
	if err != nil || head.Decode(start) != nil || !head.HasFCS {
		return len(stored)
	}
	return int(head.FrameContentSize)
}

// unpack returns the JSON of a document that is stored. It is an error if somebody has
// damaged it, or if it would become larger than mostUnpacked: such a text was not made by
// packed.
func unpack(stored []byte) ([]byte, error) {
	if len(stored) == 0 || stored[0] != packMark {
		return stored, nil
	}
	small, err := base64.StdEncoding.AppendDecode(nil, stored[1:])
	if err == nil {
		stored, err = unpacker.DecodeAll(small, nil)
	}
	if err != nil {
		return nil, fmt.Errorf("a document cannot be unpacked: %w", err)
	}
	return stored, nil
}
