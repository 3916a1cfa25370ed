package bodyindex

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/google/uuid"
)

// shop makes bodies like those of a shop's webhooks: keys that all share,
// numbers that count up, and ids, names, and addresses that differ.
type shop struct {
	rand *rand.Rand
	bits *rand.ChaCha8
	n    int
}

// sold is one order's body, its receiver's answer, and what can be looked for in them.
type sold struct {
	number, uuid, email, sku, name string
	request, response              []byte
}

func newShop(seed uint64) *shop {
	return &shop{rand: rand.New(rand.NewPCG(seed, 1)), bits: rand.NewChaCha8([32]byte{byte(seed)})}
}

var (
	starts = strings.Fields("Ber And Kar Mag Ing Sol Tor Eli Hen Jon Mar Sig Lin Oda Per Ras Sve Tri Vil Yng Åse Bjø Gud Hal Ive Kri")
	ends   = strings.Fields("a en e rid ard us vor ild rik stein var unn bet mund ne gar ger hild ulf lie")
	houses = strings.Fields("sen berg dal vik haug stad rud lund nes moen bakken heim land strøm by")
	roads  = strings.Fields("gate vei allé plass stien bakke veien gata torg")
	cities = strings.Fields("Oslo Bergen Tromsø Trondheim Stavanger Göteborg Malmö Aarhus Odense Bodø Hamar Molde")
	goods  = strings.Fields("Jacket Trousers Lamp Sofa Table Chair Backpack Kettle Blanket Helmet Gloves Mirror Shelf Candle Tent")
	makes  = strings.Fields("Nordlys Fjellrev Havblikk Storm Solvind Kvist Granitt Lynx Polar Bris")
	hues   = strings.Fields("red green black white blue sand petrol oak graphite rust")
	mails  = strings.Fields("example.com mail.example example.org post.example shop.example")
)

func (s *shop) one(of []string) string { return of[s.rand.IntN(len(of))] }

func (s *shop) uuid() string {
	id, err := uuid.NewRandomFromReader(s.bits)
	if err != nil {
		panic(err)
	}
	return id.String()
}

func (s *shop) price() string { return fmt.Sprintf("%d.%02d", s.rand.IntN(4000)+9, s.rand.IntN(100)) }

// next makes the body of the next order, of 1.5 KB on average.
func (s *shop) next() sold {
	s.n++
	first, last := s.one(starts)+s.one(ends), s.one(starts)+s.one(houses)
	o := sold{
		number: fmt.Sprint(1_004_370_000 + s.n),
		uuid:   s.uuid(),
		email:  strings.ToLower(fmt.Sprintf("%s.%s%d@%s", first, last, s.rand.IntN(1000), s.one(mails))),
		sku:    fmt.Sprintf("SKU-%06d", s.rand.IntN(200_000)),
		name:   first + " " + last,
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(s.n) * 2317 * time.Millisecond)
	address := fmt.Sprintf(`{"name":"%s","line1":"%s%s %d","city":"%s","postalCode":"%04d","countryCode":"NO","phone":"+47%08d","email":"%s"}`,
		o.name, s.one(starts), s.one(roads), s.rand.IntN(200)+1, s.one(cities), s.rand.IntN(9999), s.rand.IntN(1e8), o.email)
	lines, sku := "", o.sku
	for i := range 2 + s.rand.IntN(3) {
		lines += fmt.Sprintf(`,{"lineItemId":"%d","code":"%s","ean":"70%011d","displayName":"%s %s %s","quantity":%d,"placedPrice":%s,"extendedPrice":%s,"taxRate":25,"warehouse":"main"}`,
			i+1, sku, s.rand.IntN(1e11), s.one(makes), s.one(goods), s.one(hues), s.rand.IntN(4)+1, s.price(), s.price())
		sku = fmt.Sprintf("SKU-%06d", s.rand.IntN(200_000))
	}
	o.request = fmt.Appendf(nil, `{"id":"%s","type":"order.updated","timestamp":"%s","data":{"orderNumber":"%s","status":"InProgress","marketId":"no","storeId":"web-no","customerId":"%d","customerName":"%s",`+
		`"billingAddress":%s,"payments":[{"amount":%s,"paymentMethodName":"Card","status":"Processed","transactionId":"%s","transactionType":"Authorization"}],`+
		`"shipments":[{"shipmentId":"1","shippingMethodName":"Home delivery","trackingNumber":"%09d","warehouseCode":"main"}],"lineItems":[%s],"currency":"NOK","total":%s,"modified":"%s"}}`,
		o.uuid, at.Format(time.RFC3339Nano), o.number, s.rand.IntN(1e7), o.name, address, s.price(), s.uuid(),
		s.rand.IntN(1e9), lines[1:], s.price(), at.Add(time.Duration(s.rand.IntN(1e9))).Format(time.RFC3339Nano))
	o.response = fmt.Appendf(nil, `{"accepted":true,"reference":"%08x","message":"order %s taken"}`, s.rand.Uint32(), o.number)
	return o
}
