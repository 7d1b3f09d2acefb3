// Sends GitHub's recorded deliveries to a running service, signed by GitHub's own library, and checks what became
// of them. Usage: node send.mjs BASE_URL [--once]; the operator token comes from POBLYSH_OPERATOR_TOKENS.

import { createRequire } from "node:module";
import { client, deliveryId } from "./api.mjs";
import { dedupeKey } from "./expected.mjs";
import { DemoTeam } from "./team.mjs";

const [base, mode] = process.argv.slice(2);
const api = client(base, process.env.POBLYSH_OPERATOR_TOKENS.split(",")[0]);
const { call, all, deliver } = api;
const STEP_MS = 4000;
const examples = createRequire(import.meta.url)("@octokit/webhooks-examples");

async function send(deliveries, path, secret, label) {
  const answers = [];
  const tty = process.stdout.isTTY;
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < deliveries.length) {
      const at = next++;
      answers[at] = await deliver(path, secret, deliveries[at]);
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
  body: { name: "demo", scopes: ["connections:read", "signals:read", "deliveries:read", "deliveries:write", "tracker:read"] },
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

const team = new DemoTeam(api, tenant.id, examples);
await team.found();
await team.until_stale(STEP_MS);
const health = [await team.health(team.hello), await team.health(team.octo)];
const drift = count(await team.drift(), (d) => d.direction);
const gates = count(await team.gate_rows(), (e) => e.type);
check("tracker of Codertocat/Hello-World", health[0], "drifting");
check("tracker of octo-org/octo-repo", health[1], "stale");
check("kinds of gate results", gates.size, 2);
check("drift that the tracker is ahead in", drift.has("spec_kitty_behind"), true);
check("drift that the team is ahead in", drift.has("external_behind"), true);

console.log("\n  tracker");
row("Codertocat/Hello-World", "", health[0]);
row("octo-org/octo-repo", "", `${health[1]}: nothing for 15 s, which is what the demo takes for long`);
row("differences: ours is behind", drift.get("spec_kitty_behind") ?? 0);
row("differences: theirs is behind", drift.get("external_behind") ?? 0);
row("gates passed", gates.get("GatePassed") ?? 0, "from recorded check runs");
row("gates failed", gates.get("GateFailed") ?? 0);

const link = await team.door("/dashboard/projects");
if (mode === "--once") check("the dashboard's door", (await fetch(link.replace("localhost", "127.0.0.1"))).status, 200);
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

  the dashboard, whose team goes on living, a step every ${STEP_MS / 1000} s; the link opens once, within five minutes
  (afterwards ${url}/dashboard/login takes the demo token); Ctrl-C stops the service
    ${link}
`);
  await team.live(STEP_MS);
}
