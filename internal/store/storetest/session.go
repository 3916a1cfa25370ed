package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/orderhook/orderhook/internal/access"
	"github.com/orderhook/orderhook/internal/apierr"
	"github.com/orderhook/orderhook/internal/store"
)

// signIn makes a session of a key, which begins at the time of the store's clock.
func (s *suite) signIn(k access.Key) access.Session {
	s.t.Helper()
	// The token itself is for a browser. The store has only its hash.
	session, _ := access.NewSession(k, s.now)
	must(s.t, s.CreateSession(ctx, session))
	return session
}

// sessionEnded checks that the token of a session opens nothing.
func (s *suite) sessionEnded(of access.Session) {
	s.t.Helper()
	_, err := s.Session(ctx, of.Hash)
	is(s.t, err, apierr.NotFound)
}

// addKey stores a reader's key. Other tenants may have one of the same id.
func (s *suite) addKey(tenant, id string) access.Key {
	s.t.Helper()
	k := access.Key{ID: id, Tenant: tenant, Role: access.Reader, Name: "of " + tenant, Created: at(1), Hash: access.HashKey(tenant + id)}
	s.write(func(tx store.Tx) error { return tx.InsertKey(ctx, k) })
	return k
}

// testSessions proves that a session gives the key that it was made with, and ends when
// it is deleted, with its key, or when it expires, and never through another session or
// another tenant's key of the same id. No session can be made of a key that was deleted.
func testSessions(t *testing.T, s *suite) {
	// Both keys have the same id, so a session must not find its key by the id alone.
	mine, theirs := s.addKey(acme, "key-1"), s.addKey(other, "key-1")
	one, two, of := s.signIn(mine), s.signIn(mine), s.signIn(theirs)
	same(t, ok[access.Key](t)(s.Session(ctx, one.Hash)), mine)
	same(t, ok[access.Key](t)(s.Session(ctx, two.Hash)), mine)
	same(t, ok[access.Key](t)(s.Session(ctx, of.Hash)), theirs)
	s.sessionEnded(access.Session{Hash: mine.Hash}) // a key's hash is none of a session

	// To end a session twice is no error: the second request may be a repetition of the
	// first.
	must(t, s.DeleteSession(ctx, one.Hash))
	must(t, s.DeleteSession(ctx, one.Hash))
	s.sessionEnded(one)
	same(t, ok[access.Key](t)(s.Session(ctx, two.Hash)), mine)

	s.write(func(tx store.Tx) error { return tx.DeleteKey(ctx, acme, "key-1") })
	s.sessionEnded(two)
	// Whoever signs in while the key is deleted gets no session.
	late, _ := access.NewSession(mine, s.now)
	is(t, s.CreateSession(ctx, late), apierr.NotFound)
	s.sessionEnded(late)
	same(t, ok[access.Key](t)(s.Session(ctx, of.Hash)), theirs)

	// It is good up to the last microsecond, and no longer.
	s.now = of.Expires.Add(-time.Microsecond)
	same(t, ok[access.Key](t)(s.Session(ctx, of.Hash)), theirs)
	s.now = of.Expires
	s.sessionEnded(of)
}

// testMostSessions proves that a key has at most [access.MostSessions] sessions: a new
// one ends the oldest of the same key, and none of another key.
func testMostSessions(t *testing.T, s *suite) {
	mine := s.addKey(acme, "key-1")
	of := s.signIn(s.addKey(acme, "key-2"))
	var all []access.Session
	// The first two sessions are one too many each.
	for range access.MostSessions + 2 {
		s.now = s.now.Add(time.Second)
		all = append(all, s.signIn(mine))
	}
	for i, session := range all {
		if i < 2 {
			s.sessionEnded(session)
			continue
		}
		ok[access.Key](t)(s.Session(ctx, session.Hash))
	}
	ok[access.Key](t)(s.Session(ctx, of.Hash))
}

// testOldSessions proves that retention removes the sessions of a tenant that expired
// before a time, of any of its keys, more than one step removes, and leaves all others.
func testOldSessions(t *testing.T, s *suite) {
	// This session is as old as those that are removed, but of another tenant.
	theirs := s.signIn(s.addKey(other, "key-1"))
	var old []access.Session
	for n := range 5 { // more than one step removes
		k := s.addKey(acme, fmt.Sprint("key-", n))
		for range 50 {
			old = append(old, s.signIn(k))
		}
	}
	s.now = s.now.Add(time.Hour)
	left := s.signIn(s.addKey(acme, "key-left"))
	must(t, s.RemoveOld(ctx, acme, store.RetainedSessions, left.Expires, noYield))

	s.now = theirs.Created // by the clock none of them has expired: what is not there was removed
	for _, session := range old {
		s.sessionEnded(session)
	}
	ok[access.Key](t)(s.Session(ctx, left.Hash))
	ok[access.Key](t)(s.Session(ctx, theirs.Hash))
}
