package main

import "github.com/orderhook/orderhook/internal/demo"

// demoRun shows the product at work, with nothing to set up. It has neither a database
// flag nor a key: whatever it makes is gone at its end.
type demoRun struct {
	Once   bool   `help:"End after the last order, instead of staying up until Ctrl-C."`
	Listen string `placeholder:"ADDRESS" help:"Address and port to listen on. The default is 127.0.0.1:8080, or any free port if that is taken."`
}

// Run implements a kong command.
func (c *demoRun) Run(s *session) error {
	return demo.Run(s.ctx, demo.Options{Once: c.Once, Listen: c.Listen, Version: versionText(), Out: s.out})
}
