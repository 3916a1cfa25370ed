package core

import (
	"context"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

const jobColumns = `doc, revision`

// Job implements [store.EventReader].
func (q queries) Job(ctx context.Context, tenant, id string) (*oms.Job, error) {
	found, err := collect(ctx, q.q.Query, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE tenant = ? AND id = ?`, tenant, id)
	if err == nil && len(found) == 0 {
		return nil, oms.Errorf(oms.NotFound, "no job %q", id)
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// Jobs implements [store.EventReader]. Ids sort by the time they were made.
func (q queries) Jobs(ctx context.Context, tenant string, p store.Page) (store.List[*oms.Job], error) {
	return pageOf(ctx, q, tenant, store.Listing, p, func(j *oms.Job) store.Cursor { return store.Cursor{ID: j.ID} },
		func(ctx context.Context, p *page[*oms.Job], after *store.Cursor) error {
			l := listOf(tenant)
			if after != nil {
				l.where("id < ?", after.ID)
			}
			return p.read(ctx, q.q.QueryOnce, scanJob, `SELECT `+jobColumns+` FROM jobs WHERE `+l.sql()+` ORDER BY id DESC LIMIT ?`, append(l.args, p.wanted())...)
		})
}

// scanJob reads jobColumns.
func scanJob(r Row) (*oms.Job, error) {
	var doc []byte
	j := &oms.Job{}
	if err := r.Scan(&doc, &j.Revision); err != nil {
		return nil, err
	}
	return j, decode(doc, j, "job")
}

// PutJob implements [store.EventTx].
func (d *draft) PutJob(_ context.Context, tenant string, j *oms.Job) error {
	d.touch(tenant, oms.TopicJobs)
	doc, err := encode(j)
	if err != nil {
		return err
	}
	j.Revision++
	d.of(tenant).changeOne(`
		INSERT INTO jobs (tenant, id, ended, doc, revision) VALUES (?1, ?2, ?3, ?4, ?5)
		ON CONFLICT DO UPDATE SET ended = ?3, doc = ?4, revision = ?5 WHERE revision = ?5 - 1`,
		tenant, j.ID, j.Status != oms.JobRunning, doc, j.Revision)
	d.auditJob(tenant, j)
	return nil
}

// auditJob notes that a job is begun or canceled: whoever asks for a write of one does
// either. Its steps nobody asks for.
func (d *draft) auditJob(tenant string, j *oms.Job) {
	job := j.Audited()
	if job == nil {
		return
	}
	if note := d.audit(tenant, oms.AuditJob, j.ID); note != nil {
		note.Job = job
	}
}

// RunningJobs implements [store.Store].
func (s *Store) RunningJobs(ctx context.Context, each func(tenant string, j *oms.Job) error) error {
	type tenantsJob struct {
		tenant string
		job    *oms.Job
	}
	all, err := collect(ctx, s.q.Query, func(r Row) (found tenantsJob, err error) {
		var doc []byte
		found.job = &oms.Job{}
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

// candidatesLookedAt bounds the rows that one question for candidates looks at.
const candidatesLookedAt = 2000

// Candidates implements [store.EventTx].
func (d *draft) Candidates(ctx context.Context, tenant string, j *oms.Job, endpoint int64, limit int) ([]*oms.Event, int64, error) {
	text := missingEvents
	if j.What == oms.RecoverFailed {
		text = failedEvents
	}
	var events []*oms.Event
	looked, last := 0, j.Last
	err := d.q.Query(ctx, func(r Row) error {
		var picked bool
		e, err := scanEvent(r, &picked)
		if err != nil {
			return err
		}
		if picked {
			events = append(events, e)
		}
		if looked++; looked == candidatesLookedAt || len(events) == limit {
			last = e.Seq
			return errEnough
		}
		return nil
	}, text, tenant, endpoint, j.Position, j.Last, micros(j.From), micros(j.To))
	return events, last, err
}

// These return the events that a recover job goes through, and whether each is
// to be sent again: it is of the job's time, was not erased, and, for what is
// missing, has no delivery to the endpoint and was not for one endpoint alone,
// as an ExportOrder step's is for its connector.
const (
	failedEvents = `
		SELECT ` + eventColumns + `, at >= ?5 AND at < ?6 AND data IS NOT NULL
		FROM deliveries AS d INDEXED BY deliveries_failed JOIN events ON seq = d.event
		WHERE d.tenant = ?1 AND d.endpoint = ?2 AND d.status = 'f' AND d.event > ?3 AND d.event <= ?4 ORDER BY d.event`
	missingEvents = `
		SELECT ` + eventColumns + `, at >= ?5 AND at < ?6 AND data IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM deliveries AS d WHERE d.tenant = ?1 AND d.event = seq AND d.endpoint = ?2)
			AND NOT EXISTS (SELECT 1 FROM deliveries AS d JOIN endpoints AS p ON p.tenant = d.tenant AND p.no = d.endpoint
				WHERE d.tenant = ?1 AND d.event = seq AND p.origin = 'connector')
		FROM events WHERE tenant = ?1 AND seq > ?3 AND seq <= ?4 ORDER BY seq`
)
