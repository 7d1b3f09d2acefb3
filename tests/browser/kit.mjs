// A browser that fails a test for whatever a person would not see: console errors, page errors, reports of the
// security policy, requests to anybody else, dialogs, text that was run.
import assert from "node:assert/strict";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];
const STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 320, height: 640 };

export const launch = () => chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });

/// Whatever `page` does that nobody may see, put into `problems`. `allowed`: errors of the console that are meant, such
/// as that of a page with status 404. `origins`: whom the page may ask.
function watch(page, problems, origins, allowed) {
  page.on("console", (m) => m.type() === "error" && !allowed?.test(m.text()) && problems.push(`console: ${m.text()} (${m.location().url})`));
  page.on("pageerror", (e) => problems.push("page: " + e.message));
  page.on("dialog", (d) => { problems.push("dialog: " + d.message()); d.dismiss(); });
  page.on("request", (r) => {
    const url = new URL(r.url());
    if (url.protocol.startsWith("http") && !origins.includes(url.origin)) problems.push("request to " + url.href);
  });
}

/// A context whose pages are watched. `close` fails when anything came up.
export async function watched(browser, base, { origins = [], allowed, viewport = WIDE, ...options } = {}) {
  const context = await browser.newContext({ baseURL: base, viewport, reducedMotion: "reduce", ...options });
  const problems = [];
  context.on("page", (page) => watch(page, problems, [base, ...origins], allowed));
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => console.error("CSP " + e.violatedDirective + " " + e.blockedURI));
  });
  return {
    context, problems,
    async close() {
      for (const page of context.pages()) {
        if (options.javaScriptEnabled !== false && (await page.evaluate(() => window.pwned))) problems.push("text was run");
      }
      await context.close();
      assert.deepEqual(problems, []);
    },
  };
}

/// Somebody of a team who followed a one-time link. `page` is where it led.
export async function enter(browser, team, { roles, name, to = "/dashboard/connectors", ...options } = {}) {
  const { url } = await team.door(roles, name, to);
  const visit = await watched(browser, team.service.base, options);
  const page = await visit.context.newPage();
  await page.goto(url);
  await page.waitForURL((u) => u.pathname === to.split("?")[0]);
  return { ...visit, page };
}

/// Nothing serious in the page's accessibility.
export async function accessible(page, name) {
  const { violations } = await new AxeBuilder({ page }).withTags(STANDARDS).analyze();
  const grave = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ") + " " + n.html.slice(0, 120)).join(", ")}`), [], name);
}

/// Nothing that has to be scrolled sideways, except inside of what says that it scrolls.
export async function fits(page, name) {
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(wide, 0, `${name}: wider than the window by ${wide} px`);
}

export const picture = (page, name) => page.screenshot({ path: join(process.env.SCREENSHOTS, name + ".png"), fullPage: true });

export const byTestId = (page, id) => page.locator(`[data-testid="${id}"]`);

/// The elements that tests and readers go by, in order, with their data: the same with and without scripts.
export const landmarks = (page) => page.locator("[data-testid]").evaluateAll((all) => all.map((e) =>
  [e.dataset.testid, ...Object.entries(e.dataset).filter(([k]) => k !== "testid").map(([k, v]) => `${k}=${v}`)].join(" ")));
