-- +goose Up

-- Attempts and events are in partitions by their numbers, which are times. The program makes
-- and drops them (partition.go); their names say from when until when they are. An index
-- across partitions is unique only if it has the number, too.
--
-- Tables that have rows stay as they are: to divide them, somebody would have to stop all
-- nodes, and `orderhook migrate --from --to` copies such a database into one with partitions.
-- So do those of a database that a node works with, since its version knows of none.

-- The ids of events that were not made by orderhook. Only here can one be found to be taken
-- that is in another partition. Whoever adds events adds these; a row goes with its event.
CREATE TABLE event_ids (
    tenant text COLLATE "C" NOT NULL,
    id     text COLLATE "C" NOT NULL,
    seq    bigint NOT NULL,
    PRIMARY KEY (tenant, id)
);
CREATE INDEX event_ids_seq ON event_ids (tenant, seq);
ALTER TABLE event_ids ALTER COLUMN tenant SET STATISTICS 0;

CREATE FUNCTION forget_event_id() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN DELETE FROM event_ids WHERE tenant = OLD.tenant AND id = OLD.id AND seq = OLD.seq; RETURN NULL; END $$;

-- +goose StatementBegin
DO $$ BEGIN
LOCK TABLE events, attempts IN ACCESS EXCLUSIVE MODE;
IF EXISTS (SELECT FROM events) OR EXISTS (SELECT FROM attempts) OR EXISTS (SELECT FROM nodes WHERE until > clock_timestamp()) THEN
    RETURN;
END IF;
ALTER TABLE events RENAME TO events_whole;
CREATE TABLE events (LIKE events_whole INCLUDING DEFAULTS) PARTITION BY RANGE (seq);
DROP TABLE events_whole;
ALTER TABLE events ADD PRIMARY KEY (tenant, seq) INCLUDE (type, at);
ALTER TABLE events ALTER COLUMN tenant SET STATISTICS 0;
CREATE INDEX events_id ON events (tenant, id);
CREATE INDEX events_order ON events (tenant, order_id, seq) WHERE order_id <> '';
CREATE INDEX events_shipment ON events (tenant, shipment_id, seq) WHERE shipment_id <> '';
CREATE INDEX events_return ON events (tenant, return_id, seq) WHERE return_id <> '';
CREATE INDEX events_cart ON events (tenant, cart_id, seq) WHERE cart_id <> '';
CREATE INDEX events_subscription ON events (tenant, left(subscription_id, 500), seq) WHERE subscription_id <> '';
CREATE INDEX events_stock_item ON events (tenant, stock_item_id, seq) WHERE stock_item_id <> '';
CREATE TRIGGER events_forget_id AFTER DELETE ON events FOR EACH ROW EXECUTE FUNCTION forget_event_id();

ALTER TABLE attempts RENAME TO attempts_whole;
CREATE TABLE attempts (LIKE attempts_whole INCLUDING DEFAULTS) PARTITION BY RANGE (seq);
DROP TABLE attempts_whole;
ALTER TABLE attempts ADD PRIMARY KEY (tenant, seq);
ALTER TABLE attempts ALTER COLUMN tenant SET STATISTICS 0;
CREATE INDEX attempts_other ON attempts (tenant, id) WHERE id IS NOT NULL;
CREATE INDEX attempts_delivery ON attempts (tenant, event, endpoint, delivered, seq) WHERE event > 0;
CREATE INDEX attempts_call ON attempts (tenant, call_id, seq) WHERE call_id <> '';
CREATE INDEX attempts_run ON attempts (tenant, run_id, seq) WHERE run_id <> '';
CREATE INDEX attempts_order ON attempts (tenant, order_id, seq) WHERE order_id <> '';
CREATE INDEX attempts_shipment ON attempts (tenant, shipment_id, seq) WHERE shipment_id <> '';
CREATE INDEX attempts_return ON attempts (tenant, return_id, seq) WHERE return_id <> '';
CREATE INDEX attempts_cart ON attempts (tenant, cart_id, seq) WHERE cart_id <> '';
CREATE INDEX attempts_subscription ON attempts (tenant, left(subscription_id, 500), seq) WHERE subscription_id <> '';
CREATE INDEX attempts_stock_item ON attempts (tenant, stock_item_id, seq) WHERE stock_item_id <> '';
CREATE INDEX attempts_connector ON attempts (tenant, left(connector_id, 500), seq) WHERE connector_id <> '';
CREATE INDEX attempts_endpoint ON attempts (tenant, endpoint, seq) WHERE endpoint > 0;
CREATE INDEX attempts_failed ON attempts (tenant, seq) WHERE outcome = 'failed';

-- Versions that know no partitions are refused from here on.
INSERT INTO meta (name, value) VALUES ('schema.compatible', convert_to('3', 'UTF8'))
ON CONFLICT (name) DO UPDATE SET value = excluded.value;
END $$;
-- +goose StatementEnd
