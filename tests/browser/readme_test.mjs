// The pictures of the README: taken of the same scene as all others; `run --update-screenshots` keeps them.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { STATES } from "./catalogue.mjs";
import { enter, launch } from "./kit.mjs";
import * as scenes from "./scenes.mjs";
import { Service } from "./service.mjs";

const PICTURES = { connectors: "connectors", project: "project-drifting", "work-package": "work-package-drifting", activity: "activity" };
const WINDOW = { width: 1280, height: 660 };
const MOST_BYTES = 150_000;
const ROOT = join(new URL(".", import.meta.url).pathname, "../..");
const KEPT = join(ROOT, "docs/screenshots");

let service, browser, scene;

before(async () => {
  service = await Service.start();
  browser = await launch();
  scene = await scenes.full(service);
});
after(async () => {
  await browser?.close();
  await service?.close();
});

for (const [name, of] of Object.entries(PICTURES)) {
  test(`${name} can be taken`, async () => {
    const state = STATES.find((s) => s.name === of);
    const visit = await enter(browser, scene.team, { roles: state.roles, to: state.path(scene), viewport: WINDOW });
    for (const id of state.has) assert.ok((await visit.page.locator(`[data-testid="${id}"]`).count()) > 0, id);
    const taken = await visit.page.screenshot({ path: join(process.env.UPDATE_SCREENSHOTS ?? process.env.SCREENSHOTS, `${name}.png`) });
    assert.ok(taken.length <= MOST_BYTES, `${taken.length} bytes`);
    await visit.close();
  });
}

test("the README shows these and no others", () => {
  const files = Object.keys(PICTURES).map((name) => `${name}.png`).sort();
  assert.deepEqual(readdirSync(KEPT).sort(), files);
  for (const file of files) assert.ok(statSync(join(KEPT, file)).size <= MOST_BYTES, file);
  const shown = [...readFileSync(join(ROOT, "README.md"), "utf8").matchAll(/docs\/screenshots\/([\w-]+\.png)/g)].map((m) => m[1]);
  assert.deepEqual([...new Set(shown)].sort(), files);
});
