package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/oms"
	"github.com/orderhook/orderhook/internal/store"
)

// signIn makes a session of a key, which begins now.
func (s *suite) signIn(k oms.Key) oms.Session {
	s.t.Helper()
	session, _ := oms.NewSession(k, s.now)
	must(s.t, s.CreateSession(ctx, session))
	return session
}

// sessionEnded checks that a session is worth nothing.
func (s *suite) sessionEnded(of oms.Session) {
	s.t.Helper()
	_, err := s.Session(ctx, of.Hash)
	is(s.t, err, oms.NotFound)
}

// addKey stores a reader's key, under an id that other tenants have, too.
func (s *suite) addKey(tenant, id string) oms.Key {
	s.t.Helper()
	k := oms.Key{ID: id, Tenant: tenant, Role: oms.Reader, Name: "of " + tenant, Created: at(1), Hash: oms.HashKey(tenant + id)}
	s.write(func(tx store.Tx) error { return tx.InsertKey(ctx, k) })
	return k
}

func testSessions(t *testing.T, s *suite) {
	mine, theirs := s.addKey(acme, "key-1"), s.addKey(other, "key-1")
	one, two, of := s.signIn(mine), s.signIn(mine), s.signIn(theirs)
	same(t, ok[oms.Key](t)(s.Session(ctx, one.Hash)), mine)
	same(t, ok[oms.Key](t)(s.Session(ctx, two.Hash)), mine)
	same(t, ok[oms.Key](t)(s.Session(ctx, of.Hash)), theirs)
	s.sessionEnded(oms.Session{Hash: mine.Hash}) // a key's hash is none of a session

	must(t, s.DeleteSession(ctx, one.Hash))
	must(t, s.DeleteSession(ctx, one.Hash))
	s.sessionEnded(one)
	same(t, ok[oms.Key](t)(s.Session(ctx, two.Hash)), mine)

	s.write(func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-1") })
	s.sessionEnded(two)
	late, _ := oms.NewSession(mine, s.now)
	is(t, s.CreateSession(ctx, late), oms.NotFound)
	s.sessionEnded(late)
	same(t, ok[oms.Key](t)(s.Session(ctx, of.Hash)), theirs)

	s.now = of.Expires.Add(-time.Microsecond)
	same(t, ok[oms.Key](t)(s.Session(ctx, of.Hash)), theirs)
	s.now = of.Expires
	s.sessionEnded(of)
}

// testMostSessions: a key has a bounded number of sessions, of which the oldest end.
func testMostSessions(t *testing.T, s *suite) {
	mine := s.addKey(acme, "key-1")
	of := s.signIn(s.addKey(acme, "key-2"))
	var all []oms.Session
	for range oms.MostSessions + 2 {
		s.now = s.now.Add(time.Second)
		all = append(all, s.signIn(mine))
	}
	for i, session := range all {
		if i < 2 {
			s.sessionEnded(session)
			continue
		}
		ok[oms.Key](t)(s.Session(ctx, session.Hash))
	}
	ok[oms.Key](t)(s.Session(ctx, of.Hash))
}

// testOldSessions removes those that expired before a time, of whatever key.
func testOldSessions(t *testing.T, s *suite) {
	theirs := s.signIn(s.addKey(other, "key-1"))
	var old []oms.Session
	for n := range 5 { // more than one step removes
		k := s.addKey(acme, fmt.Sprint("key-", n))
		for range 50 {
			old = append(old, s.signIn(k))
		}
	}
	s.now = s.now.Add(time.Hour)
	left := s.signIn(s.addKey(acme, "key-left"))
	must(t, s.RemoveOld(ctx, acme, store.KeptSessions, left.Expires, noRest))

	s.now = theirs.Created // by the clock none of them has expired: what is not there was removed
	for _, session := range old {
		s.sessionEnded(session)
	}
	ok[oms.Key](t)(s.Session(ctx, left.Hash))
	ok[oms.Key](t)(s.Session(ctx, theirs.Hash))
}
