// Writes a mail for each shipment that was shipped into a file, once for each event.
//
// Run it, with Node 20 or later and nothing else:
//
//   SIGNING_SECRET=whsec_… node examples/node-shipment-mails/main.mjs
//
// and make an endpoint of events with the url http://127.0.0.1:9105/ and the eventTypes
// ["shipment_shipped"]; its answer has the secret.
import { createServer } from "node:http";
import { createHmac, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync } from "node:fs";

const secret = process.env.SIGNING_SECRET ?? "";
const key = secret.startsWith("whsec_") ? Buffer.from(secret.slice(6), "base64") : Buffer.from(secret);
if (key.length === 0) {
  console.error("SIGNING_SECRET is needed");
  process.exit(2);
}

// Each line of the file is a mail with the webhook-id of its event. One write is both the
// effect and the mark that it was done, so no crash comes between the two.
const outbox = process.env.OUTBOX ?? "outbox.jsonl";
const done = new Set();
if (existsSync(outbox)) {
  for (const line of readFileSync(outbox, "utf8").split("\n").filter(Boolean)) done.add(JSON.parse(line).webhookId);
}

// verified tells whether body was signed with the key, in the last five minutes.
function verified(headers, body) {
  const id = headers["webhook-id"], at = headers["webhook-timestamp"];
  if (!id || !(Math.abs(Date.now() / 1000 - Number(at)) <= 300)) return false;
  const want = createHmac("sha256", key).update(`${id}.${at}.`).update(body).digest();
  return (headers["webhook-signature"] ?? "").split(" ").some((part) => {
    const [version, text] = part.split(",");
    const got = Buffer.from(text ?? "", "base64");
    return version === "v1" && got.length === want.length && timingSafeEqual(got, want);
  });
}

function handle(webhookId, event) {
  if (event.type !== "shipment_shipped" || done.has(webhookId)) return;
  const { orderId, shipmentId, shipmentTrackingNumber } = event.data;
  const text = `The shipment ${shipmentId} of your order ${orderId} is on its way` + (shipmentTrackingNumber ? ` (${shipmentTrackingNumber}).` : ".");
  appendFileSync(outbox, JSON.stringify({ webhookId, orderId, text }) + "\n", { flush: true });
  done.add(webhookId);
}

const mostBytes = 22 * 1024 * 1024; // an order has up to 10 MiB; a step is sent its lines twice

const server = createServer(async (req, res) => {
  const answer = (status, text = "") => res.writeHead(status, { "Content-Type": "text/plain" }).end(text);
  try {
    if (req.method !== "POST") return answer(405, "only POST is answered here");
    const chunks = [];
    let bytes = 0;
    for await (const chunk of req) if ((bytes += chunk.length) <= mostBytes) chunks.push(chunk); // read to its end: else no answer gets through
    if (bytes > mostBytes) return answer(413, "the body is too large");
    const body = Buffer.concat(chunks);
    if (!verified(req.headers, body)) return answer(401, "the signature is wrong");
    handle(req.headers["webhook-id"], JSON.parse(body));
    answer(204);
  } catch (err) {
    console.error(err); // orderhook sends the event again
    if (!res.headersSent) answer(500, "the endpoint failed");
  }
});

const [, host, port] = /^(.*):(\d+)$/.exec(process.env.LISTEN ?? "127.0.0.1:9105");
server.listen(Number(port), host, () => console.log(`listening on http://${host}:${server.address().port}`));
