// Package oms is the domain of orderhook, pure: documents and patches, runs and
// attempts, history and the kinds of error. It reads no clock, opens no file
// and makes no request.
package oms
