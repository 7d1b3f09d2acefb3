// The real binary on a free loopback port, with an embedded store of its own; and teams with something to show.
import { spawn } from "node:child_process";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, openSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const OPERATOR = "operator-of-the-browser-tests";
export const TRACKERS = "/api/v1/connectors/trackers";

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export class Service {
  /// settings: environment variables beyond the usual.
  static async start(settings = {}) {
    const s = new Service();
    s.folder = mkdtempSync(join(tmpdir(), "browser-"));
    s.port = await freePort();
    s.base = `http://127.0.0.1:${s.port}`;
    s.settings = settings;
    s.key = randomBytes(32).toString("base64");
    await s.run();
    return s;
  }

  async run() {
    const log = openSync(join(this.folder, "log"), "a");
    const clean = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith("POBLYSH_")));
    this.process = spawn(process.env.CONNECTORD_BIN, ["serve"], {
      cwd: this.folder,
      stdio: ["ignore", log, log],
      env: {
        ...clean,
        POBLYSH_PROFILE: "test",
        POBLYSH_API_BIND_ADDR: `127.0.0.1:${this.port}`,
        POBLYSH_PUBLIC_BASE_URL: this.base,
        POBLYSH_OPERATOR_TOKENS: OPERATOR,
        POBLYSH_CRYPTO_KEY: this.key,
        POBLYSH_DATABASE_URL: `sqlite://${this.folder}/store.db`,
        ...this.settings,
      },
    });
    const until = Date.now() + 30_000;
    while (!(await fetch(this.base + "/readyz").then((a) => a.ok, () => false))) {
      if (Date.now() > until || this.process.exitCode !== null) throw new Error("the service did not start");
      await pause(50);
    }
  }

  async stop(signal = "SIGTERM") {
    if (this.process.exitCode === null) {
      this.process.kill(signal);
      await once(this.process, "exit");
    }
  }

  async close() {
    await this.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async call(method, path, body, headers = {}) {
    const answer = await fetch(this.base + path, {
      method,
      headers: { authorization: `Bearer ${OPERATOR}`, ...(body && { "content-type": "application/json" }), ...headers },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : null;
  }

  async team(name, { flag = true } = {}) {
    const slug = "t-" + randomBytes(4).toString("hex");
    const { data } = await this.call("POST", "/api/v1/tenants", { name, slug });
    const team = new Team(this, data);
    if (flag !== null) await team.call("PUT", "/api/v1/flags/tracker_connectors", { enabled: flag });
    return team;
  }
}

export class Team {
  constructor(service, { id, slug, name }) {
    Object.assign(this, { service, id, slug, name });
  }
  call(method, path, body, headers = {}) {
    return this.service.call(method, path, body, { "x-tenant-id": this.id, ...headers });
  }
  project(name, slug = "p-" + randomBytes(4).toString("hex")) {
    return this.call("POST", "/api/v1/projects/", { name, slug, project_uuid: randomUUID() });
  }
  workPackage(project, wp, fields) {
    return this.call("PUT", `/api/v1/projects/${project.id}/work-packages/${wp}/`, fields);
  }
  snapshot(project, issues, mappings, more = {}) {
    const body = {
      provider: "linear", workspace: "acme-eng", doctrine_mode: "external_authoritative", doctrine_field_owners: {},
      project_uuid: project.project_uuid, project_slug: project.slug, issues, mappings,
      checkpoint: { cursor: randomUUID() }, ...more,
    };
    const key = createHash("sha256").update(JSON.stringify(body)).digest("hex");
    return this.call("POST", TRACKERS + "/snapshots/", body, { "idempotency-key": key });
  }
  /// Of clients that tell of their work packages as they go.
  events(project, ...events) {
    const whole = events.map(([event_type, payload, clock]) => ({
      event_id: randomUUID(), event_type, aggregate_id: payload.wp_id, aggregate_type: "WorkPackage", payload,
      node_id: "browser", lamport_clock: clock, timestamp: new Date().toISOString(),
      project_uuid: project.project_uuid, project_slug: project.slug,
    }));
    return this.call("POST", "/api/v1/events/batch/", { events: whole });
  }
  /// A one-time link, as Core asks for it: `{url, expires_at}`.
  door(roles = ["admin"], name = "Ana", return_path = "/dashboard/connectors") {
    return this.service.call("POST", "/api/v1/dashboard-sessions", { tenant_id: this.id, name, roles, return_path });
  }
}

/// What a client publishes of a tracker's workspace: `more` are members of the issue.
export function tracker(system, workspace, site) {
  return {
    issue: (id, status, title, more = {}) => ({
      ref: { system, workspace, id, key: id.toUpperCase(), url: `${site}/${id}` },
      title, body: null, status, issue_type: "task", priority: null, assignees: [], labels: [],
      updated_at: "2026-11-01T09:00:00Z", ...more,
    }),
    mapping: (wp_id, id) => ({
      wp_id, system, workspace, external_id: id, external_key: id.toUpperCase(), external_url: `${site}/${id}`,
    }),
  };
}
export const { issue, mapping } = tracker("linear", "acme-eng", "https://linear.app/acme");
