package main

import (
	"os"

	"github.com/orderhook/orderhook/internal/bench"
)

// benchAttack is what `orderhook bench` starts itself as, see [bench.Attack]. It is
// hidden: nobody calls it by hand, and its arguments may change with every version.
type benchAttack struct {
	Number int     `arg:""`
	URL    string  `arg:""`
	Reader string  `arg:""`
	Scale  float64 `arg:""`
}

// Run implements a kong command.
func (c *benchAttack) Run(s *session) error {
	return bench.Attack(s.ctx, bench.AttackOptions{Number: c.Number, URL: c.URL, Reader: c.Reader, Scale: c.Scale}, os.Stdin, s.out)
}
