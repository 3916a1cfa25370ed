package postgres

import "github.com/orderhook/orderhook/internal/store/core"

// Dialect implements [core.Engine].
func (e *engine) Dialect() *core.Dialect { return dialect }

// dialect has lists as JSON, as SQLite's has. A list that is made an array by itself is
// looked up in an index, value by value, whatever the planner knows of the table. Names are
// mapped on both sides: what the server takes for the same letter is not exactly what Go
// does. An index has the beginning of a text that may be long, so that is compared as well
// (same). Attempts that were found are read one by one, which the fence of OFFSET 0 sees to
// (foundattempts): as it takes each to be looked for in all partitions, the planner would go
// through all of a tenant's instead. The newest event is the last one that may have got a number (newestevent).
var dialect = &core.Dialect{Planned: true, Pieces: map[string]string{
	"numbers":  `= ANY (ARRAY(SELECT value::bigint FROM json_array_elements_text(%1::json) AS value))`,
	"texts":    `= ANY (ARRAY(SELECT json_array_elements_text(%1::json)))`,
	"eachtext": `json_array_elements_text(%1::json) AS value`,
	"feedparts": `= ANY (ARRAY(SELECT (SELECT max(f.first) FROM feed AS f WHERE f.tenant = %1 AND f.first <= n.value::bigint)
		FROM json_array_elements_text(%2::json) AS n (value)))`,
	"erased":        `coalesce((SELECT e.data IS NULL FROM events AS e WHERE e.tenant = deliveries.tenant AND e.seq = deliveries.event), false)`,
	"field":         `(%1::json ->> '%2')`,
	"callkey":       `tenant, span, start, kind, outcome, writer`,
	"foundattempts": `JOIN LATERAL (SELECT * FROM attempts WHERE attempts.tenant = found.tenant AND attempts.seq = found.seq OFFSET 0) AS a ON true`,
	"same":          `%1 = %2 AND left(%1, 500) = left(?=, 500)`,
	"newestevent":   `(SELECT (last_value + 1) * 1000 FROM event_numbers)`,
	"pairs":         `(%1, %2) IN (SELECT (pair->>0)::bigint, (pair->>1)::bigint FROM json_array_elements(%3::json) AS pair)`,
	"named": `(lower(%1) = %2 OR octet_length(%1) > length(%1)
		AND lower(upper(btrim(%1) COLLATE "und-x-icu")) = lower(upper(%3 COLLATE "und-x-icu")))`,
}}
