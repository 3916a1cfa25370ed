// Package job is background jobs: what they are asked to do, and how far they are.
//
// It does none of it: package jobrunner takes them to their end. Start with [Job].
package job
