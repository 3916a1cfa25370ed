package settings

import (
	"time"

	"github.com/sosodev/duration"

	"github.com/orderhook/orderhook/internal/timetext"
)

// Retention is how long records are retained; 0 is for good. Package maintenance removes by
// it.
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
// its Idempotency-Key, and is made of what is stored. The audit log stays for longer,
// so that who may change the settings cannot have it forget what they did this week.
const (
	day            = 24 * time.Hour
	leastRetention = day
	leastAudit     = 30 * day
	mostRetention  = 100 * 365 * day
)

// retention reads how long the records of the tenant are retained.
func retention(n node) Retention {
	retention := defaultRetention
	obj, given := n.object("retention")
	if !given {
		return retention
	}
	obj.warnUnread(retentionKind)
	retention.Attempts = obj.retention("attempts", retention.Attempts, leastRetention)
	retention.Versions = obj.retention("versions", retention.Versions, leastRetention)
	retention.History = obj.retention("history", retention.History, leastRetention)
	retention.Runs = obj.retention("runs", retention.Runs, leastRetention)
	retention.Audit = obj.retention("audit", retention.Audit, leastAudit)
	return retention
}

// retention reads how long records are retained, null being for good. What is not there has
// the default.
func (n node) retention(name string, absent, least time.Duration) time.Duration {
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
// time-out, years and months are taken, as years of 365 days. A retention need not be exact
// to the day.
func retentionLength(text string) (time.Duration, bool) {
	if d, ok := timetext.ParseDuration(text, mostRetention); ok {
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
