package oms

// Limits of one write of an order (API.md, "Limits").
const (
	DefaultOrderBytes = 10 << 20 // an order's JSON, as it is stored
	MaxOrderEvents    = 1000
)

// CheckSize refuses, as [TooLarge], an order that a write would make larger than
// most bytes. One that is larger already may still become smaller, or stay as
// large as it is. before is the order as it was, nil for a new one.
func CheckSize(before, after *Object, most int64) error {
	if atMost(after, most) {
		return nil
	}
	size := int64(len(after.JSON()))
	if size <= most || before != nil && size <= int64(len(before.JSON())) {
		return nil
	}
	return Errorf(TooLarge, "the order would be larger than %d bytes, which is the most that --max-order-bytes allows", most)
}

// CheckEventCount refuses, as [Invalid], a write of an order by which more happens
// than [MaxOrderEvents] events say.
func CheckEventCount(events []*Event) error {
	if len(events) <= MaxOrderEvents {
		return nil
	}
	return Errorf(Invalid, "one write of an order may make at most %d events, and this one would make %d: change fewer shipments at a time", MaxOrderEvents, len(events))
}

// atMost reports whether a value's JSON surely has at most so many bytes. It
// encodes nothing, so that small documents, which nearly all are, cost little.
func atMost(v any, most int64) bool { return room(v, most) >= 0 }

// room is what a value's JSON leaves of most at the least, negative if it may
// leave nothing.
func room(v any, most int64) int64 {
	const escaped = 6 // a character may become \u0000
	switch v := v.(type) {
	case string:
		most -= escaped*int64(len(v)) + 2
	case Number:
		most -= int64(len(v))
	case []any:
		most -= 2
		for i := 0; i < len(v) && most >= 0; i++ {
			most = room(v[i], most-1)
		}
	case *Object:
		most -= 2
		for _, m := range v.Members() {
			if most < 0 {
				break
			}
			most = room(m.Value, most-escaped*int64(len(m.Name))-4)
		}
	default:
		most -= int64(len("false"))
	}
	return most
}
