package outbound

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/orderhook/orderhook/internal/weburl"
)

// TestANetworkThatWasReplacedIsLetGo, though a Trust that it has served is still in use.
func TestANetworkThatWasReplacedIsLetGo(t *testing.T) {
	c := New(Options{})
	defer c.Close()
	own := trust(t, TrustOptions{TrustAll: true})
	u, _ := weburl.ParseURL("https://example.com/")
	if _, err := c.network.Load().transport(t.Context(), "", own, u); err != nil {
		t.Fatal(err)
	}
	old := weak.Make(c.network.Load())
	c.Reload(Options{})
	for end := time.Now().Add(10 * time.Second); old.Value() != nil; runtime.GC() {
		if time.Now().After(end) {
			t.Fatal("the network from before is still held")
		}
	}
	runtime.KeepAlive(own)
}
