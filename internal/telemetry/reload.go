package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Reloads is what became of the files that a server reads again while it runs.
type Reloads struct {
	// CertificateExpires is when the certificate that the server shows does; zero where it
	// serves plain HTTP.
	CertificateExpires time.Time
	// Failed says that what the files hold by now could not be taken over.
	Failed bool
}

var (
	certificateExpires = desc("tls_certificate_expiry_timestamp_seconds", "When the certificate that the server shows its callers expires; absent with plain HTTP.")
	reloadFailed       = desc("reload_failed", "1 if the last reload, or the certificate that is in the files by now, could not be taken over: what was there before goes on.")
)

// reloads is a [prometheus.Collector] of what a server says when somebody scrapes.
type reloads func() Reloads

// WatchReloads has the metrics of reloads told, too. It is called once.
func (m *Metrics) WatchReloads(state func() Reloads) { m.registry.MustRegister(reloads(state)) }

// Describe implements [prometheus.Collector].
func (r reloads) Describe(to chan<- *prometheus.Desc) { to <- reloadFailed; to <- certificateExpires }

// Collect implements [prometheus.Collector].
func (r reloads) Collect(to chan<- prometheus.Metric) {
	state, failed := r(), 0.0
	if state.Failed {
		failed = 1
	}
	to <- prometheus.MustNewConstMetric(reloadFailed, prometheus.GaugeValue, failed)
	if !state.CertificateExpires.IsZero() {
		to <- prometheus.MustNewConstMetric(certificateExpires, prometheus.GaugeValue, float64(state.CertificateExpires.Unix()))
	}
}
