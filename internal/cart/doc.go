// Package cart is carts, and what validators answer about them.
//
// It is pure, and knows nothing of who asks a validator. What a validator hands back is
// applied by [order.ApplyCart]. Start with [Cart] and [ParseValidation].
package cart
