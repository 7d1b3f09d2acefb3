// Every page in every state: what it holds, in both themes, wide and narrow, with scripts and without; and nothing
// serious in its accessibility. Each leaves a picture.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { STATES } from "./catalogue.mjs";
import { accessible, enter, fits, landmarks, launch, NARROW, picture, watched, WIDE } from "./kit.mjs";
import { Providers } from "./providers.mjs";
import * as scenes from "./scenes.mjs";
import { Service } from "./service.mjs";

const MOST_HTML = 60 * 1024;
const ONLY = new RegExp(process.env.STATES ?? "");
const LOOKS = [["light", WIDE], ["dark", WIDE], ["light", NARROW], ["dark", NARROW]];

let service, sleepy, providers, provided, browser, made;

before(async () => {
  service = await Service.start();
  sleepy = await Service.start({ POBLYSH_TRACKER_STALE_AFTER_SECONDS: "1" });
  providers = await Providers.start();
  provided = await Service.start(providers.settings());
  browser = await launch();
  made = {
    full: await scenes.full(service), flagless: await scenes.full(service, { flag: false }), empty: await scenes.empty(service),
    crowded: await scenes.crowded(service), stale: await scenes.stale(sleepy), finding: await scenes.finding(provided, providers),
  };
});
after(async () => {
  await browser?.close();
  await service?.close();
  await sleepy?.close();
  await provided?.close();
  await providers?.close();
});

const missing = (status) => (status ? new RegExp(`status of ${status}`) : undefined);

/// A page for whoever looks at that state.
async function visitor({ scene, roles, status }, options) {
  const { team } = made[scene];
  const all = { allowed: missing(status), ...options };
  if (roles) return enter(browser, team, { roles, ...all });
  const visit = await watched(browser, team.service.base, all);
  return { ...visit, page: await visit.context.newPage() };
}

async function sound(page, { name, status = 200, has, lacks }, answer) {
  assert.equal(answer.status(), status, name);
  assert.ok((await answer.body()).length <= MOST_HTML, `${name}: more than 60 KB`);
  assert.equal(await page.locator("h1").count(), 1, `${name}: one heading`);
  const ids = await page.locator("[data-testid]").evaluateAll((all) => all.map((e) => e.dataset.testid));
  for (const id of has) assert.ok(ids.includes(id), `${name}: no ${id}`);
  for (const id of lacks) assert.ok(!ids.includes(id), `${name}: ${id} is there`);
}

for (const state of STATES.filter((s) => ONLY.test(s.name))) {
  test(state.name, async () => {
    const path = state.path(made[state.scene]);
    const visit = await visitor(state);
    for (const [colorScheme, viewport] of LOOKS) {
      await visit.page.setViewportSize(viewport);
      await visit.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      const look = `${state.name}-${colorScheme}${viewport === NARROW ? "-320" : ""}`;
      await sound(visit.page, state, await visit.page.goto(path));
      await picture(visit.page, look);
      await fits(visit.page, look);
      if (viewport === WIDE || colorScheme === "light") await accessible(visit.page, look);
    }
    const seen = await landmarks(visit.page);
    await visit.close();

    const plain = await visitor(state, { javaScriptEnabled: false });
    await sound(plain.page, state, await plain.page.goto(path));
    assert.deepEqual(await landmarks(plain.page), seen, "without scripts");
    await plain.close();
  });
}

test("no page is missing here", async () => {
  const { paths } = await service.call("GET", "/api/openapi.json").catch(() => service.call("GET", "/openapi.json"));
  const pages = Object.entries(paths).filter(([path, verbs]) => path.startsWith("/dashboard/") && isPage(verbs.get)).map(([path]) => path);
  const visited = STATES.map((s) => s.path(made[s.scene]).split("?")[0]);
  const like = (pattern) => new RegExp("^" + pattern.replace(/\{\w+\}/g, "[^/]+") + "$");
  assert.ok(pages.length > 3);
  assert.deepEqual(pages.filter((p) => !visited.some((v) => like(p).test(v))), []);
});

const isPage = (get) => Object.keys(get?.responses?.["200"]?.content ?? {}).some((type) => type.startsWith("text/html"));
