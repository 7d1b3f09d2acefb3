// What others cannot do: another origin, another team, an old session, an impatient click.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { STATES } from "./catalogue.mjs";
import { enter, launch, watched } from "./kit.mjs";
import * as scenes from "./scenes.mjs";
import { Service } from "./service.mjs";

let service, browser, scene, evil;

before(async () => {
  service = await Service.start();
  browser = await launch();
  scene = await scenes.full(service);
  evil = createServer((_, answer) => answer.setHeader("content-type", "text/html").end("<!doctype html><title>elsewhere</title><body>"));
  await once(evil.listen(0), "listening");
});
after(async () => {
  evil?.close();
  await browser?.close();
  await service?.close();
});

const forbidden = /status of 40[34]|X-Frame-Options|frame-ancestors/;

/// A form of a page elsewhere, sent by itself in the visitor's browser; the status that came of it.
async function forged(page, origin, action, fields) {
  await page.goto(origin);
  const [answer] = await Promise.all([
    page.waitForResponse((r) => r.url() === action && r.request().method() === "POST"),
    page.waitForNavigation(),
    page.evaluate(({ action, fields }) => {
      const form = Object.assign(document.createElement("form"), { method: "post", action });
      for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement("input"), { name, value }));
      document.body.append(form);
      form.submit();
    }, { action, fields }),
  ]);
  return answer.status();
}

/// Everything of a page that changes something, by button: `{action, fields}`.
const forms = (page) => page.locator('form[method="post"] button[type="submit"]').evaluateAll((all) => all.map((b) => ({
  action: b.hasAttribute("formaction") ? b.formAction : b.form.action, fields: Object.fromEntries([...new FormData(b.form, b)].filter(([name]) => name !== "csrf")) })));

describe("a page of another origin", () => {
  // The same host at another port gets even strict cookies; another host gets none.
  for (const host of ["127.0.0.1", "localhost"]) {
    test(`of ${host} sends no form of ours`, async () => {
      const elsewhere = `http://${host}:${evil.address().port}`;
      const visit = await enter(browser, scene.team, { origins: [elsewhere], allowed: forbidden });
      const before = await state();
      const tried = [];
      for (const path of new Set(STATES.filter((s) => s.scene === "full").map((s) => s.path(scene)))) {
        await visit.page.goto(path);
        tried.push(...(await forms(visit.page)));
      }
      const distinct = [...new Map(tried.map((f) => [f.action, f])).values()];
      assert.ok(distinct.some((f) => f.action.endsWith("/dashboard/logout")));
      for (const { action, fields } of distinct) {
        const status = await forged(visit.page, elsewhere, action, fields);
        // Without the cookie nobody is signed in, and the form is not looked at.
        if (host === "localhost") assert.ok([303, 403].includes(status), `${action}: ${status}`);
        else assert.equal(status, 403, action);
      }
      assert.deepEqual(await state(), before);
      assert.equal((await visit.page.goto(service.base + "/dashboard/connectors")).status(), 200, "still signed in");
      await visit.close();
    });
  }

  test("does not show ours in a frame, and reads nothing of it", async () => {
    const elsewhere = `http://127.0.0.1:${evil.address().port}`;
    const visit = await enter(browser, scene.team, { origins: [elsewhere], allowed: /X-Frame-Options|frame-ancestors|CORS|ERR_FAILED|ERR_BLOCKED/ });
    await visit.page.goto(elsewhere);
    const read = await visit.page.evaluate((url) => fetch(url, { credentials: "include" }).then((a) => a.text(), () => "refused"),
      service.base + "/dashboard/connectors");
    assert.equal(read, "refused");
    await visit.page.evaluate((url) => new Promise((done) => {
      const frame = Object.assign(document.createElement("iframe"), { src: url, onload: done });
      document.body.append(frame);
    }), service.base + "/dashboard/connectors");
    for (const frame of visit.page.frames().slice(1)) assert.equal(await frame.locator('[data-testid="main-nav"]').count(), 0);
    await visit.close();
  });
});

/// What a forged form could have changed.
async function state() {
  const { team } = scene;
  const [connections, bindings, queue, jobs, deliveries] = await Promise.all(["/connections", "/api/v1/connectors/trackers/bindings/",
    "/api/v1/connectors/trackers/queue/", "/jobs", "/deliveries"].map((path) => team.call("GET", path)));
  return { connections: connections.connections, bindings: bindings.items.map((b) => [b.id, b.state]), queue: queue.items.map((q) => [q.id, q.state]),
    jobs: jobs.jobs.length, deliveries: deliveries.deliveries.map((d) => [d.id, d.status]) };
}

test("another team sees nothing of this one, at any address", async () => {
  const { team } = await scenes.empty(service);
  const visit = await enter(browser, team, { allowed: forbidden });
  const ours = [scene.team.name, scene.team.slug, "Spec Kitty", "Widget shop", "Land the parser", "eng-1", "acme-eng", "octo/works", "lost-and-found"];
  for (const s of STATES.filter((s) => s.scene === "full" && s.roles)) {
    const path = s.path(scene);
    const answer = await visit.page.goto(path);
    if (/[0-9a-f]{8}-/.test(path.split("?")[0])) assert.equal(answer.status(), 404, s.name);
    const text = await visit.page.content();
    for (const word of ours.filter((w) => !path.includes(w))) assert.ok(!text.includes(word), `${s.name}: ${word}`);
  }
  await visit.close();
});

test("a session is out of reach of scripts, and ends with the sign-out", async () => {
  const visit = await enter(browser, scene.team);
  const [cookie] = await visit.context.cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ["connectord_session", true, "Strict", "/dashboard"]);
  assert.equal(await visit.page.evaluate(() => document.cookie + JSON.stringify({ ...localStorage, ...sessionStorage })), "{}");
  await visit.page.getByRole("button", { name: "Sign out" }).click();
  await visit.page.waitForURL(/\/dashboard\/login/);
  await visit.context.addCookies([cookie]);
  await visit.page.goto("/dashboard/connectors");
  assert.match(visit.page.url(), /\/dashboard\/login\?next=/);
  await visit.close();
});

test("a one-time link opens once", async () => {
  const { url } = await scene.team.door();
  const visits = [];
  for (const allowed of [undefined, forbidden]) {
    const visit = await watched(browser, service.base, { allowed });
    const page = await visit.context.newPage();
    visits.push((await page.goto(url)).status());
    if (!allowed) await page.waitForURL(/\/connectors$/);
    await visit.close();
  }
  assert.deepEqual(visits, [200, 404]);
});
