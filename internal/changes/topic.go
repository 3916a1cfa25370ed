package changes

import (
	"math/bits"
	"slices"
	"strings"

	"github.com/orderhook/orderhook/internal/apierr"
)

// Topics is a set of the kinds of things that a tenant has, to say which of them
// have changed. Sets are put together with | as a commit finds out what it wrote.
type Topics uint32

// The topics. Of one write they are those of everything that it wrote.
const (
	TopicOrders Topics = 1 << iota
	TopicRuns
	TopicAttempts
	TopicEvents
	TopicDeliveries
	TopicEndpoints // health included
	TopicCarts
	TopicStock
	TopicSettings
	TopicJobs
	TopicKeys
)

// topicNames are the names of the topics, by their bits.
var topicNames = []string{"orders", "runs", "attempts", "events", "deliveries", "endpoints", "carts", "stock", "settings", "jobs", "keys"}

// ParseTopics reads names with commas between. An unknown name is [apierr.Invalid].
func ParseTopics(text string) (Topics, error) {
	var all Topics
	for name := range strings.SplitSeq(text, ",") {
		bit := slices.Index(topicNames, strings.TrimSpace(name))
		if bit < 0 {
			return 0, apierr.Wrong("topic", "%q is none of %s", name, strings.Join(topicNames, ", "))
		}
		all |= 1 << bit
	}
	return all, nil
}

// Names returns the names of a set.
func (t Topics) Names() []string {
	names := make([]string, 0, bits.OnesCount32(uint32(t)))
	for bit, name := range topicNames {
		if t&(1<<bit) != 0 {
			names = append(names, name)
		}
	}
	return names
}
