package secret

import "testing"

func TestAHeaderThatIsASignatureIsKnownByItsName(t *testing.T) {
	for name, want := range map[string]bool{
		"Webhook-Signature": true, "X-SIGNATURE": true, "signature": true, "X-Hub-Signature-256": true,
		"": false, "Sig": false, "Signatur": false, "X-Signature"[:10]: false, "Content-Type": false, "Webhook-Timestamp": false,
	} {
		if got := IsSignature(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
