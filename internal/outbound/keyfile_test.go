package outbound

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
)

func TestKeyFilesAreToldApartByContent(t *testing.T) {
	ca := issue(t, nil, "ca", valid)
	mine := issue(t, ca, "mine", expired)
	for form, write := range forms {
		f, err := LoadKeyFile(file(t, write(t, mine, []*issued{mine, ca}, "s3cret")), "s3cret")
		if err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		if len(f.Certificates) != 2 || len(f.Own.Certificate) != 2 || !f.Own.Leaf.Equal(mine.cert) || !mine.key.Equal(f.Own.PrivateKey) {
			t.Errorf("%s: %d certificates, chain of %d", form, len(f.Certificates), len(f.Own.Certificate))
		}
		f, err = LoadKeyFile(file(t, write(t, nil, []*issued{mine, ca}, "s3cret")), "s3cret")
		if err != nil || len(f.Certificates) != 2 || f.Own != nil {
			t.Errorf("%s without a key: %+v, %v", form, f, err)
		}
	}
}

// legacyPEM is a key as openssl wrote it before PKCS#8.
func legacyPEM(t *testing.T, key *issued, password string) string {
	der, _ := x509.MarshalECPrivateKey(key.key)
	//lint:ignore SA1019 such files are in use
	block, err := x509.EncryptPEMBlock(rand.Reader, "EC PRIVATE KEY", der, []byte(password), x509.PEMCipherAES256)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block))
}

func TestKeysOfEveryForm(t *testing.T) {
	mine := issue(t, nil, "mine", valid)
	sec1, _ := x509.MarshalECPrivateKey(mine.key)
	for form, key := range map[string]string{
		"PKCS#8":           mine.keyPEM(),
		"SEC 1":            string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})),
		"encrypted PKCS#8": string(writePEM(t, mine, nil, "s3cret")),
		"encrypted legacy": legacyPEM(t, mine, "s3cret"),
	} {
		f, err := LoadKeyFile(file(t, []byte("first a comment\n"+key+certPEM(mine))), "s3cret")
		if err != nil || !mine.key.Equal(f.Own.PrivateKey) {
			t.Errorf("%s: %v", form, err)
		}
	}
	rsaKey, _ := rsa.GenerateKey(rand.Reader, 2048)
	if key, err := parseKey(x509.MarshalPKCS1PrivateKey(rsaKey)); err != nil || !rsaKey.Equal(key) {
		t.Errorf("PKCS#1: %v", err)
	}
	_, edKey, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKCS8PrivateKey(edKey)
	if key, err := parseKey(der); err != nil || !edKey.Equal(key) {
		t.Errorf("Ed25519: %v", err)
	}
}

func TestWrongKeyFiles(t *testing.T) {
	ca := issue(t, nil, "ca", valid)
	one, two := issue(t, ca, "one", valid), issue(t, ca, "two", valid)
	both := writePEM(t, one, []*issued{one}, "s3cret")
	both = append(both, two.keyPEM()...)
	rows := []struct {
		name     string
		data     []byte
		password string
		want     string
	}{
		{"nothing", nil, "s3cret", "the file is empty"},
		{"white space", []byte(" \n"), "s3cret", "the file is empty"},
		{"text", []byte("hello"), "s3cret", "neither PEM nor PKCS#12 nor JKS"},
		{"another keystore", []byte("\xCE\xCE\xCE\xCE\x00\x00"), "s3cret", "neither PEM nor PKCS#12 nor JKS"},
		{"a DER certificate", one.cert.Raw, "s3cret", "not a PKCS#12 file that can be read"},
		{"half a JKS", writeJKS(t, one, []*issued{one}, "s3cret")[:100], "s3cret", "the Java keystore is malformed"},
		{"half a PKCS#12", writePKCS12(t, one, []*issued{one}, "s3cret")[:100], "s3cret", "not a PKCS#12 file that can be read"},
		{"a key alone", []byte(one.keyPEM()), "", "there is no certificate in the PEM"},
		{"PEM of something else", []byte("-----BEGIN X-----\naGVsbG8=\n-----END X-----\n"), "", "there is no certificate in the PEM"},
		{"no password", both[:len(both)-len(two.keyPEM())], "", "the private key is encrypted, and no password is given"},
		{"two keys", both, "s3cret", "there is more than one private key in it"},
		{"legacy, wrong password", []byte(certPEM(one) + legacyPEM(t, one, "s3cret")), "wr0ng", "wrong password"},
	}
	for form, write := range forms {
		rows = append(rows, []struct {
			name     string
			data     []byte
			password string
			want     string
		}{
			{form + ", wrong password", write(t, one, []*issued{one, ca}, "s3cret"), "wr0ng", "wrong password"},
			{form + ", key of another", write(t, two, []*issued{one, ca}, "s3cret"), "s3cret", "the private key does not match the certificate"},
		}...)
	}
	for _, row := range rows {
		path := file(t, row.data)
		_, err := LoadKeyFile(path, row.password)
		if err == nil || !strings.HasPrefix(err.Error(), path+": "+row.want) {
			t.Errorf("%s: %v, want %s", row.name, err, row.want)
			continue
		}
		if text := err.Error(); strings.Contains(text, "\n") || strings.Contains(text, "s3cret") || strings.Contains(text, "wr0ng") {
			t.Errorf("%s: %q", row.name, text)
		}
	}
	if _, err := LoadKeyFile("no/such/file", ""); err == nil || err.Error() != "no/such/file: no such file or directory" {
		t.Errorf("%v", err)
	}
}
