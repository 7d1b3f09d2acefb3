// Sends GitHub's recorded deliveries to a running service, signed by GitHub's own library, and checks what became
// of them. Usage: node send.mjs BASE_URL [--once]; the operator token comes from POBLYSH_OPERATOR_TOKENS.

import { createHash } from "node:crypto";
import { createRequire } from "node:module";
import { sign } from "@octokit/webhooks-methods";
import { dedupeKey } from "./expected.mjs";

const [base, mode] = process.argv.slice(2);
const operator = process.env.POBLYSH_OPERATOR_TOKENS.split(",")[0];
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples");

async function call(method, path, { body, tenant, headers } = {}) {
  const answer = await fetch(base + path, {
    method,
    headers: {
      authorization: `Bearer ${operator}`,
      ...(tenant && { "x-tenant-id": tenant }),
      ...(body && { "content-type": "application/json" }),
      ...headers,
    },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return text ? JSON.parse(text) : null;
}

async function all(path, member, tenant) {
  const rows = [];
  for (let cursor = null; ;) {
    const page = await call("GET", `${path}?limit=100${cursor ? `&cursor=${cursor}` : ""}`, { tenant });
    rows.push(...page[member]);
    if (!(cursor = page.next_cursor)) return rows;
  }
}

// A recorded payload has lost its delivery id; one made from its bytes is the same in every run.
function deliveryId(event, body) {
  const hex = createHash("sha256").update(`${event}\n${body}`).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

async function send(deliveries, path, secret, label) {
  const answers = [];
  const tty = process.stdout.isTTY;
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < deliveries.length) {
      const at = next++;
      const { event, id, body } = deliveries[at];
      const answer = await fetch(base + path, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          "x-github-event": event,
          "x-github-delivery": id,
          "x-hub-signature-256": await sign(secret, body),
        },
        body,
      });
      answers[at] = { code: answer.status, ...(await answer.json()) };
      const done = answers.filter(Boolean).length;
      if (tty) process.stdout.write(`\r    ${label}: ${done}/${deliveries.length}`);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  const took = Math.round(performance.now() - started);
  process.stdout.write(`${tty ? "\r" : ""}    ${label}: ${deliveries.length}/${deliveries.length} in ${took} ms\n`);
  return answers;
}

const count = (rows, of) => rows.reduce((n, row) => n.set(of(row), (n.get(of(row)) ?? 0) + 1), new Map());
const off = [];
const check = (what, seen, wanted) => {
  if (seen !== wanted) off.push(`${what}: ${seen}, expected ${wanted}`);
};

const { data: tenant } = await call("POST", "/api/v1/tenants", { body: { name: "Demo" } });
const { data: token } = await call("POST", `/api/v1/tenants/${tenant.id}/tokens`, {
  body: { name: "demo", scopes: ["connections:read", "signals:read", "deliveries:read", "deliveries:write"] },
});
const connection = await call("POST", "/connections", {
  tenant: tenant.id,
  body: { provider: "github", external_id: "21031067", display_name: "Codertocat" },
});
const { webhook_secret: secret } = await call("POST", `/connections/${connection.id}/webhook-secret`, { tenant: tenant.id });

const deliveries = examples.flatMap(({ name: event, examples: payloads }) => payloads.map((payload) => {
  const body = JSON.stringify(payload);
  return { event, body, id: deliveryId(event, body), key: dedupeKey(event, payload) };
}));
const distinct = [...new Map(deliveries.map((d) => [d.id, d])).values()];
const mapped = distinct.filter((d) => d.key);
const keys = new Set(mapped.map((d) => d.key));

console.log(`\n${deliveries.length} deliveries recorded by GitHub, ${examples.length} kinds of event, signed by @octokit/webhooks-methods`);
const path = `/webhooks/github/${tenant.id}`;
const first = await send(deliveries, path, secret, "first sending ");
const second = await send(deliveries, path, secret, "second sending");

const stored = await all("/deliveries", "deliveries", tenant.id);
const signals = await all("/signals", "signals", tenant.id);
const details = await Promise.all(signals.map((s) => call("GET", `/signals/${s.id}`, { tenant: tenant.id })));
const byStatus = count(stored, (d) => d.status);
const byKind = count(signals, (s) => s.kind);
const repeated = first.filter((a) => a.deduplicated).length;

check("answers other than 202", [...first, ...second].filter((a) => a.code !== 202).length, 0);
check("duplicates in the first sending", repeated, deliveries.length - distinct.length);
check("duplicates in the second sending", second.filter((a) => a.deduplicated).length, deliveries.length);
check("second answers that name another delivery", second.filter((a, i) => a.delivery_id !== first[i].delivery_id).length, 0);
check("deliveries stored", stored.length, distinct.length);
check("deliveries processed", byStatus.get("processed") ?? 0, mapped.length);
check("deliveries ignored", byStatus.get("ignored") ?? 0, distinct.length - mapped.length);
check("signals", signals.length, keys.size);
check("signals with an unexpected key", details.filter((s) => !keys.has(s.dedupe_key)).length, 0);

const row = (name, n, note = "") => console.log(`    ${name.padEnd(30)}${String(n).padStart(6)}   ${note}`);
console.log("\n  signals by kind");
for (const [kind, n] of [...byKind].sort()) row(kind, n);
row("total", signals.length, "one for each distinct change, however often it was told");
console.log("\n  deliveries");
row("sent", deliveries.length * 2);
row("stored", stored.length);
row("  became signals", byStatus.get("processed") ?? 0);
row("  without a mapping (ignored)", byStatus.get("ignored") ?? 0, "stars, forks, checks, …: kept, counted, no signal");
for (const [status, n] of byStatus) if (!["processed", "ignored"].includes(status)) row(`  ${status}`, n);
row("duplicates", repeated + second.filter((a) => a.deduplicated).length, `${repeated} stand twice in the recording, the rest is the second sending`);

if (off.length) {
  console.error(`\noff:\n${off.map((line) => `  ${line}`).join("\n")}`);
  process.exit(1);
}
if (mode !== "--once") {
  const url = base.replace("127.0.0.1", "localhost");
  console.log(`
  look next
    Swagger UI      ${url}/docs
    demo tenant     ${tenant.id}
    demo token      ${token.secret}
    its signals     curl -H 'Authorization: Bearer ${token.secret}' ${url}/signals
    operator        . data/demo.env; curl -H "Authorization: Bearer $POBLYSH_OPERATOR_TOKENS" ${url}/ops/actors
    metrics         the same, ${url}/metrics
`);
}
