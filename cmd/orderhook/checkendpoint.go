package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/app"
	"github.com/orderhook/orderhook/internal/checkup"
	"github.com/orderhook/orderhook/internal/outbound"
	"github.com/orderhook/orderhook/internal/schema"
	"github.com/orderhook/orderhook/internal/spelling"
	"github.com/orderhook/orderhook/internal/weburl"
)

// endpointCheck is the flags of `orderhook check URL`
// (docs/building-an-endpoint.md#check-your-endpoint).
type endpointCheck struct {
	Kind       string   `placeholder:"KIND" env:"-" help:"What the endpoint is for: step, return, validator or event. An endpoint needs it."`
	Secret     string   `placeholder:"SECRET" help:"Secret that signs the calls, as the connector or the endpoint will have it. Better is --secret-file."`
	SecretFile string   `placeholder:"FILE" help:"File that holds the secret, instead of --secret."`
	Header     []string `sep:"none" placeholder:"HEADER" env:"-" help:"Header of all calls, as 'X-Shop: oslo'; may be given several times. For credentials there is --header-file."`
	HeaderFile string   `placeholder:"FILE" env:"-" help:"File that holds more headers, one a line."`
	CAFile     string   `name:"ca-file" aliases:"ca" placeholder:"FILE" help:"Certificates, PEM, of authorities that are trusted beside those of the system."`
	Timeout    duration `default:"30s" env:"-" help:"How long one call may take, as the connector or the endpoint will have it."`
	Order      string   `placeholder:"FILE" env:"-" help:"Order, or cart, that all cases are made of, JSON. Without it an example is."`
	Property   []string `sep:"none" placeholder:"KEY=VALUE" env:"-" help:"Property of the step, or of a validator's connector; may be given several times."`
	Only       []string `placeholder:"CASE" env:"-" help:"Cases to make, beside success: ${cases}. All if left out."`
	JSON       bool     `name:"json" env:"-" help:"Prints the report as JSON."`
}

// given returns the flag that says that an endpoint is meant; "" if none does.
func (c *endpointCheck) given() string {
	switch {
	case c.Kind != "":
		return "--kind"
	case len(c.Only) > 0:
		return "--only"
	case c.Order != "":
		return "--order"
	case len(c.Header) > 0, c.HeaderFile != "":
		return "--header"
	case len(c.Property) > 0:
		return "--property"
	case c.JSON:
		return "--json"
	}
	return ""
}

// run checks the endpoint at a URL and prints the report: each case when it is done, or all as
// JSON in the end.
func (c *endpointCheck) run(s *session, url string) error {
	o, err := c.options(url)
	if err != nil {
		return err
	}
	if !c.JSON {
		fmt.Fprintf(s.out, "%s, as a %s would be called, with a time-out of %s\n", weburl.PublicURL(url), subjects[c.Kind], time.Duration(c.Timeout))
	}
	report, err := checkup.Run(s.ctx, o, func(one checkup.Case) {
		if !c.JSON {
			one.Print(s.out)
		}
	})
	if wrong, ok := errors.AsType[*apierr.Error](err); ok {
		return c.userError(wrong)
	}
	if err != nil {
		return s.unlessStopped(lookError{err}, "the check is not complete")
	}
	if err := c.end(s, report); err != nil {
		return err
	}
	switch {
	case report.Unreachable != "":
		return lookError{fmt.Errorf("%s cannot be reached: %s", report.URL, report.Unreachable)}
	case report.Findings() > 0:
		return foundError(report.URL + ": " + spelling.Count(report.Findings(), "finding"))
	}
	return nil
}

// subjects are the kinds as a sentence has them.
var subjects = map[string]string{"step": "workflow step", "return": "return step", "validator": "cart validator", "event": "receiver of events"}

// end prints what comes after the cases, or the report as JSON.
func (c *endpointCheck) end(s *session, report *checkup.Report) error {
	if !c.JSON {
		_, err := fmt.Fprintln(s.out, report.Summary())
		return err
	}
	data, err := json.Marshal(report, jsontext.WithIndent("  "))
	if err == nil {
		_, err = fmt.Fprintf(s.out, "%s\n", data)
	}
	return err
}

// options reads what the flags name.
func (c *endpointCheck) options(url string) (o checkup.Options, err error) {
	if c.Kind == "" {
		return o, app.UserErrorf("--kind is needed to check an endpoint: step, return, validator or event")
	}
	if subjects[c.Kind] == "" {
		return o, app.UserErrorf("--kind: %q is none of step, return, validator and event", c.Kind)
	}
	o = checkup.Options{URL: url, Kind: checkup.Kind(c.Kind), Timeout: time.Duration(c.Timeout), Only: c.Only, Now: time.Now,
		Client: outbound.Options{Version: versionText()}}
	if o.Secret, err = secretOf("secret", c.Secret, c.SecretFile); err != nil {
		return o, err
	}
	lines := c.Header
	if c.HeaderFile != "" {
		text, err := secretOf("header", "", c.HeaderFile)
		if err != nil {
			return o, err
		}
		lines = append(lines, strings.Split(text, "\n")...)
	}
	if o.Headers, err = pairs("--header", ":", lines); err != nil {
		return o, err
	}
	if o.Properties, err = pairs("--property", "=", c.Property); err != nil {
		return o, err
	}
	if c.CAFile != "" {
		if o.Client.RootCAs, err = app.Authorities(c.CAFile); err != nil {
			return o, err
		}
	}
	if c.Order != "" {
		text, err := os.ReadFile(c.Order)
		if err != nil {
			return o, app.UserErrorf("--order: %w", err)
		}
		if o.Document, _, err = schema.ParseOrder(text); err != nil {
			return o, app.UserErrorf("--order: %s: %w", c.Order, err)
		}
	}
	return o, nil
}

// pairs takes names and values apart. The message about one that cannot be has nothing of
// it: it may be a secret in the wrong place.
func pairs(flag, between string, texts []string) (list []checkup.Pair, err error) {
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		name, value, ok := strings.Cut(text, between)
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, app.UserErrorf("%s: number %d has no %q between a name and its value", flag, i+1, between)
		}
		list = append(list, checkup.Pair{Name: name, Value: strings.TrimSpace(value)})
	}
	return list, nil
}

// flagOf is the flag that a part of the settings, or of an endpoint, was made of. The first
// that the path has counts.
var flagOf = []struct{ part, flag string }{
	{"host", "the URL"}, {"url", "the URL"}, {"kind", "--kind"}, {"only", "--only"}, {"property", "--property"}, {"properties", "--property"}, {"timeout", "--timeout"},
	{"signingSecret", "--secret-file"}, {"secret", "--secret-file"}, {"customHeaders", "--header"}, {"headers", "--header"},
}

// userError says of each thing that is wrong which flag it came from. All else came from the
// order.
func (c *endpointCheck) userError(wrong *apierr.Error) error {
	var texts []string
	for _, field := range wrong.Fields {
		flag := strings.TrimSuffix("--order: "+field.Location, ": order")
		for _, f := range flagOf {
			if at := strings.TrimPrefix(field.Location, "connectors[0]."); at == f.part || strings.HasPrefix(at, f.part+"[") || strings.HasPrefix(at, f.part+".") || strings.Contains(at, ".workflowSteps[0]."+f.part) {
				flag = f.flag
				break
			}
		}
		texts = append(texts, strings.TrimSuffix(flag, ": ")+": "+field.Message)
	}
	if texts == nil {
		texts = []string{wrong.Error()}
	}
	return app.UserErrorf("%s", strings.Join(texts, "; "))
}
