// Package ordertest has what tests of several packages need of orders: documents, patches
// and carts as shops send them, and here and there as nobody should. No program imports
// it.
//
// generate.go makes random documents, for tests of laws that must hold for all of them;
// the other files have short ways to write, apply and compare single ones.
package ordertest
