// Package stock is stock items: how much of a product variant a warehouse has to sell.
//
// It is pure. Which events a change makes is in package event. Start with [StockItem].
package stock
