// Drives a server with openapi-fetch and the types that openapi-typescript
// makes of its OpenAPI document. It ends with 1 at the first thing that is not
// as it should be.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

declare const process: { argv: string[]; exitCode: number };

const [, , baseUrl = "", key = "", stepUrl = "", hangingUrl = ""] = process.argv;
const api = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${key}` } });

function check(fine: unknown, what: string, got?: unknown): asserts fine {
  if (!fine) throw new Error(`${what}: ${JSON.stringify(got)}`);
}

async function settings() {
  const status = (name: string, url: string): components["schemas"]["SettingsStatus"] => ({
    name,
    workflowSteps: [{ name: "WebhookWorkflowStep", connector: "Webhook", properties: [{ key: "Host", value: url }] }],
  });
  const put = await api.PUT("/api/settings", {
    body: { orderTypes: [{ name: "Online", orderStatuses: [status("New", stepUrl), status("Hanging", hangingUrl)] }] },
  });
  check(put.data?.version && put.data.warnings.length === 0, "PUT settings", put);
  const got = await api.GET("/api/settings");
  check(got.data?.orderTypes?.[0]?.orderStatuses?.[1]?.name === "Hanging", "GET settings", got.data);
}

async function orders() {
  const order: components["schemas"]["NewOrder"] = {
    id: "TS-1",
    status: "New",
    orderForm: { lineItems: [{ lineItemId: "1", quantity: 2, placedPrice: 10.5, colour: "blå" }] },
  };
  const made = await api.POST("/api/orders", { body: order });
  check(made.response.status === 201 && made.data, "POST an order", made);
  const result = made.data.orderActionExecutionResults[0];
  check(result?.actionStatus === "Success" && result.attempts === 1, "the workflow's result", result);
  const line = made.data.order.orderForm?.lineItems?.[0];
  check(line?.placedPrice === 10.5 && line["colour"] === "blå", "the line", line);

  const again = await api.POST("/api/orders", { body: order });
  check(again.response.status === 409 && again.error?.status === 409 && again.error.detail, "POST the same id", again.error);

  const patched = await api.PATCH("/api/orders/{id}", { params: { path: { id: "TS-1" } }, body: { tags: ["ts"] } });
  check(patched.data?.tags?.[0] === "ts" && patched.response.headers.get("ETag"), "PATCH", patched);
  const stale = await api.PATCH("/api/orders/{id}", { params: { path: { id: "TS-1" }, header: { "If-Match": '"1"' } }, body: { tags: ["x"] } });
  check(stale.response.status === 412 && stale.error?.title === "Precondition Failed", "PATCH of an older version", stale.error);

  const list = await api.GET("/api/orders", { params: { query: { tag: "ts", limit: 1 } } });
  check(list.data?.items.length === 1 && list.data.items[0]?.version === patched.data.version, "the list", list);
  const history = await api.GET("/api/orders/{id}/history", { params: { path: { id: "TS-1" } } });
  const change = history.data?.items[0]?.changes?.[0];
  check(change?.path === "tags" && change.before === null && Array.isArray(change.after), "the history", history.data);
}

async function waiting() {
  const entered = await api.POST("/api/orders/{id}/status", {
    params: { path: { id: "TS-1" }, query: { wait: "false" } },
    body: { status: "Hanging" },
  });
  check(entered.response.status === 202 && entered.data?.runId, "entering a status without waiting", entered);
  check(entered.response.headers.get("Location")?.endsWith(entered.data.runId), "the run's place");
  const id = entered.data.runId;
  const run = await api.GET("/api/runs/{id}", { params: { path: { id } } });
  check(run.data?.orderId === "TS-1" && run.data.ended === undefined, "the run", run);
  const canceled = await api.POST("/api/runs/{id}/cancel", { params: { path: { id } } });
  check(canceled.data?.status === "canceled", "the canceled run", canceled);
}

async function endpoints() {
  const made = await api.POST("/api/endpoints", { body: { url: stepUrl, eventTypes: ["loyalty.points"], format: "thin" } });
  check(made.response.status === 201 && made.data?.secret && made.data.health.circuit === "closed", "POST an endpoint", made);
  const id = made.data.id;
  const patched = await api.PATCH("/api/endpoints/{id}", { params: { path: { id } }, body: { description: "TypeScript", filter: null } });
  check(patched.data?.description === "TypeScript" && patched.data.format === "thin", "the patched endpoint", patched);

  const sent = await api.POST("/api/events", { body: { type: "loyalty.points", data: { points: 3 } } });
  check(sent.response.status === 202 && sent.data?.id, "POST an event", sent);
  const deliveries = await api.GET("/api/deliveries", { params: { query: { eventId: sent.data.id } } });
  check(deliveries.data?.items[0]?.endpointId === id && deliveries.data.items[0].maxAttempts >= 1, "the deliveries", deliveries);
}

try {
  await settings();
  await orders();
  await waiting();
  await endpoints();
  console.log("all went well");
} catch (wrong) {
  console.error(wrong);
  process.exitCode = 1;
}
