package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/changes"
	"github.com/orderhook/orderhook/internal/event"
	"github.com/orderhook/orderhook/internal/job"
	"github.com/orderhook/orderhook/internal/store"
)

// jobColumns are what scanJob reads.
const jobColumns = `doc, revision`

// Job implements [store.EventReader]. Jobs that have ended are found, too: nothing removes
// them.
func (q queries) Job(ctx context.Context, tenant, id string) (*job.Job, error) {
	found, err := collect(ctx, q.q.Query, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && len(found) == 0 {
		return nil, apierr.Errorf(apierr.NotFound, "no job %q", id)
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Jobs implements [store.EventReader]. Ids sort by the time they were made.
func (q queries) Jobs(ctx context.Context, tenant string, p store.Page) (store.List[*job.Job], error) {
	return pageOf(ctx, q, tenant, store.Listing, p, func(j *job.Job) store.Cursor { return store.Cursor{ID: j.ID} },
		func(ctx context.Context, p *page[*job.Job], after *store.Cursor) error {
			l := listOf(tenant)
			if after != nil {
				l.where("id < ?", after.ID)
			}
			text, args := l.query(jobColumns, "jobs", "id DESC", p.wanted())
			return p.read(ctx, q.q.QueryOnce, scanJob, text, args...)
		})
}

// scanJob reads jobColumns. The revision is not in the document, because each write raises
// it.
func scanJob(r Row) (*job.Job, error) {
	var doc []byte
	j := &job.Job{}
	if err := r.Scan(&doc, &j.Revision); err != nil {
		return nil, err
	}
	return j, decode(doc, j, "job")
}

// PutJob implements [store.EventTx]. It stores a new job, or one that nobody else has
// stored since it was read: a step of a job and a caller who cancels it may come at the
// same time, and one of them is overtaken.
func (d *draft) PutJob(_ context.Context, tenant string, j *job.Job) error {
	d.touch(tenant, changes.TopicJobs)
	doc, err := encode(j)
	if err != nil {
		return err
	}
	// A write may store a job twice: the second time it finds the revision that the first
	// has given.
	j.Revision++
	d.of(tenant).changeOne(`
		INSERT INTO jobs (tenant, id, ended, doc, revision) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT (tenant, id) DO UPDATE SET ended = ?3, doc = ?4, revision = ?5 WHERE jobs.revision = ?5 - 1`,
		tenant, j.ID, j.Status != job.JobRunning, doc, j.Revision)
	d.auditJob(tenant, j)
	return nil
}

// auditJob notes that a job is begun or canceled: whoever asks for a write of one does
// either. Its steps nobody asks for.
func (d *draft) auditJob(tenant string, j *job.Job) {
	job := j.Audited()
	if job == nil {
		return
	}
	if note := d.audit(tenant, access.AuditJob, j.ID); note != nil {
		note.Job = job
	}
}

// RunningJobs implements [store.Store]. A node calls it for the shards that it takes. All
// of the jobs are read before the first is handed on, so that no read stays open meanwhile:
// there are few that have not ended.
func (s *Store) RunningJobs(ctx context.Context, each func(tenant string, j *job.Job) error) error {
	type tenantsJob struct {
		tenant string
		job    *job.Job
	}
	all, err := collect(ctx, s.q.Query, func(r Row) (found tenantsJob, err error) {
		var doc []byte
		found.job = &job.Job{}
		if err = r.Scan(&found.tenant, &doc, &found.job.Revision); err == nil {
			err = decode(doc, found.job, "job")
		}
		return found, err
	}, `SELECT tenant, doc, revision FROM jobs WHERE ended = 0 ORDER BY tenant, id`)
	for _, found := range all {
		if err == nil {
			err = each(found.tenant, found.job)
		}
	}
	return err
}

// candidatesLookedAt bounds the rows that one question for candidates looks at. Most of
// them may not be picked, and a job works in steps that hold up nobody.
const candidatesLookedAt = 2000

// Candidates implements [store.EventTx]. Those that failed come from their own index; those
// that are missing from all events.
func (d *draft) Candidates(ctx context.Context, tenant string, j *job.Job, endpoint int64, limit int) ([]*event.Event, int64, error) {
	text := missingEvents + ` ORDER BY seq LIMIT ?7`
	if j.What == job.RecoverFailed {
		text = failedEvents
	}
	return d.candidates(ctx, text, tenant, j, endpoint, limit, j.Last)
}

// NewestMissing implements [store.EventReader]. It is for the preview of a recover job, and
// changes nothing.
func (q queries) NewestMissing(ctx context.Context, tenant string, j *job.Job, endpoint int64, limit int) ([]*event.Event, int64, error) {
	return q.candidates(ctx, missingEvents+` ORDER BY seq DESC LIMIT ?7`, tenant, j, endpoint, limit, 0)
}

// candidates picks some of the events of a query, and says where to go on: behind the last
// event that was looked at, or at end if there are no more. It stops at the limit, or once
// it has looked at candidatesLookedAt.
func (q queries) candidates(ctx context.Context, text, tenant string, j *job.Job, endpoint int64, limit int, end int64) ([]*event.Event, int64, error) {
	var events []*event.Event
	looked, last := 0, end
	err := q.q.Query(ctx, func(r Row) error {
		var picked bool
		e, err := scanEvent(r, &picked)
		if err != nil {
			return err
		}
		if picked {
			events = append(events, e)
		}
		// The job goes on behind this event, whether it was picked or not.
		if looked++; looked == candidatesLookedAt || len(events) == limit {
			last = e.Seq
			return errEnough
		}
		return nil
	}, text, tenant, endpoint, j.Position, j.Last, micros(j.From), micros(j.To), candidatesLookedAt)
	return events, last, err
}

// These are the events that a recover job goes through. The last column says whether the
// event is to be sent again. It must have happened in the time that the job is for, and its
// data must not be erased. A missing event has neither a delivery to the endpoint nor an
// attempt at one, and was not for one endpoint alone, as that of an ExportOrder step is for
// its connector.
const (
	failedEvents = `
		SELECT ` + eventColumns + `, at >= ?5 AND at < ?6 AND data IS NOT NULL
		FROM deliveries AS d INDEXED BY deliveries_failed JOIN events ON events.seq = d.event AND events.tenant = d.tenant
		WHERE d.tenant = ?1 AND d.endpoint = ?2 AND d.status = 'f' AND d.event > ?3 AND d.event <= ?4 ORDER BY d.event LIMIT ?7`
	missingEvents = `
		SELECT ` + eventColumns + `, at >= ?5 AND at < ?6 AND data IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.tenant = ?1 AND d.event = events.seq AND d.endpoint = ?2)
			AND NOT EXISTS (SELECT 1 FROM attempts AS a INDEXED BY attempts_delivery WHERE a.tenant = ?1 AND a.event = events.seq AND a.endpoint = ?2 AND a.event > 0)
			AND NOT EXISTS (SELECT 1 FROM deliveries AS d JOIN endpoints AS p ON p.tenant = d.tenant AND p.no = d.endpoint
				WHERE d.tenant = ?1 AND d.event = events.seq AND p.origin = 'connector')
			AND NOT EXISTS (SELECT 1 FROM attempts AS a INDEXED BY attempts_delivery CROSS JOIN endpoints AS p ON p.tenant = a.tenant AND p.no = a.endpoint
				WHERE a.tenant = ?1 AND a.event = events.seq AND a.event > 0 AND p.origin = 'connector')
		FROM events WHERE tenant = ?1 AND seq > ?3 AND seq <= ?4`
)
