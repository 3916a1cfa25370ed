package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// newPair writes a certificate, with a number, and its key.
func newPair(t *testing.T, cert, key string, number int64) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(number), NotAfter: time.Unix(4e9, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	bare, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	write(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: bare})))
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestACertificateIsReadAgain each minute: what has changed is shown, and what cannot be used
// leaves the one from before, said once for each content of the files.
func TestACertificateIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir, log := t.TempDir(), &bytes.Buffer{}
		cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		newPair(t, cert, key, 1)
		c, err := newCertificate(cert, key, slog.New(slog.NewTextHandler(log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		defer close(stop)
		go c.watch(stop)
		shows := func(what string, number int64, failed bool, lines int) {
			t.Helper()
			time.Sleep(certificateEvery)
			synctest.Wait()
			shown, err := c.config().GetCertificate(nil)
			if err != nil || shown.Leaf.SerialNumber.Int64() != number {
				t.Errorf("%s: %v is shown, %v", what, shown.Leaf.SerialNumber, err)
			}
			if _, f := c.state(); f != failed || strings.Count(log.String(), "\n") != lines {
				t.Errorf("%s: failed %v; the log has\n%s", what, f, log)
			}
		}
		shows("what has not changed", 1, false, 0)
		newPair(t, cert, key, 2)
		shows("a new one", 2, false, 1)
		write(t, key, "no key")
		shows("a broken one", 2, true, 2)
		shows("the same broken one", 2, true, 2)
		_ = os.Remove(cert)
		shows("one that is gone", 2, true, 3)
		newPair(t, cert, key, 3)
		shows("one that was put right", 3, false, 4)
		if !strings.Contains(log.String(), "the one from before stays") {
			t.Errorf("the log has\n%s", log)
		}
	})
}

// TestALookUndoesNoReload that came while it was reading the files from before, whether they can
// be used or not.
func TestALookUndoesNoReload(t *testing.T) {
	for _, late := range []string{"no certificate", ""} {
		dir := t.TempDir()
		cert, key, next, nextKey := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "next.pem"), filepath.Join(dir, "nextkey.pem")
		newPair(t, cert, key, 1)
		newPair(t, next, nextKey, 2)
		c, err := newCertificate(cert, key, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		newPair(t, cert, key, 3)
		if late == "" {
			text, _ := os.ReadFile(cert)
			late = string(text)
		}
		_ = os.Remove(cert)
		if err := syscall.Mkfifo(cert, 0o600); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); c.look() }()
		pipe, err := os.OpenFile(cert, os.O_WRONLY, 0) // waits until look reads
		if err != nil {
			t.Fatal(err)
		}
		p, err := readPair(next, nextKey)
		if err != nil {
			t.Fatal(err)
		}
		c.use(next, nextKey, p)
		_, _ = pipe.WriteString(late)
		_ = pipe.Close()
		<-done
		if _, failed := c.state(); failed || c.pair != p || c.cert != next || c.key != nextKey {
			t.Errorf("after the look: failed %v, %s, %s", failed, c.cert, c.key)
		}
	}
}
