// Package apierr has the errors and warnings that become answers of the API: of which
// kind they are, and where in what somebody sent the cause stands.
//
// It knows neither HTTP, whose statuses package api has a table for, nor what orders are.
// An error of it holds no secret: it may be shown as it is. Start with [Error].
package apierr
