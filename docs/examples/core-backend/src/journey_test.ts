// The whole journey, as a frontend sees it: list, connect, consent, timeline, disconnect.
// CONNECTORS_URL, OPERATOR_TOKEN: a running service. PROVIDERS_CONTROL: tools/fakeprovider, which plays its providers.
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { core, type User } from "./core.js";

const users = new Map<string, User>([
  ["ana", { name: "Ana", tenantId: randomUUID(), admin: true }],
  ["ben", { name: "Ben", tenantId: randomUUID(), admin: false }],
]);
users.set("bea", { name: "Bea", tenantId: users.get("ben")!.tenantId, admin: true });

let base: string;
let server: ReturnType<ReturnType<typeof core>["listen"]>;

before(async () => {
  const app = core({
    connectorsUrl: process.env.CONNECTORS_URL!,
    operatorToken: process.env.OPERATOR_TOKEN!,
    session: (request) => users.get(request.get("x-session") ?? ""),
  });
  server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
after(() => void server.close());

async function as(who: string, method: string, path: string) {
  const answer = await fetch(base + path, { method, headers: { "x-session": who, "x-tenant-id": randomUUID() } });
  const text = await answer.text();
  return { status: answer.status, body: text ? JSON.parse(text) : null, text };
}

/// A browser at the provider's consent page, and back. The account has three issues there.
async function consent(provider: string, goTo: string) {
  const account = randomUUID().slice(0, 8);
  const items = { provider, account, count: 3 };
  assert.ok((await fetch(process.env.PROVIDERS_CONTROL + "items", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(items) })).ok);
  const away = await fetch(`${goTo}&account=${account}`, { redirect: "manual" });
  assert.equal(away.status, 302);
  const { pathname, search } = new URL(away.headers.get("location")!); // the service's public address, wherever it is
  const back = await fetch(process.env.CONNECTORS_URL + pathname + search);
  assert.equal(back.status, 200);
}

async function eventually<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 20_000; Date.now() < end; await new Promise((r) => setTimeout(r, 100))) {
    const value = await probe();
    if (value !== undefined) return value;
  }
  throw new Error("it did not happen");
}

test("a stranger sees nothing", async () => {
  assert.equal((await as("nobody", "GET", "/connections")).status, 401);
});

test("from the list of integrations to a connection, and away again", async () => {
  const offered = await as("ana", "GET", "/integrations");
  assert.ok(offered.body.some((p: { name: string }) => p.name === "github"));

  const begun = await as("ana", "POST", "/integrations/github/connect");
  assert.equal(begun.status, 200);
  await consent("github", begun.body.go_to);

  const [connection] = (await as("ana", "GET", "/connections")).body;
  assert.equal(connection.provider, "github");
  assert.equal(connection.needs_attention, false);

  const timeline = await eventually(async () => {
    const seen = await as("ana", "GET", "/timeline");
    assert.equal(seen.status, 200);
    return seen.body.events.length > 0 ? seen : undefined;
  });
  assert.equal(timeline.body.events[0].where, "github");

  assert.equal((await as("ana", "DELETE", `/connections/${connection.id}`)).status, 204);
  assert.deepEqual((await as("ana", "GET", "/connections")).body, []);
});

test("roles are Core's", async () => {
  assert.equal((await as("ben", "POST", "/integrations/github/connect")).status, 403);
  assert.equal((await as("bea", "POST", "/integrations/github/connect")).status, 200);
});

test("tenants do not see each other, whatever a browser sends", async () => {
  const begun = await as("bea", "POST", "/integrations/linear/connect");
  await consent("linear", begun.body.go_to);
  const [connection] = (await as("ben", "GET", "/connections")).body;
  assert.deepEqual((await as("ana", "GET", "/connections")).body, []);
  assert.equal((await as("ana", "DELETE", `/connections/${connection.id}`)).status, 404);
});

test("failures keep their code and their trace, and no secret leaves the server", async () => {
  const refused = await as("ana", "POST", "/integrations/nobody/connect");
  assert.equal(refused.status, 404);
  assert.equal(refused.body.code, "NOT_FOUND");
  assert.match(refused.body.trace_id, /./);
  for (const { text } of [refused, await as("ana", "GET", "/connections"), await as("ana", "GET", "/timeline")]) {
    assert.ok(!text.includes(process.env.OPERATOR_TOKEN!));
    assert.ok(!text.includes(users.get("ana")!.tenantId));
  }
});
