// From a connection to a binding: with scripts and without, by keyboard alone, in a hurry, and past names that would
// like to be more than text.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { HOSTILE } from "./corpus.mjs";
import { byTestId, enter, launch } from "./kit.mjs";
import { Providers } from "./providers.mjs";
import * as scenes from "./scenes.mjs";
import { Service, TRACKERS } from "./service.mjs";

let providers, service, browser;

before(async () => {
  providers = await Providers.start();
  service = await Service.start(providers.settings());
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await service?.close();
  await providers?.close();
});

const bound = async ({ team }) => (await team.call("GET", `${TRACKERS}/bindings/`)).items.flatMap((b) => b.resources.map((r) => r.resource_id)).sort();
const start = (scene) => `/dashboard/connectors/${scene.found.id}`;

for (const javaScriptEnabled of [true, false]) {
  test(`scripts ${javaScriptEnabled ? "on" : "off"}: found, chosen, confirmed; and back without a loss`, async () => {
    const scene = await scenes.finding(service, providers);
    const visit = await enter(browser, scene.team, { javaScriptEnabled, to: start(scene) });
    const { page } = visit;
    await byTestId(page, "tracker-bind").click();
    await page.getByLabel("Name").fill("dget");
    await page.getByRole("button", { name: "Search" }).click();
    await byTestId(page, "tracker-offer").nth(1).waitFor();
    await page.getByRole("link", { name: "ada/gadgets" }).click();
    await page.getByLabel("Project").selectOption("finders");
    await page.getByLabel("Label").fill("Ours");
    await page.getByRole("button", { name: "Go on" }).click();
    await page.getByRole("link", { name: "Back", exact: true }).click();
    assert.equal(await page.getByLabel("Label").inputValue(), "Ours");
    await page.getByRole("button", { name: "Go on" }).click();
    const confirm = page.getByRole("button", { name: "Bind", exact: true });
    await confirm.waitFor();
    await page.reload();
    await confirm.click();
    await page.locator(".flash").waitFor();
    assert.deepEqual(await bound(scene), ["ada/gadgets", "ada/taken"]);
    await visit.close();
  });
}

test("a button that is pressed twice binds once", async () => {
  const scene = await scenes.finding(service, providers);
  const visit = await enter(browser, scene.team, {
    to: `/dashboard/connections/${scene.found.id}/bindings/new?resource=ada%2Fwidgets&step=confirm&project=${scene.project.id}` });
  await visit.page.getByRole("button", { name: "Bind", exact: true }).evaluate((b) => { b.click(); b.click(); });
  await visit.page.locator(".flash").waitFor();
  assert.deepEqual(await bound(scene), ["ada/taken", "ada/widgets"]);
  await visit.close();
});

/// Tabs to what has these words, and presses Enter.
async function press(page, words) {
  for (let n = 0; n < 200; n++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((w) => document.activeElement.textContent.trim() === w, words)) return page.keyboard.press("Enter");
  }
  assert.fail(`no stop for ${words}`);
}

test("with the keyboard alone", async () => {
  const scene = await scenes.finding(service, providers);
  const visit = await enter(browser, scene.team, { to: start(scene) });
  const { page } = visit;
  await press(page, "Bind tracker…");
  await byTestId(page, "tracker-offers").waitFor();
  await press(page, "ada/widgets");
  const project = page.getByLabel("Project");
  await project.waitFor();
  while (!(await project.evaluate((e) => e === document.activeElement))) await page.keyboard.press("Tab");
  await page.keyboard.press("ArrowDown");
  await press(page, "Go on");
  await page.getByRole("button", { name: "Bind", exact: true }).waitFor();
  await press(page, "Bind");
  await page.locator(".flash").waitFor();
  assert.deepEqual(await bound(scene), ["ada/taken", "ada/widgets"]);
  await visit.close();
});

test("names of a provider are text in every step", async () => {
  const team = await service.team("Careful");
  const project = await team.project("Careful", "careful");
  await providers.tell("resources", { provider: "github", account: "mallory", names: HOSTILE });
  const connection = await providers.consent(team, "github", "mallory");
  const visit = await enter(browser, team);
  const { page } = visit;
  const { items } = await team.call("GET", `/api/v1/connections/${connection.id}/resources?limit=100`);
  assert.ok(items.length >= HOSTILE.length - 2, "only names that no binding can have are left out");
  const odd = "iframe, base, main img, main style, main script, main [srcdoc], a[href^='javascript' i], form[action^='http'], form[action^='//']";
  for (const { ids } of items) {
    const at = `/dashboard/connections/${connection.id}/bindings/new?resource=${encodeURIComponent(ids[0])}`;
    for (const step of ["", `&step=confirm&project=${project.id}`]) {
      await page.goto(at + step);
      const seen = await page.locator("main .facts").first().textContent();
      assert.ok(seen.replace(/\s+/g, " ").includes(ids[0].replace(/\s+/g, " ")), seen);
      assert.equal(await page.locator(odd).count(), 0);
    }
  }
  for (let next = `/dashboard/connections/${connection.id}/bindings/new`; next;) {
    await page.goto(next);
    assert.equal(await page.locator(odd).count(), 0);
    const more = page.getByRole("link", { name: "More of them" });
    next = (await more.count()) ? await more.getAttribute("href") : null;
  }
  await visit.close();
});
