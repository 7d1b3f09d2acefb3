// Texts that would like to be more than text, in every field that a page shows: nothing runs, nothing is fetched,
// nobody is led away, and the text is read as it was written.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { HOSTILE, NO_LINKS } from "./corpus.mjs";
import { byTestId, enter, launch } from "./kit.mjs";
import { issue, mapping, Service } from "./service.mjs";

let service, browser, team, projects, links;

/// Names hold no control characters, and not as much: the API refuses them.
const named = (text, most = 200) => [...text.replace(/[\u0000-\u001f]+/g, " ")].slice(0, most).join("");

/// A project and everything about it under that text.
async function poisoned(text, n) {
  const project = await team.project(named(text), `hostile-${n}`);
  await team.workPackage(project, "WP01", { title: text, lane: "done", assignee: named(text) });
  const id = `id-${n} ${text}`;
  const it = issue(id, "todo", text, { body: text, assignees: [text], labels: [text] });
  Object.assign(it.ref, { workspace: text, key: text, url: text });
  const row = { ...mapping("WP01", id), workspace: text, external_key: text, external_url: text };
  await team.snapshot(project, [it], [row], { workspace: `${n} ${text}` });
  await team.call("POST", "/connections", { provider: "github", external_id: named(`${n} ${text}`), display_name: named(text) });
  return project;
}

before(async () => {
  service = await Service.start();
  browser = await launch();
  team = await service.team(HOSTILE[0]);
  projects = [];
  for (const [n, text] of HOSTILE.entries()) projects.push(await poisoned(text, n));
  links = await team.project("Addresses", "addresses");
  const all = NO_LINKS.map((url, n) => issue(`link-${n}`, "todo", "Issue", { ref: { system: "linear", workspace: "acme-eng", id: `link-${n}`, key: `K-${n}`, url } }));
  for (const n of NO_LINKS.keys()) await team.workPackage(links, `WP${n}`, { title: `Link ${n}` });
  await team.snapshot(links, all, NO_LINKS.map((url, n) => ({ ...mapping(`WP${n}`, `link-${n}`), external_url: url })));
});
after(async () => {
  await browser?.close();
  await service?.close();
});

/// Elements and attributes that no page of ours has.
async function clean(page) {
  const odd = await page.evaluate(() => [...document.querySelectorAll("*")].filter((e) =>
    e.matches("iframe, base, img, style, object, embed, [srcdoc], a[href^='javascript' i], a[href^='data' i], form[action^='http'], form[action^='//']") ||
    (e.matches("script") && !e.getAttribute("src")?.startsWith("/dashboard/assets/")) ||
    (e.matches("meta[http-equiv]")) ||
    [...e.attributes].some((a) => /^(on|hx-|style$)/i.test(a.name))).map((e) => e.outerHTML.slice(0, 120)));
  assert.deepEqual(odd, []);
  assert.equal(await page.evaluate(() => window.pwned), undefined);
}

/// As a reader sees white space.
const readable = (text) => text.replace(/\s+/g, " ").trim();

async function reads(page, id, text) {
  const seen = readable(await byTestId(page, id).textContent());
  assert.ok(seen.includes(readable(text)), `${id}: ${seen}`);
}

describe("hostile text", () => {
  for (const [n, text] of HOSTILE.entries()) {
    test(JSON.stringify(text).slice(0, 60), async () => {
      const visit = await enter(browser, team, { name: named(text, 90) });
      const { page } = visit;
      await page.goto(`/dashboard/projects/${projects[n].id}`);
      await reads(page, "project-title", named(text));
      await clean(page);
      await page.goto(`/dashboard/projects/${projects[n].id}/work-packages/WP01`);
      for (const id of ["wp-title", "tracker-issue-title"]) await reads(page, id, text);
      assert.equal(await byTestId(page, "tracker-issue").locator("a[target=_blank]").count(), 0, "no link");
      await clean(page);
      await visit.close();
    });
  }

  for (const path of ["/dashboard/connectors", "/dashboard/projects", "/dashboard/activity"]) {
    test(`all of it on ${path}, with scripts and without`, async () => {
      for (const javaScriptEnabled of [true, false]) {
        const visit = await enter(browser, team, { javaScriptEnabled });
        await visit.page.goto(path);
        if (javaScriptEnabled) await clean(visit.page);
        else assert.equal(await visit.page.locator("main img, main iframe, main script, main style").count(), 0);
        await visit.close();
      }
    });
  }

  test("what is asked for in an address comes back as text", async () => {
    const visit = await enter(browser, team);
    for (const path of ["/dashboard/connectors?q=", "/dashboard/activity?wp_id=", "/dashboard/activity?type=", "/dashboard/projects?q="]) {
      for (const text of HOSTILE.slice(0, 12)) {
        const answer = await visit.page.goto(path + encodeURIComponent(text));
        assert.ok(answer.status() < 500, path);
        await clean(visit.page);
      }
    }
    visit.problems.splice(0, Infinity, ...visit.problems.filter((p) => !/status of 400/.test(p)));
    await visit.close();
  });
});

test("an address becomes a link only when it is one", async () => {
  const visit = await enter(browser, team);
  for (const [n, url] of NO_LINKS.entries()) {
    await visit.page.goto(`/dashboard/projects/${links.id}/work-packages/WP${n}`);
    assert.equal(await byTestId(visit.page, "tracker-issue").locator("a").count(), 0, url);
  }
  const fine = await team.project("Fine", "fine");
  await team.workPackage(fine, "WP01", { title: "Fine" });
  await team.snapshot(fine, [issue("fine-1", "todo", "Fine")], [mapping("WP01", "fine-1")]);
  await visit.page.goto(`/dashboard/projects/${fine.id}/work-packages/WP01`);
  const link = byTestId(visit.page, "tracker-issue").locator("a");
  assert.deepEqual([await link.getAttribute("href"), await link.getAttribute("rel"), await link.getAttribute("target")],
    ["https://linear.app/acme/fine-1", "noopener noreferrer nofollow", "_blank"]);
  await visit.close();
});
