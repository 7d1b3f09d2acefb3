// Teams in every state that a page can show.
import { createHmac, randomUUID } from "node:crypto";
import { issue, mapping, tracker, TRACKERS } from "./service.mjs";

const OURS = "spec_kitty_authoritative";

const binding = async (team, project) =>
  (await team.call("GET", `${TRACKERS}/bindings/?project=${project.id}`)).items[0];

/// A project whose tracker is ahead, behind, silent about some work packages and in doubt about others.
async function drifting(team) {
  const p = await team.project("Spec Kitty", "spec-kitty");
  await team.workPackage(p, "WP01", { title: "Land the parser", lane: "done", assignee: "ana", priority: 1 });
  await team.workPackage(p, "WP02", { title: "Write the guide", lane: "in_progress", assignee: "ben", priority: 2 });
  await team.workPackage(p, "WP03", { title: "Tell the world", lane: "planned" });
  for (const mission_slug of ["alpha", "beta"]) await team.workPackage(p, "WP04", { title: `Measure ${mission_slug}`, lane: "claimed", mission_slug });
  await team.workPackage(p, "WP05", { title: "Retire the old importer", lane: "for_review" });
  await team.workPackage(p, "WP06", { title: "Second claim on the guide", lane: "in_progress" });
  const all = [
    issue("eng-1", "in_progress", "Parser", { assignees: ["carol"], labels: ["bug", "parser"], priority: 3 }),
    issue("eng-2", "in_progress", "Write the guide", { assignees: ["Ben"], priority: 2 }),
    issue("eng-3", "todo", "Not ours"), issue("eng-4", "todo", "Measure"), issue("eng-5", "in_review", "Retire the old importer"),
  ];
  const rows = [mapping("WP01", "eng-1"), mapping("WP02", "eng-2"), mapping("WP04", "eng-4"), mapping("WP05", "eng-5"),
    mapping("WP06", "eng-2"), mapping("WP99", "eng-3")];
  await team.snapshot(p, all, rows);
  for (const n of [1, 2]) await team.snapshot(p, all.slice(0, 4), rows, { checkpoint: { cursor: String(n), updated_since: null } });
  return p;
}

/// A project whose own side is in front.
async function ahead(team) {
  const p = await team.project("Widget shop", "widget-shop");
  await team.workPackage(p, "WP01", { title: "Checkout", lane: "done" });
  const jira = tracker("jira", "SHOP", "https://acme.atlassian.net/browse");
  await team.snapshot(p, [jira.issue("shop-1", "todo", "Checkout")], [jira.mapping("WP01", "shop-1")],
    { provider: "jira", workspace: "SHOP", doctrine_mode: OURS });
  return p;
}

async function healthy(team) {
  const p = await team.project("In step", "in-step");
  await team.workPackage(p, "WP01", { title: "Agreed", lane: "done" });
  await team.snapshot(p, [issue("step-1", "done", "Agreed")], [mapping("WP01", "step-1")]);
  return p;
}

async function switched_off(team) {
  const p = await team.project("Switched off", "switched-off");
  await team.snapshot(p, [issue("off-1", "todo", "Nobody looks")], []);
  await team.call("PATCH", `${TRACKERS}/bindings/${(await binding(team, p)).id}/`, { state: "disabled" });
  return p;
}

/// Delivers what GitHub tells of an issue of that number to a connection.
export async function hook(team, id) {
  const { webhook_secret } = await team.call("POST", `/connections/${id}/webhook-secret`);
  return (number) => {
    const body = JSON.stringify({ action: "opened", issue: { number, title: `Issue ${number}`, updated_at: "2026-11-01T09:00:00Z" },
      repository: { full_name: "octo/works" }, sender: { login: "ana" } });
    return fetch(`${team.service.base}/webhooks/github/${team.id}`, { method: "POST", body, headers: signed(body, webhook_secret, "issues") });
  };
}

/// A connection with deliveries: `id` of the connection, `deliveries` newest first.
async function connection(team) {
  const made = await team.call("POST", "/connections", { provider: "github", external_id: "4711", display_name: "Octo Works" });
  const deliver = await hook(team, made.id);
  for (const number of [1, 2, 3]) await deliver(number);
  return { ...made, deliveries: (await team.call("GET", "/deliveries")).deliveries };
}

/// Results of a check, as GitHub tells a gate of them.
async function checked(gate, ...conclusions) {
  for (const [id, conclusion] of conclusions.entries()) {
    const body = JSON.stringify({ action: "completed", repository: { full_name: gate.repo_full_name },
      check_run: { id, name: "unit tests", conclusion, head_sha: "0".repeat(40) } });
    await fetch(gate.webhook_url, { method: "POST", body, headers: signed(body, gate.webhook_secret, "check_run") });
  }
}

const signed = (body, secret, event) => ({
  "content-type": "application/json", "x-github-event": event, "x-github-delivery": randomUUID(),
  "x-hub-signature-256": "sha256=" + createHmac("sha256", secret).update(body).digest("hex"),
});

/// Everything at once.
export async function full(service, options) {
  const team = await service.team("Octo Works", options);
  if (options?.flag === false) await team.call("PUT", "/api/v1/flags/tracker_connectors", { enabled: true });
  const scene = { team, drifting: await drifting(team), ahead: await ahead(team), healthy: await healthy(team),
    off: await switched_off(team), unbound: await team.project("Unbound", "unbound") };
  await team.workPackage(scene.unbound, "WP01", { title: "Alone", lane: "blocked" });
  await team.snapshot({ project_uuid: null, project_slug: null }, [issue("lost-1", "todo", "Whose is this?")], [], { workspace: "lost-and-found" });
  scene.gate = await team.call("POST", "/api/v1/connectors/github/", { project_id: scene.drifting.id, repo_full_name: "octo/works" });
  scene.connection = await connection(team);
  await checked(scene.gate, "failure", "success");
  await team.events(scene.drifting, ["WPAssigned", { wp_id: "WP02", agent_id: "ben" }, 1],
    ["WPStatusChanged", { wp_id: "WP02", from_lane: "claimed", to_lane: "in_progress" }, 2]);
  scene.binding = await binding(team, scene.drifting);
  scene.queued = (await team.call("GET", `${TRACKERS}/queue/`)).items[0];
  if (options?.flag === false) await team.call("PUT", "/api/v1/flags/tracker_connectors", { enabled: false });
  return scene;
}

/// Connections whose accounts have something, much, nothing, or are not to be asked; one resource is bound.
export async function finding(service, providers) {
  const team = await service.team("Finders");
  const scene = { team, project: await team.project("Finders", "finders") };
  const account = async (name, resources, fault) => {
    await providers.tell("resources", { provider: "github", account: name, ...resources });
    if (fault) await providers.tell("faults", { provider: "github", operation: "discover", account: name, times: 0, ...fault });
    return providers.consent(team, "github", name);
  };
  scene.found = await account("ada", { names: ["widgets", "gadgets", "taken"] });
  scene.many = await account("bob", { count: 5000 });
  scene.nothing = await account("cy", { names: [] });
  scene.partial = await account("dan", { count: 10 }, { endless_pages: true });
  scene.refused = await account("eve", { count: 10 }, { status: 403 });
  await team.call("POST", `${TRACKERS}/bindings/`, { project_id: scene.project.id, provider: "github", workspace: "ada",
    resources: [{ resource_type: "github_repo", resource_id: "ada/taken" }] });
  return scene;
}

export async function empty(service) {
  return { team: await service.team("Newcomers") };
}

/// More than a page of everything.
export async function crowded(service) {
  const team = await service.team("Crowd");
  const project = await team.project("Crowded", "crowded");
  const ids = Array.from({ length: 70 }, (_, n) => String(n + 1).padStart(2, "0"));
  await team.events(project, ...ids.map((n, at) => ["WPCreated", { wp_id: "WP" + n, title: `Piece ${n}` }, at]));
  for (const n of ids) await team.project(`Project ${n}`, `project-${n}`);
  await team.snapshot(project, ids.map((n) => issue("c-" + n, "in_progress", `Piece ${n}`)), ids.map((n) => mapping("WP" + n, "c-" + n)));
  return { team, project };
}

/// A tracker that has been silent for longer than the service takes for long.
export async function stale(service) {
  const team = await service.team("Sleepers");
  const project = await ahead(team);
  while ((await team.call("GET", `/api/v1/projects/${project.id}/`)).tracker.health !== "stale") await new Promise((done) => setTimeout(done, 100));
  return { team, project };
}
