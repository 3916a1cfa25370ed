package secret_test

import (
	"strings"
	"testing"

	"github.com/orderhook/orderhook/internal/secret"
)

func TestWhichHeadersAreSecret(t *testing.T) {
	for header, want := range map[string]bool{
		"Authorization: hunter2":                         true,
		"X-Api-Key: abcdef":                              true,
		"X-Shop-Access-Token: 123456":                    true,
		"Ocp-Apim-Subscription-Key: some-words-of-it":    true,
		"Cookie: sid=12":                                 true,
		"X-Auth: letmein":                                true,
		"X-Password: letmein":                            true,
		"X-Sig: a1b2c3d4":                                true,
		"Client-Secret: s3cret":                          true,
		"X-Shop: kJ8sd7Hs0aLq29xMz7TbQ1":                 true,
		"X-Shop: Bearer abc":                             true,
		"X-Api-Key: short":                               true,
		"X-Api-Key: ":                                    false,
		"X-Token-Type: application/json":                 false,
		"Accept: application/json":                       false,
		"Accept-Language: nb-NO,nb;q=0.9,en;q=0.8":       false,
		"Cache-Control: no-cache":                        false,
		"User-Agent: MyShopIntegration/2026.11b7Q2xT4z":  false,
		"X-Tenant: acme":                                 false,
		"X-Tenant: AcmeCorporationNorwayOslo2026":        false,
		"X-Tenant: 0b6a2f3e-5d8c-4c51-9a0f-1c2d3e4f5a6b": false,
		"X-Author: somebody":                             false,
		"X-Dry-Run: true":                                false,
		"X-Market: norway":                               false,
	} {
		name, value, _ := strings.Cut(header, ": ")
		if got := secret.IsSecret(name, value); got != want {
			t.Errorf("%s: %v", header, got)
		}
	}
}
