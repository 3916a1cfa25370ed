package ordertest

// Basket is the cart of most tests. It has two lines, totals that fit them, and members
// that no model knows, at several depths. Tests of validators' answers say what becomes
// of each.
const Basket = `{"id":"C1","version":3,"created":"2026-11-21T09:00:00.000000Z","status":"Draft","marketId":"NOR","customerEmail":"kari@example.com",
 "billingAddress":{"line1":"Storgata 1","city":"Oslo"},"tags":["web"],"loyalty":{"tier":"gold","card":{"no":"7","valid":true}},
 "orderForm":{"lineItems":[{"lineItemId":"L1","code":"SHOE","quantity":2,"placedPrice":10.10,"extendedPrice":20.20,"gift":{"text":"Hi"}},
  {"lineItemId":"L2","code":"LACE","quantity":1,"placedPrice":5,"extendedPrice":5}],"subTotal":25.20,"shippingTotal":49,"total":74.20}}`
