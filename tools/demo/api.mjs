// The service's public API as the demo calls it, with the operator's token.

import { createHash } from "node:crypto";
import { sign } from "@octokit/webhooks-methods";

export function client(base, token) {
  async function call(method, path, { body, tenant, headers } = {}) {
    const answer = await fetch(base + path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(tenant && { "x-tenant-id": tenant }),
        ...(body && { "content-type": "application/json" }),
        ...headers,
      },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  async function all(path, member, tenant) {
    const rows = [];
    for (let cursor = null; ;) {
      const page = await call("GET", `${path}?limit=100${cursor ? `&cursor=${cursor}` : ""}`, { tenant });
      rows.push(...page[member]);
      if (!(cursor = page.next_cursor)) return rows;
    }
  }

  /// As GitHub sends it, signed by GitHub's own library.
  async function deliver(path, secret, { event, id, body }) {
    const answer = await fetch(base + path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-github-event": event,
        "x-github-delivery": id,
        "x-hub-signature-256": await sign(secret, body),
      },
      body,
    });
    return { code: answer.status, ...(await answer.json()) };
  }

  return { base, call, all, deliver };
}

export const digest = (text) => createHash("sha256").update(text).digest("hex");

/// A recorded payload has lost its delivery id; one made from its bytes is the same in every run.
export function deliveryId(event, body) {
  const hex = digest(`${event}\n${body}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
