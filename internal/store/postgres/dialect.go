package postgres

import "github.com/orderhook/orderhook/internal/store/core"

// Dialect implements [core.Engine].
func (e *engine) Dialect() *core.Dialect { return dialect }

// readable is the JSON of a text, with U+FFFD in place of each zero byte, as in all other
// texts (see text). The server cannot have a zero byte in a text, and makes a text of each
// member of a document, whichever one it is asked for. Half of a surrogate pair would be
// refused as well, but nothing that is encoded here has one. The six characters of an escape
// whose backslash is escaped are replaced, too, on both sides of each comparison.
const readable = `replace(%1, '\u0000', '\ufffd')::json`

// dialect has lists as JSON, as SQLite's has. A list that is made an array by itself is
// looked up in an index, value by value, whatever the planner knows of the table. Names are
// mapped on both sides: what the server takes for the same letter is not exactly what Go
// does. An index has the beginning of a text that may be long, so that is compared as well
// (same). The deliveries that are due, and those that were delivered (alldue, pairs), are looked
// up one by one by their key, which LATERAL with OFFSET 0 sees to: the plan may be of when
// the tables were empty, and would go through all that have gathered since. The rows that are
// removed are named by their place (ctid), which stays for as long as a statement takes. An event is asked for as the first of one: its key
// alone has that order. The attempts at an event are looked up event by event, which OFFSET 0 sees to
// (attemptsofevent): where they are to be in order, the planner would go through all of the
// tenant's instead of sorting these. The newest event is the last one that may have got a number (newestevent).
var dialect = &core.Dialect{Planned: true, Pieces: map[string]string{
	"numbers":  `= ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(%1::json) AS value))`,
	"texts":    `= ANY (ARRAY(SELECT json_array_elements_text(` + readable + `)))`,
	"eachtext": `json_array_elements_text(` + readable + `) AS value`,
	"feedparts": `= ANY (ARRAY(SELECT (SELECT max(f.first) FROM feed AS f WHERE f.tenant = %1 AND f.first <= n.value::bigint)
		FROM json_array_elements_text(%2::json) AS n (value)))`,
	"erased":      `coalesce((SELECT e.data IS NULL FROM events AS e WHERE e.tenant = deliveries.tenant AND e.seq = deliveries.event), false)`,
	"field":       `(` + readable + ` ->> '%2')`,
	"callkey":     `tenant, span, start, kind, outcome, writer`,
	"same":        `%1 = %2 AND left(%1, 500) = left(?=, 500)`,
	"newestevent": `(SELECT (last_value + 1) * 1000 FROM event_numbers)`,
	"pairs": `ctid = ANY (ARRAY(SELECT d.ctid FROM json_each_text(%2::json) AS pair (event, endpoint) JOIN LATERAL (SELECT deliveries.ctid FROM deliveries
		WHERE deliveries.tenant = %1 AND deliveries.event = pair.event::bigint AND deliveries.endpoint = pair.endpoint::bigint OFFSET 0) AS d ON true))`,
	"alldue": `(SELECT value::bigint AS event FROM json_array_elements_text(?::json) AS value) AS one
		JOIN LATERAL (SELECT * FROM deliveries WHERE deliveries.tenant = ? AND deliveries.event = one.event AND deliveries.endpoint = ? OFFSET 0) AS deliveries ON true
		JOIN LATERAL (SELECT * FROM events WHERE events.tenant = deliveries.tenant AND events.seq BETWEEN deliveries.event AND deliveries.event ORDER BY events.seq LIMIT 1) AS events ON true`,
	"attemptsofevent": `JOIN LATERAL (SELECT a.seq FROM attempts AS a WHERE a.tenant = e.tenant AND a.event = e.seq AND a.event > 0 OFFSET 0) AS a ON true`,
	"named": `(lower(%1) = %2 OR octet_length(%1) > length(%1)
		AND lower(upper(btrim(%1) COLLATE "und-x-icu")) = lower(upper(%3 COLLATE "und-x-icu")))`,
}}
