// The dashboard without a mouse: everything is reached, seen when it is, and left again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { STATES } from "./catalogue.mjs";
import { byTestId, enter, launch, watched } from "./kit.mjs";
import { Providers } from "./providers.mjs";
import * as scenes from "./scenes.mjs";
import { OPERATOR, Service } from "./service.mjs";

let providers, service, browser, scene, made;

before(async () => {
  providers = await Providers.start();
  service = await Service.start(providers.settings());
  browser = await launch();
  made = { full: await scenes.full(service), finding: await scenes.finding(service, providers) };
  scene = made.full;
});
after(async () => {
  await browser?.close();
  await service?.close();
  await providers?.close();
});

/// What has the focus: its words, where it is, and how it shows.
const focused = (page) => page.evaluate(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  return {
    index: [...document.querySelectorAll("*")].indexOf(e), is: e.outerHTML.slice(0, 100),
    visible: box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.top < innerHeight && box.left < innerWidth,
    marked: parseFloat(style.outlineWidth) >= 2 && style.outlineStyle !== "none" || style.boxShadow !== "none",
  };
});

/// What a keyboard must reach.
const reachable = (page) => page.evaluate(() => {
  const all = [...document.querySelectorAll("*")];
  const shown = (e) => e.checkVisibility({ visibilityProperty: true });
  return all.filter((e) => e.matches("a[href], button:not([disabled]), input:not([type=hidden]):not([disabled]), select, textarea, summary") && shown(e))
    .map((e) => ({ index: all.indexOf(e), is: e.outerHTML.slice(0, 100) }));
});

/// Presses Tab until the focus is back where it has been; every stop in order.
async function stops(page) {
  const seen = [];
  for (let n = 0; n < 600; n++) {
    await page.keyboard.press("Tab");
    const at = await focused(page);
    if (!at) { if (seen.length) break; else continue; }
    if (seen.at(-1)?.index === at.index) continue;  // a date has parts, each of them a stop
    if (seen.some((s) => s.index === at.index)) break;
    seen.push(at);
  }
  return seen;
}

for (const state of STATES.filter((s) => ["full", "finding"].includes(s.scene) && s.roles && !s.status)) {
  test(`${state.name}: every control is a stop, in order, and shows it`, async () => {
    const visit = await enter(browser, made[state.scene].team, { roles: state.roles });
    await visit.page.goto(state.path(made[state.scene]));
    const seen = await stops(visit.page);
    assert.match(seen[0].is, /class="skip"/);
    for (const s of seen) assert.ok(s.visible && s.marked, `not seen: ${s.is}`);
    const order = seen.map((s) => s.index);
    assert.deepEqual(order, [...order].sort((a, b) => a - b), "in the order of the page");
    const reached = new Set(order);
    assert.deepEqual((await reachable(visit.page)).filter((r) => !reached.has(r.index)).map((r) => r.is), []);
    await visit.close();
  });
}

test("signing in, going somewhere and out again", async () => {
  const visit = await watched(browser, service.base);
  const page = await visit.context.newPage();
  await page.goto("/dashboard/projects");
  await page.keyboard.press("Tab");
  await page.keyboard.type(OPERATOR);
  await page.keyboard.press("Tab");
  await page.keyboard.type(scene.team.slug);
  await page.keyboard.press("Enter");
  await page.waitForURL((u) => u.pathname === "/dashboard/projects");

  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");  // the skip link
  assert.equal(await page.evaluate(() => document.activeElement.id), "page");

  await press(page, (e) => e.closest("main") && e.matches("a") && e.textContent.includes("Spec Kitty"));
  await page.waitForURL((u) => u.pathname.endsWith(scene.drifting.id));
  await press(page, (e) => e.textContent === "WP01");
  await byTestId(page, "wp-title").waitFor();
  await press(page, (e) => e.textContent === "Activity" && e.closest("nav"));
  await byTestId(page, "activity-row").first().waitFor();
  await page.goBack();
  await byTestId(page, "wp-title").waitFor();
  await press(page, (e) => e.textContent.trim() === "Sign out");
  await page.waitForURL(/\/dashboard\/login/);
  await visit.close();
});

/// Tabs to what fits, and presses Enter.
async function press(page, fits) {
  for (let n = 0; n < 300; n++) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(`(${fits})(document.activeElement)`)) return page.keyboard.press("Enter");
  }
  assert.fail(`no stop for ${fits}`);
}
