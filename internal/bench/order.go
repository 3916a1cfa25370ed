package bench

import "fmt"

// orderOf is an order of 1.5 KB, as a shop of clothes sends them. All measurements use
// it, so their figures can be compared.
func orderOf(id, status string) string {
	return fmt.Sprintf(`{"id":%q,"status":%q,"orderType":"Online","marketId":"NOR","storeId":"webshop-no","billingCurrency":"NOK",
"customerId":"C-48151","customerName":"Kari Nordmann","customerEmail":"kari.nordmann@example.com","customerPhone":"+4791234567","customerType":"B2C",
"billingAddress":{"name":"Kari Nordmann","line1":"Storgata 14","city":"Oslo","postalCode":"0184","countryCode":"NO","email":"kari.nordmann@example.com"},
"properties":[{"key":"Channel","value":"web"},{"key":"Campaign","value":"autumn-2026"}],"tags":["newsletter","returning-customer"],
"orderForm":{"shippingTotal":49.00,"subTotal":1448.00,"total":1497.00,
"lineItems":[
{"lineItemId":"1","code":"JKT-RAIN-M","displayName":"Rain jacket, moss green, M","quantity":1,"placedPrice":1199.00,"extendedPrice":1199.00,"taxRate":25,"size":"M","color":"Moss green","brand":"Fjord"},
{"lineItemId":"2","code":"SOCK-WOOL-42","displayName":"Wool socks, 3 pairs, 40-42","quantity":1,"placedPrice":249.00,"extendedPrice":249.00,"taxRate":25,"size":"40-42","color":"Grey","brand":"Fjord"}],
"shipments":[{"shipmentId":"S1","status":"New","shippingMethodName":"Parcel to pick-up point","warehouseCode":"oslo-1","address":{"name":"Kari Nordmann","line1":"Storgata 14","city":"Oslo","postalCode":"0184","countryCode":"NO"}}],
"payments":[{"id":"P1","amount":1497.00,"paymentMethodName":"Card","status":"Authorized","transactionType":"Authorization","transactionId":"TX-90210"}]}}`, id, status)
}
