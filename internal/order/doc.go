// Package order is orders: their versions and history, what a patch changes, their prices
// and totals, returns and shipments.
//
// It is pure: it reads no clock, opens no file and makes no request. It knows nothing of
// runs, events or endpoints, which are made of orders. Start with [Order] and
// [PatchRules.ApplySince]; merge.go is how a patch and a document become one.
package order
