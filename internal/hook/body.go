package hook

import (
	"io"
	"net/http"
	"slices"
)

// maxRecorded is how much of a response's body is recorded, in bytes (API.md,
// "Attempts").
const maxRecorded = 64 << 10

// leastRead is the room that a body of unknown length is first given, in bytes.
const leastRead = 512

// read reads the answer's body: up to MaxBody, of which a one-way request
// keeps what is recorded, since nobody reads the rest.
func (x *Exchange) read(resp *http.Response) error {
	if resp.Body == http.NoBody {
		return nil
	}
	keep := MaxBody
	if x.OneWay {
		keep = maxRecorded
	}
	var err error
	x.Body, err = readAtMost(resp.Body, keep, resp.ContentLength)
	if err != nil || len(x.Body) < keep {
		return err
	}
	most := int64(MaxBody - keep)
	x.dropped, err = io.Copy(io.Discard, io.LimitReader(resp.Body, most+1))
	if x.dropped > most {
		x.dropped, x.TooLarge = most, true
		return nil
	}
	return err
}

// readAtMost reads r to its end, or until it has most bytes. The length, -1 if
// unknown, is what the endpoint says r has: that alone is not worth more
// memory than maxRecorded.
func readAtMost(r io.Reader, most int, length int64) ([]byte, error) {
	room := int64(leastRead)
	if length >= 0 {
		room = min(length, maxRecorded) + 1 // a full buffer would grow before the end is seen
	}
	b := make([]byte, 0, room)
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
