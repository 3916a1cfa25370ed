package settings

import (
	"time"

	"github.com/sosodev/duration"

	"github.com/orderhook/orderhook/internal/oms"
)

// Retention is how long things are kept; 0 is for good.
type Retention struct {
	Attempts time.Duration // and their bodies, events, and deliveries that have ended
	Versions time.Duration // of orders, but for the current ones
	History  time.Duration
	Runs     time.Duration // that have ended
	Audit    time.Duration // entries of the audit log
}

// defaultRetention is that of a tenant whose settings say nothing.
var defaultRetention = Retention{Attempts: 90 * day, Audit: 365 * day}

// The bounds of a retention. An answer can be asked for again within a day, by
// its Idempotency-Key, and is made of what is kept. The audit log stays for longer,
// so that who may change the settings cannot have it forget what they did this week.
const (
	day            = 24 * time.Hour
	leastRetention = day
	leastAudit     = 30 * day
	mostRetention  = 100 * 365 * day
)

func retention(n node) Retention {
	kept := defaultRetention
	obj, given := n.object("retention")
	if !given {
		return kept
	}
	obj.warnUnread(retentionKind)
	kept.Attempts = obj.kept("attempts", kept.Attempts, leastRetention)
	kept.Versions = obj.kept("versions", kept.Versions, leastRetention)
	kept.History = obj.kept("history", kept.History, leastRetention)
	kept.Runs = obj.kept("runs", kept.Runs, leastRetention)
	kept.Audit = obj.kept("audit", kept.Audit, leastAudit)
	return kept
}

// kept reads how long something is kept, null being for good.
func (n node) kept(name string, absent, least time.Duration) time.Duration {
	if _, given := n.obj.Get(name); !given {
		return absent
	}
	text, given := value[string](n, name, "a duration as P90D, or null")
	if !given {
		return 0
	}
	d, ok := retentionLength(text)
	if !ok || d < least {
		n.wrong(n.path(name), "must be a duration from P%dD to P100Y, as P90D or 90.00:00:00, or null to keep it for good", least/day)
		return absent
	}
	return d
}

// retentionLength reads a duration in either form. In a retention, unlike a
// time-out, years and months are taken, as years of 365 days.
func retentionLength(text string) (time.Duration, bool) {
	if d, ok := oms.ParseDuration(text, mostRetention); ok {
		return d, true
	}
	d, err := duration.Parse(text)
	if err != nil || d.Negative {
		return 0, false
	}
	// In days first: what is too long for a time.Duration would come out as anything.
	days := d.Years*365 + d.Months*365/12 + d.Weeks*7 + d.Days + d.Hours/24 + d.Minutes/(24*60) + d.Seconds/(24*60*60)
	return d.ToTimeDuration(), days <= float64(mostRetention/day)
}
