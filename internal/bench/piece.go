package bench

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/google/uuid"
)

// searchedOrder is an order whose few fields that people search for are its own. The
// other fields are the same in all orders, as in those of one shop.
type searchedOrder struct{ number, reference, email, sku string }

// orderAt makes the i-th order, the same each time. So nothing has to be remembered of a
// million orders to search for one of them.
func orderAt(i int) searchedOrder {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	var id uuid.UUID
	binary.LittleEndian.PutUint64(id[:8], r.Uint64())
	binary.LittleEndian.PutUint64(id[8:], r.Uint64())
	return searchedOrder{
		number:    orderNumber(i),
		reference: id.String(),
		email:     fmt.Sprintf("%s.%s%d@example.com", names[r.IntN(len(names))], names[r.IntN(len(names))], r.IntN(1_000_000)),
		sku:       skuAt(r.IntN(searchSKUs)),
	}
}

// orderNumber gives orders numbers as shops do: one after the other. Such numbers have
// nearly all digits in common, which is the hard case for an index of pieces
// (docs/design.md#search-in-bodies).
func orderNumber(i int) string { return fmt.Sprintf("SO-%08d", 20_000_000+i) }

// skuAt is one of the articles, which many orders have.
func skuAt(i int) string { return fmt.Sprintf("JKT-%04d-%c", i, "SMLX"[i%4]) }

// names are what e-mail addresses are made of, so a piece of one is in many others.
var names = strings.Fields("kari ola anne per ingrid lars marit jan berit knut astrid svein nina erik silje bjorn hanne geir tone morten")

// event appends the order's event as it is published.
func (o searchedOrder) event(to []byte) []byte {
	return fmt.Appendf(to, `{"type":%q,"orderId":%q,"data":{"orderNumber":%q,"reference":%q,"contact":%q,"firstSku":%q,%s}`,
		eventType, o.number, o.number, o.reference, o.email, o.sku, numberedOrder[1:])
}

// piece is what is searched for. It knows how often it must be found: a search that
// misses something would be quick.
type piece struct {
	what        string
	of          func() string
	least, most int // how many attempts the first page has
}

// firstPage is how many attempts a page holds that is not asked for more.
const firstPage = 50

// pieces are the kinds of pieces that people search for, among so many orders: what is
// unique, what is frequent, what is in all, and what is nowhere.
func pieces(count int) []piece {
	random := func() searchedOrder { return orderAt(rand.IntN(count)) }
	return []piece{
		// Least and most are how many attempts the first page must have. Where chance
		// decides how many have the piece, one of them is certain at least.
		{"an order number", func() string { return random().number }, 1, 1},
		{"a UUID", func() string { return random().reference }, 1, 1},
		{"an e-mail address", func() string { return random().email }, 1, firstPage},
		{"an SKU", func() string { return random().sku }, 1, firstPage},
		{"a word in all", func() string { return "Moss green" }, min(count, firstPage), firstPage},
		{"an order number of none", func() string { return orderNumber(count + rand.IntN(count)) }, 0, 0},
		{"a word of none", func() string { return "quicksilver" + skuAt(rand.IntN(searchSKUs)) }, 0, 0},
	}
}
