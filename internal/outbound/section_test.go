package outbound

import (
	"strings"
	"testing"
)

func TestTLSOfTheWebHookSection(t *testing.T) {
	ca, other := issue(t, nil, "ca", valid), issue(t, nil, "other", valid)
	mine, server := issue(t, ca, "mine", valid), issue(t, ca, "server", valid)
	open, asking := serveTLS(t, server, nil), serveTLS(t, server, ca)
	const unknown = "TLS: certificate signed by unknown authority"
	for form, write := range forms {
		trusted := file(t, write(t, nil, []*issued{ca}, "s3cret"))
		wrong := file(t, write(t, nil, []*issued{other}, "s3cret"))
		key := file(t, write(t, mine, []*issued{mine, ca}, "s3cret"))
		alone := file(t, write(t, mine, []*issued{mine}, "s3cret"))
		for name, test := range map[string]struct {
			url     string
			section FileTrust
			body    string
			failure string
		}{
			"all":                              {open, FileTrust{TrustAll: true}, "", ""},
			"all, whatever the files say":      {open, FileTrust{TrustAll: true, TrustFile: wrong}, "", ""},
			"all, with a certificate":          {asking, FileTrust{TrustAll: true, ClientCert: true, KeyFile: key}, "mine", ""},
			"the system's":                     {open, FileTrust{}, "", unknown},
			"sslTrustFile":                     {open, FileTrust{TrustFile: trusted}, "", ""},
			"sslTrustFile of another":          {open, FileTrust{TrustFile: wrong}, "", unknown},
			"sslTrustFile beats sslKeyFile":    {open, FileTrust{TrustFile: wrong, KeyFile: key}, "", unknown},
			"sslKeyFile":                       {open, FileTrust{KeyFile: key}, "", ""},
			"sslKeyFile without a key":         {open, FileTrust{KeyFile: trusted}, "", ""},
			"sslKeyFile that does not vouch":   {open, FileTrust{KeyFile: alone}, "", unknown},
			"sslKeyFile shows nothing":         {asking, FileTrust{KeyFile: key}, "", "certificate required"},
			"sslKeyFile, shown, is no trust":   {asking, FileTrust{ClientCert: true, KeyFile: key}, "", unknown},
			"sslKeyFile beside sslTrustFile":   {asking, FileTrust{ClientCert: true, KeyFile: key, TrustFile: trusted}, "mine", ""},
			"sslTrustFile, no certificate own": {asking, FileTrust{TrustFile: trusted}, "", "certificate required"},
		} {
			t.Run(form+", "+name, func(t *testing.T) {
				test.section.KeyPassword = "s3cret"
				made, err := LoadTrust(test.section)
				if err != nil {
					t.Fatal(err)
				}
				x := newClient(t, nil).Post(t.Context(), Request{URL: test.url, Trust: made, OneWay: true})
				if got := x.Failure(); (got == "") != (test.failure == "") || !strings.Contains(got, test.failure) || string(x.Body) != test.body {
					t.Errorf("failure %q, body %q", got, x.Body)
				}
			})
		}
	}
}

func TestATrustFileNeedsNoPassword(t *testing.T) {
	ca := issue(t, nil, "ca", valid)
	for form, write := range forms {
		if _, err := LoadTrust(FileTrust{TrustFile: file(t, write(t, nil, []*issued{ca}, "")), KeyPassword: "s3cret"}); err != nil {
			t.Errorf("%s: %v", form, err)
		}
	}
}

// A trust store has often another password than the key, and Java reads one without any.
func TestATrustFileOfAnotherPassword(t *testing.T) {
	ca := issue(t, nil, "ca", valid)
	mine, server := issue(t, ca, "mine", valid), issue(t, ca, "server", valid)
	asking := serveTLS(t, server, ca)
	for form, write := range forms {
		trusted, key := file(t, write(t, nil, []*issued{ca}, "changeit")), file(t, write(t, mine, []*issued{mine, ca}, "s3cret"))
		section := FileTrust{ClientCert: true, KeyFile: key, KeyPassword: "s3cret", TrustFile: trusted}
		for password, fits := range map[string]bool{"changeit": true, "": form != "PKCS#12", "wr0ng": form == "PEM"} {
			section.TrustPassword = password
			made, err := LoadTrust(section)
			if (err == nil) != fits || err != nil && !strings.HasSuffix(err.Error(), ": wrong password") {
				t.Errorf("%s with %q: %v", form, password, err)
			}
			if err != nil {
				continue
			}
			if x := newClient(t, nil).Post(t.Context(), Request{URL: asking, Trust: made, OneWay: true}); x.Failure() != "" || string(x.Body) != "mine" {
				t.Errorf("%s with %q: %s", form, password, x.Failure())
			}
		}
	}
	// What is no keystore, or is cut off, is not read without a password either.
	whole := writeJKS(t, nil, []*issued{ca}, "changeit")
	for _, part := range [][]byte{whole[:len(whole)/2], whole[:4], whole[:len(whole)-21]} {
		if _, err := LoadTrust(FileTrust{TrustFile: file(t, part)}); err == nil {
			t.Errorf("%d of %d bytes are read", len(part), len(whole))
		}
	}
}

func TestWrongFilesOfTheSection(t *testing.T) {
	ca := issue(t, nil, "ca", valid)
	mine := issue(t, ca, "mine", valid)
	for form, write := range forms {
		trusted, key := file(t, write(t, nil, []*issued{ca}, "s3cret")), file(t, write(t, mine, []*issued{mine}, "s3cret"))
		rows := []struct {
			section FileTrust
			want    string
		}{
			{FileTrust{TrustFile: "none"}, "sslTrustFile: none: no such file or directory"},
			{FileTrust{TrustAll: true, TrustFile: "none"}, "sslTrustFile: none: no such file or directory"},
			{FileTrust{KeyFile: "none"}, "sslKeyFile: none: no such file or directory"},
			{FileTrust{KeyFile: key, KeyPassword: "wr0ng"}, "sslKeyFile: " + key + ": wrong password"},
			{FileTrust{ClientCert: true, KeyPassword: "s3cret"}, "sslKeyFile: missing: useSslClientCert needs a key"},
			{FileTrust{ClientCert: true, KeyFile: trusted, KeyPassword: "s3cret"}, "sslKeyFile: " + trusted + ": there is no private key in it, which useSslClientCert needs"},
		}
		if form == "PKCS#12" { // certificates in PEM have none, and a Java keystore is read without
			rows = append(rows, struct {
				section FileTrust
				want    string
			}{FileTrust{TrustFile: trusted, KeyPassword: "wr0ng"}, "sslTrustFile: " + trusted + ": wrong password"})
		}
		for _, row := range rows {
			if _, err := LoadTrust(row.section); err == nil || err.Error() != row.want {
				t.Errorf("%s: %v, want %s", form, err, row.want)
			}
		}
	}
}
