// What the pages can do: with scripts and without, and once however often a button is pressed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { byTestId, enter, launch } from "./kit.mjs";
import { Providers } from "./providers.mjs";
import * as scenes from "./scenes.mjs";
import { Service } from "./service.mjs";

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

/// Two clicks before the first can have been answered.
const twice = (button) => button.evaluate((b) => { b.click(); b.click(); });

/// How often deliveries were processed once more.
const replays = async (scene) =>
  (await scene.team.call("GET", "/deliveries")).deliveries.reduce((n, d) => n + d.attempts - 1, 0);

for (const javaScriptEnabled of [true, false]) {
  describe(`scripts ${javaScriptEnabled ? "on" : "off"}`, () => {
    const options = { javaScriptEnabled };
    let scene;
    before(async () => { scene = await scenes.full(service); });

    test("a provider is connected", async () => {
      const { team } = await scenes.empty(service);
      const visit = await enter(browser, team, { ...options, origins: providers.origins });
      await visit.page.locator('form[action$="/connect"] select').selectOption("linear");
      await visit.page.getByRole("button", { name: "Connect", exact: true }).click();
      await visit.page.locator('[data-testid="connection"][data-state="active"]').waitFor();
      const { connections } = await team.call("GET", "/connections");
      assert.deepEqual(connections.map((c) => [c.provider, c.status]), [["linear", "active"]]);
      await visit.close();
    });

    test("a delivery is replayed", async () => {
      const visit = await enter(browser, scene.team, { ...options, to: `/dashboard/connectors/${scene.connection.id}` });
      await visit.page.getByRole("link", { name: "Webhooks" }).click();
      await byTestId(visit.page, "delivery-row").first().getByRole("button", { name: "Replay" }).click();
      await visit.page.locator(".flash").waitFor();
      assert.equal(await replays(scene), 1);
      await visit.close();
    });

    test("an issue is mapped to a work package, and unmapped", async () => {
      const visit = await enter(browser, scene.team, { ...options, to: `/dashboard/projects/${scene.drifting.id}/work-packages/WP03` });
      const { page } = visit;
      await byTestId(page, "tracker-not-mapped").waitFor();
      await page.getByLabel("Key or title").fill("Not ours");
      await page.getByRole("button", { name: "Find" }).click();
      await page.getByRole("button", { name: "Map", exact: true }).first().click();
      await byTestId(page, "tracker-issue").waitFor();
      await page.getByText("Unmap…").click();
      await page.getByRole("button", { name: /^Unmap / }).click();
      await byTestId(page, "tracker-not-mapped").waitFor();
      await visit.close();
    });

    test("filters are in the address, and the way back leads back", async () => {
      const visit = await enter(browser, scene.team, { ...options, to: "/dashboard/activity" });
      const { page } = visit;
      await page.getByLabel("Kind").selectOption("GatePassed");
      await page.getByRole("button", { name: "Filter" }).click();
      await page.waitForURL(/type=GatePassed/);
      assert.equal(await byTestId(page, "activity-row").count(), 1);
      await page.goBack();
      await byTestId(page, "activity-row").nth(2).waitFor();
      await visit.close();
    });
  });
}

describe("a button that is pressed twice", () => {
  test("replays once", async () => {
    const scene = await scenes.full(service);
    const visit = await enter(browser, scene.team, { to: `/dashboard/connectors/${scene.connection.id}?tab=webhooks` });
    await twice(byTestId(visit.page, "delivery-row").first().getByRole("button", { name: "Replay" }));
    await visit.page.locator(".flash").waitFor();
    assert.equal(await replays(scene), 1);
    await visit.close();
  });

  test("maps once", async () => {
    const scene = await scenes.full(service);
    const visit = await enter(browser, scene.team, { to: `/dashboard/projects/${scene.drifting.id}/work-packages/WP03?find=Not+ours` });
    await twice(visit.page.getByRole("button", { name: "Map", exact: true }).first());
    await byTestId(visit.page, "tracker-issue").waitFor();
    const { items } = await scene.team.call("GET", `/api/v1/connectors/trackers/mappings/?wp_id=WP03`);
    assert.equal(items.length, 1);
    await visit.close();
  });
});
