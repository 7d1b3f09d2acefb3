// Pages that are open while things change.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { byTestId, enter, launch } from "./kit.mjs";
import { HOSTILE } from "./corpus.mjs";
import { hook } from "./scenes.mjs";
import { issue, mapping, Service } from "./service.mjs";
import { Wire } from "./wire.mjs";

const TARGET_MS = 1000;
const PATIENCE = 15_000;
const cut_off = /ERR_(CONNECTION|EMPTY|INCOMPLETE|NETWORK|SOCKET)|Failed to (load|fetch)|status of 503/;

let service, wire, browser, team, project, clock = 0;

before(async () => {
  service = await Service.start({ POBLYSH_TRACKER_STALE_AFTER_SECONDS: "3600" });
  wire = await Wire.to(service.port);
  // The pages are read through the wire: its address is the service's public one.
  await service.stop();
  service.settings.POBLYSH_PUBLIC_BASE_URL = wire.base;
  await service.run();
  browser = await launch();
  team = await service.team("Watchers");
  project = await team.project("Watched", "watched");
  for (const n of [1, 2, 3]) await team.workPackage(project, `WP0${n}`, { title: `Piece ${n}`, lane: "planned" });
  await team.snapshot(project, [issue("w-1", "todo", "Piece 1")], [mapping("WP01", "w-1")]);
});
after(async () => {
  await browser?.close();
  wire?.close();
  await service?.close();
});

const watching = (path, options = {}) => enter(browser, { service: { base: wire.base }, door: (...a) => team.door(...a) }, { to: path, ...options });
const row = (page, wp) => page.locator(`[data-testid="wp-row"][data-wp-id="${wp}"]`);
const move = (wp, to_lane) => team.events(project, ["WPStatusChanged", { wp_id: wp, from_lane: null, to_lane }, ++clock]);
const shows = (page, wp, lane) => row(page, wp).and(page.locator(`[data-lane="${lane}"]`)).waitFor({ timeout: PATIENCE });
const listening = (page) => page.waitForResponse((r) => r.url().includes("/dashboard/events"));

test("a change is seen in an open page", async (t) => {
  const visit = await watching(`/dashboard/projects/${project.id}`);
  await shows(visit.page, "WP02", "planned");
  const took = [];
  for (const lane of ["claimed", "in_progress", "for_review", "in_review", "approved"]) {
    const from = performance.now();
    await move("WP02", lane);
    await shows(visit.page, "WP02", lane);
    took.push(Math.round(performance.now() - from));
  }
  t.diagnostic(`change to visible: ${took.join(", ")} ms (wanted: ${TARGET_MS})`);
  assert.ok(Math.min(...took) < 5 * TARGET_MS);
  await visit.close();
});

test("what the feed does not tell of is seen as soon: a work package, a connection, a delivery", async (t) => {
  const [detail, front] = [await watching(`/dashboard/projects/${project.id}`), await watching("/dashboard/connectors")];
  const connection = (state) => front.page.locator(`[data-testid="connector-row"][data-kind="github"][data-state="${state}"]`);
  const took = [];
  async function seen(change, where) {
    const from = performance.now();
    const made = await change();
    await where(made);
    took.push(Math.round(performance.now() - from));
    return made;
  }
  await seen(() => team.workPackage(project, "WP03", { lane: "claimed" }), () => shows(detail.page, "WP03", "claimed"));
  const made = await seen(() => team.call("POST", "/connections", { provider: "github", external_id: "4711", display_name: "Octo Works" }),
    () => connection("active").waitFor({ timeout: PATIENCE }));
  const deliver = await hook(team, made.id);
  const webhooks = await watching(`/dashboard/connectors/${made.id}?tab=webhooks`);
  await seen(() => deliver(1), () => byTestId(webhooks.page, "delivery-row").first().waitFor({ timeout: PATIENCE }));
  await seen(() => team.call("DELETE", `/connections/${made.id}`), () => connection("active").waitFor({ state: "detached", timeout: PATIENCE }));
  await webhooks.page.locator('[data-testid="connection"][data-state="revoked"]').waitFor({ timeout: PATIENCE });
  t.diagnostic(`change to visible: ${took.join(", ")} ms (wanted: ${TARGET_MS})`);
  assert.ok(Math.min(...took) < TARGET_MS && Math.max(...took) < 5 * TARGET_MS, took.join(", "));
  for (const visit of [detail, front, webhooks]) await visit.close();
});

test("drift that opens and closes is seen in the card, and news in the feed", async () => {
  const visit = await watching(`/dashboard/projects/${project.id}`);
  const feed = await watching("/dashboard/activity");
  const health = (word) => visit.page.locator(`[data-testid="tracker-summary"][data-health="${word}"]`).waitFor({ timeout: PATIENCE });
  await health("healthy");
  const before = await byTestId(feed.page, "activity-row").count();
  await move("WP01", "done");
  await health("drifting");
  await feed.page.locator('[data-type="tracker_drift_detected"]').first().waitFor({ timeout: PATIENCE });
  assert.ok((await byTestId(feed.page, "activity-row").count()) > before);
  await team.snapshot(project, [issue("w-1", "done", "Piece 1", { updated_at: "2026-11-02T09:00:00Z" })], [mapping("WP01", "w-1")]);
  await health("healthy");
  await visit.close();
  await feed.close();
});

test("what is being read with the keyboard stays as it is until it is left", async () => {
  const visit = await watching(`/dashboard/projects/${project.id}`);
  const { page } = visit;
  const link = row(page, "WP03").getByRole("link");
  await link.focus();
  const [at, renewed] = [await page.evaluate(() => scrollY), page.waitForResponse((r) => r.request().headers()["x-live"] === "1")];
  await move("WP03", "blocked");
  await renewed;
  assert.equal(await link.evaluate((e) => e === document.activeElement), true);
  assert.equal(await page.evaluate(() => scrollY), at);
  await link.blur();
  await shows(page, "WP03", "blocked");
  await visit.close();
});

test("a stream that is cut says so, and goes on where it was", async () => {
  const visit = await watching(`/dashboard/projects/${project.id}`, { allowed: cut_off });
  const lost = visit.page.locator("[data-lost]");
  await shows(visit.page, "WP03", "blocked");
  assert.equal(await lost.isVisible(), false);
  wire.cut();
  await lost.waitFor({ timeout: PATIENCE });
  await move("WP03", "planned");
  wire.mend();
  await shows(visit.page, "WP03", "planned");
  await lost.waitFor({ state: "hidden", timeout: PATIENCE });
  await move("WP03", "done");
  await shows(visit.page, "WP03", "done");
  await visit.close();
});

test("a service that is killed and comes back is listened to again", async () => {
  const visit = await watching(`/dashboard/projects/${project.id}`, { allowed: cut_off });
  await shows(visit.page, "WP03", "done");
  await service.stop("SIGKILL");
  await visit.page.locator("[data-lost]").waitFor({ timeout: PATIENCE });
  await service.run();
  await move("WP03", "in_review");
  await shows(visit.page, "WP03", "in_review");
  await visit.close();
});

test("hostile text that comes while the page is open stays text", async () => {
  const visit = await watching(`/dashboard/projects/${project.id}`);
  for (const [n, text] of HOSTILE.slice(0, 12).entries()) {
    await team.events(project, ["WPCreated", { wp_id: `WP${10 + n}`, title: text }, ++clock]);
    await row(visit.page, `WP${10 + n}`).waitFor({ timeout: PATIENCE });
  }
  assert.equal(await visit.page.locator("main img, main iframe, main script, main style, main [hx-get]").count(), 0);
  await visit.close();
});

test("a hidden page listens to nothing, and catches up when it is looked at", async () => {
  const visit = await watching(`/dashboard/projects/${project.id}`);
  const { page } = visit;
  await shows(page, "WP03", "in_review");
  const look = (hidden) => page.evaluate((is) => {
    Object.defineProperty(document, "hidden", { configurable: true, value: is });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  await look(true);
  await move("WP03", "planned");
  const again = listening(page);
  await look(false);
  await again;
  await shows(page, "WP03", "planned");
  await visit.close();
});
