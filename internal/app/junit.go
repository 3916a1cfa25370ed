package app

import (
	"encoding/xml"
	"fmt"
	"strings"

	"github.com/orderhook/orderhook/internal/jsondoc"
	"github.com/orderhook/orderhook/internal/rerun"
	"github.com/orderhook/orderhook/internal/spelling"
)

// junit is a report as JUnit writes one, which build servers read.
type junit struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Time     string      `xml:"time,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Time    string     `xml:"time,attr"`
	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
	Skipped *junitText `xml:"skipped"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// JUnit returns the report as JUnit writes one. A call that failed, where it did not before,
// is an error there, one that is decided in another way a failure. failSlower makes one of
// those that took too long.
func (r *Report) JUnit(failSlower bool) ([]byte, error) {
	s := junitSuite{Name: "orderhook ci", Tests: len(r.Calls), Skipped: r.Summary.Skipped}
	var whole float64
	for _, t := range r.Calls {
		c := junitCase{Class: strings.TrimSuffix(string(t.Kind)+"."+t.Step, "."), Name: strings.TrimSpace(t.About + " " + t.ID), Time: "0.000"}
		if t.Now != nil {
			c.Time = fmt.Sprintf("%.3f", t.Now.DurationMs/1000)
			whole += t.Now.DurationMs / 1000
		}
		switch text := (&junitText{Message: t.Said(), Text: t.Details()}); {
		case t.Result == Skipped:
			c.Skipped = &junitText{Message: t.Reason}
		case t.Result == rerun.Broken:
			c.Error = text
			s.Errors++
		case t.Result == rerun.Different, t.Result == rerun.Slower && failSlower:
			c.Failure = text
			s.Failures++
		}
		s.Cases = append(s.Cases, c)
	}
	s.Time = fmt.Sprintf("%.3f", whole)
	text, err := xml.MarshalIndent(junit{Suite: s}, "", "  ")
	return append([]byte(xml.Header), append(text, '\n')...), err
}

// Said is the result of a call in a line.
func (t *Tried) Said() string {
	switch t.Result {
	case Skipped:
		return t.Reason
	case rerun.Slower:
		return fmt.Sprintf("it took %.0f ms, and %.0f ms when it was recorded", t.Now.DurationMs, t.Recorded.DurationMs)
	case rerun.Broken:
		return t.Now.Decision.Reason
	case rerun.Different:
		paths := make([]string, len(t.Differences))
		for i, d := range t.Differences {
			paths[i] = d.Path
		}
		return "another decision: " + strings.Join(paths, ", ")
	}
	return ""
}

// Details are the differences of a call, one on each line.
func (t *Tried) Details() string {
	var b strings.Builder
	for _, d := range t.Differences {
		fmt.Fprintf(&b, "%s: recorded %s, now %s\n", d.Path, valueText(d.Recorded), valueText(d.Now))
	}
	return b.String()
}

// mostValueText bounds a value in a line.
const mostValueText = 200

// valueText is a value as a line shows it.
func valueText(v any) string {
	if v == nil {
		return "nothing"
	}
	return spelling.Clip(string(jsondoc.AppendValue(nil, v, false)), mostValueText)
}
