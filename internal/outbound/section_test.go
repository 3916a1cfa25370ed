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
		if form != "PEM" { // whose certificates have none
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
