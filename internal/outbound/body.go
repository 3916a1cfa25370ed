package outbound

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/orderhook/orderhook/internal/fair"
)

// maxRecorded is how much of a response's body is recorded, in bytes
// (docs/contract.md#attempts). A two-way answer is read whole, and cut when it is recorded.
const maxRecorded = 64 << 10

// unshared is how much of each answer, in bytes, is read before memory is asked
// for: that is bounded by how many calls there may be at once.
const unshared = maxRecorded

// leastRead is the buffer that a body of unknown length is first given, in bytes. It
// doubles each time that it is full.
const leastRead = 512

// read reads the answer's body: up to MaxBody, of which a one-way request
// retains what is recorded, since nobody reads the rest. Whatever comes of it, x has what
// was read.
func (c *Client) read(ctx context.Context, k fair.Key, x *Exchange, resp *http.Response) (err error) {
	// Where net/http knows that there is no body, nothing is to be read.
	if resp.Body == http.NoBody {
		return nil
	}
	// The length, -1 if unknown, is what the endpoint says that the body has. That alone is
	// not worth more memory than every answer may have.
	size, mostComes := leastRead, int64(MaxBody)
	if length := resp.ContentLength; length >= 0 {
		size = int(min(length, unshared)) + 1 // a full buffer would grow before the end is seen
		mostComes = min(length, MaxBody)
	}
	x.Body, err = readOn(resp.Body, make([]byte, 0, size), unshared)
	if err != nil || len(x.Body) < unshared {
		return err
	}
	if !x.OneWay {
		// The memory for all that may come is taken before it is read. An answer that had a
		// part of it and waited for the rest could wait for others that do the same.
		memory, err := c.reading.Take(ctx, k, mostComes)
		if err != nil {
			return errNoMemory
		}
		defer memory.Give() // from then on hold counts what there is
		if x.Body, err = readOn(resp.Body, x.Body, MaxBody); err != nil || len(x.Body) < MaxBody {
			return err
		}
	}
	// What nobody wants is read, too: then its length is known, and the connection can be
	// used again.
	most := int64(MaxBody - len(x.Body))
	x.dropped, err = io.Copy(io.Discard, io.LimitReader(resp.Body, most+1))
	if x.dropped > most {
		x.dropped, x.TooLarge = most, true
		return nil
	}
	return err
}

// readOn appends what r returns to b, until r ends or b has most bytes. If it stops at most,
// r may have more.
func readOn(r io.Reader, b []byte, most int) ([]byte, error) {
	for len(b) < most {
		if len(b) == cap(b) {
			b = slices.Grow(b, len(b))
		}
		n, err := r.Read(b[len(b):min(cap(b), most)])
		b = b[:len(b)+n]
		if err == io.EOF {
			return b, nil
		}
		if err != nil {
			return b, err
		}
	}
	return b, nil
}
