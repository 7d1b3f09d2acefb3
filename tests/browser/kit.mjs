// A browser that fails a test for whatever a person would not see: console errors, page errors, reports of the
// security policy, requests to anybody else, dialogs.
import assert from "node:assert/strict";
import { join } from "node:path";
import AxeBuilder from "@axe-core/playwright";
import { chromium } from "playwright-core";

const QUIET = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync"];

export const launch = () => chromium.launch({ executablePath: "/usr/bin/chromium", args: QUIET });

/// A context whose pages are watched; `problems` is what came up.
export async function watched(browser, base, options = {}) {
  const context = await browser.newContext({ baseURL: base, ...options });
  const problems = [];
  context.on("page", (page) => {
    page.on("console", (m) => m.type() === "error" && !options.expectErrors && problems.push("console: " + m.text()));
    page.on("pageerror", (e) => problems.push("page: " + e.message));
    page.on("dialog", (d) => { problems.push("dialog: " + d.message()); d.dismiss(); });
    page.on("request", (r) => {
      const url = new URL(r.url());
      if (url.protocol.startsWith("http") && url.origin !== base) problems.push("request to " + url.origin);
    });
  });
  await context.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (e) => console.error("CSP " + e.violatedDirective + " " + e.blockedURI));
  });
  return {
    context, problems,
    async close() {
      await context.close();
      assert.deepEqual(problems, []);
    },
  };
}

/// Nothing serious in the page's accessibility.
export async function accessible(page, name) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter((v) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(grave.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(" ")).join(", ")}`), [], name);
}

export const picture = (page, name) => page.screenshot({ path: join(process.env.SCREENSHOTS, name + ".png"), fullPage: true });

export const byTestId = (page, id) => page.locator(`[data-testid="${id}"]`);
