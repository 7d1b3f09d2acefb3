// A team behind the dashboard: projects bound to repositories of GitHub's recordings, which agree with their
// issues in part. The issues are the recorded ones; the team's own side, its work packages, is played.

import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { deliveryId, digest } from "./api.mjs";

const TRACKERS = "/api/v1/connectors/trackers";
const HELLO = "Codertocat/Hello-World", OCTO = "octo-org/octo-repo", NPM = "Codertocat/hello-world-npm";

/// What a client that follows a repository would publish of an issue.
const published = (repository, issue) => ({
  ref: { system: "github", workspace: repository, id: String(issue.number), key: `${repository}#${issue.number}`, url: issue.html_url },
  title: issue.title,
  body: issue.body,
  status: issue.state === "closed" ? "done" : "todo",
  issue_type: issue.labels.some((l) => l.name === "bug") ? "bug" : "task",
  priority: null,
  assignees: issue.assignees.map((a) => a.login),
  labels: issue.labels.map((l) => l.name),
  updated_at: issue.updated_at,
});

const mapped = (wp_id, { ref }) => ({
  wp_id, system: ref.system, workspace: ref.workspace, external_id: ref.id, external_key: ref.key, external_url: ref.url,
});

export class DemoTeam {
  /// examples: of @octokit/webhooks-examples.
  constructor(api, tenant, examples) {
    Object.assign(this, { api, tenant, ticks: 0 });
    const recorded = (event, action, repository) => examples.find((e) => e.name === event).examples
      .find((p) => p.action === action && p.repository.full_name === repository);
    const issue = (action, repository) => published(repository, recorded("issues", action, repository).issue);
    this.spelling = [issue("reopened", HELLO), issue("deleted", HELLO)];  // open, and as it was closed
    this.readme = issue("milestoned", HELLO);
    this.manifest = issue("transferred", OCTO);
    this.checks = examples.find((e) => e.name === "check_run").examples
      .filter((p) => p.action === "completed" && p.repository.full_name === HELLO);
  }

  call(method, path, body, headers) {
    return this.api.call(method, path, { tenant: this.tenant, body, headers });
  }

  snapshot(project, workspace, issues, mappings, doctrine_mode) {
    const body = {
      provider: "github", workspace, doctrine_mode, doctrine_field_owners: {}, issues, mappings,
      project_uuid: project?.project_uuid ?? null, project_slug: project?.slug ?? null,
      checkpoint: { cursor: String(this.ticks), updated_since: null },
    };
    return this.call("POST", `${TRACKERS}/snapshots/`, body, { "idempotency-key": digest(JSON.stringify(body)) });
  }

  project(name, slug) {
    return this.call("POST", "/api/v1/projects/", { name, slug, project_uuid: randomUUID() });
  }

  workPackage(project, wp, members) {
    return this.call("PUT", `/api/v1/projects/${project.id}/work-packages/${wp}/`, members);
  }

  async found() {
    await this.call("PUT", "/api/v1/flags/tracker_connectors", { enabled: true });
    this.hello = await this.project("Hello World", "hello-world");
    this.octo = await this.project("Octo repo", "octo-repo");
    await this.project("Not bound to anything yet", "unbound");
    await this.workPackage(this.hello, "WP01", { title: this.spelling[0].title, lane: "done", assignee: "Codertocat" });
    await this.workPackage(this.hello, "WP02", { title: "Rewrite the README", lane: "in_progress", assignee: "demo" });
    await this.workPackage(this.hello, "WP03", { title: "Tell the world", lane: "planned" });
    await this.workPackage(this.octo, "WP01", { title: this.manifest.title, lane: "in_review" });
    await this.snapshot(this.octo, OCTO, [this.manifest], [mapped("WP01", this.manifest)], "spec_kitty_authoritative");
    await this.snapshot(null, NPM, [], [], "external_authoritative");  // nobody's yet: it waits in the queue
    await this.gates();
    await this.tick();
  }

  async gates() {
    const gate = await this.call("POST", "/api/v1/connectors/github/", { project_id: this.hello.id, repo_full_name: HELLO });
    const path = new URL(gate.webhook_url).pathname;
    for (const payload of this.checks) {
      const body = JSON.stringify(payload);
      await this.api.deliver(path, gate.webhook_secret, { event: "check_run", id: deliveryId("check_run", body), body });
    }
  }

  /// One step of the team's life: a work package moves on, and its client publishes what GitHub says now.
  async tick() {
    const lanes = ["in_progress", "for_review", "in_review", "approved"];
    const event = {
      event_id: randomUUID(), event_type: "WPStatusChanged", aggregate_id: "WP02", aggregate_type: "WorkPackage",
      payload: { wp_id: "WP02", from_lane: lanes.at((this.ticks - 1) % 4), to_lane: lanes[this.ticks % 4] },
      node_id: "demo", lamport_clock: this.ticks, timestamp: new Date().toISOString(),
      project_uuid: this.hello.project_uuid, project_slug: this.hello.slug,
    };
    await this.call("POST", "/api/v1/events/batch/", { events: [event] });
    const issues = [this.spelling[this.ticks % 2], this.readme];
    await this.snapshot(this.hello, HELLO, issues, [mapped("WP01", issues[0]), mapped("WP02", this.readme)], "external_authoritative");
    this.ticks++;
  }

  /// A step now and then, until the service goes.
  async live(every) {
    for (;;) {
      await pause(every);
      await this.tick();
    }
  }

  async health(project) {
    return (await this.call("GET", `/api/v1/projects/${project.id}/`)).tracker.health;
  }

  /// Open differences.
  drift() {
    return this.api.all(`${TRACKERS}/drift/`, "items", this.tenant);
  }

  async gate_rows() {
    return (await this.call("GET", "/api/v1/activity/?type=GatePassed,GateFailed")).items;
  }

  /// Steps until the repository that sends no more snapshots counts as stale, or 30 s are over.
  async until_stale(every) {
    for (const end = Date.now() + 30_000; Date.now() < end && (await this.health(this.octo)) !== "stale";) {
      await pause(every);
      await this.tick();
    }
  }

  async door(return_path) {
    const body = { tenant_id: this.tenant, name: "you", roles: ["admin"], return_path };
    return (await this.api.call("POST", "/api/v1/dashboard-sessions", { body })).url;
  }
}
