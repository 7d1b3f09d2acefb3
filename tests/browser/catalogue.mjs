// Every page in every state. `scene`: which of scenes.mjs; `path`: from it; `has` and `lacks`: test ids that must be
// there or must not; `roles`: of who looks, nobody in particular when null; `status` when it is not 200.
const PROJECT = ["project-title", "tracker-summary"];
const TRACKER_IDS = ["tracker-summary", "tracker-issue", "tracker-drift", "tracker-not-mapped", "tracker-ambiguous", "tracker-queue-count", "tracker-bind"];

const at = (project, rest = "") => `/dashboard/projects/${project.id}${rest}`;
const wp = (project, id, query = "") => at(project, `/work-packages/${id}${query}`);
const connection = (s, tab) => `/dashboard/connectors/${s.connection.id}${tab ? `?tab=${tab}` : ""}`;
const binding = (s, tab) => `/dashboard/connectors/bindings/${s.binding.id}${tab ? `?tab=${tab}` : ""}`;
const wizard = (c, query = "") => `/dashboard/connections/${c.id}/bindings/new${query}`;
const state = (name, scene, path, more = {}) => ({ name, scene, path: typeof path === "string" ? () => path : path, roles: ["admin"], has: [], lacks: [], ...more });

export const STATES = [
  state("login", "empty", "/dashboard/login?team=newcomers", { roles: null }),
  state("nothing-here", "empty", "/dashboard/connectors/no-such-connection", { status: 404 }),
  state("link-used-up", "empty", "/dashboard/enter/never-given-out", { roles: null, status: 404 }),

  state("connectors", "full", "/dashboard/connectors", { has: ["connector-row", "tracker-queue-count"] }),
  state("connectors-viewer", "full", "/dashboard/connectors", { roles: ["viewer"], has: ["connector-row"] }),
  state("connectors-empty", "empty", "/dashboard/connectors", { lacks: ["connector-row"] }),
  state("connectors-no-match", "full", "/dashboard/connectors?q=nothing+like+it", { lacks: ["connector-row"] }),
  state("connectors-flag-off", "flagless", "/dashboard/connectors", { has: ["connector-row"], lacks: TRACKER_IDS }),
  state("connectors-crowded", "crowded", "/dashboard/connectors"),

  state("connection", "full", (s) => connection(s), { has: ["connection", "traffic-row", "tracker-bind"] }),
  state("connection-viewer", "full", (s) => connection(s), { roles: ["viewer"], has: ["connection"], lacks: ["tracker-bind"] }),
  state("connection-bindings", "full", (s) => connection(s, "bindings")),
  state("connection-webhooks", "full", (s) => connection(s, "webhooks"), { has: ["delivery-row"] }),
  state("connection-jobs", "full", (s) => connection(s, "jobs")),
  state("connection-signals", "full", (s) => connection(s, "signals"), { has: ["signal-row"] }),
  state("connection-audit", "full", (s) => connection(s, "audit"), { has: ["audit-row"] }),
  state("connection-audit-viewer", "full", (s) => connection(s, "audit"), { roles: ["viewer"], lacks: ["audit-row"] }),
  state("connection-flag-off", "flagless", (s) => connection(s), { has: ["connection"], lacks: TRACKER_IDS }),

  state("queue", "full", "/dashboard/connectors/queue", { has: ["tracker-queue-row"] }),
  state("queue-empty", "empty", "/dashboard/connectors/queue", { lacks: ["tracker-queue-row"] }),
  state("queue-item", "full", (s) => `/dashboard/connectors/queue/${s.queued.id}`, { has: ["tracker-queue-item"] }),
  state("queue-item-viewer", "full", (s) => `/dashboard/connectors/queue/${s.queued.id}`, { roles: ["viewer"], has: ["tracker-queue-item"] }),
  state("queue-flag-off", "flagless", "/dashboard/connectors/queue", { status: 404, lacks: TRACKER_IDS }),
  state("bind", "full", "/dashboard/connectors/bindings/new", { has: ["tracker-place"] }),
  state("bind-empty", "empty", "/dashboard/connectors/bindings/new", { lacks: ["tracker-place"] }),
  state("bind-confirm", "full", (s) => `/dashboard/connectors/bindings/new?step=confirm&project=${s.unbound.id}&provider=linear&workspace=lost-and-found`),
  state("discover", "finding", (s) => wizard(s.found), { has: ["tracker-offers", "tracker-offer"] }),
  state("discover-many", "finding", (s) => wizard(s.many), { has: ["tracker-offer"] }),
  state("discover-search", "finding", (s) => wizard(s.many, "?search=place-004"), { has: ["tracker-offer"] }),
  state("discover-no-match", "finding", (s) => wizard(s.found, "?search=nowhere"), { has: ["tracker-offers"], lacks: ["tracker-offer"] }),
  state("discover-nothing", "finding", (s) => wizard(s.nothing), { has: ["tracker-offers"], lacks: ["tracker-offer"] }),
  state("discover-partial", "finding", (s) => wizard(s.partial), { has: ["tracker-offers-partial", "tracker-offer"] }),
  state("discover-refused", "finding", (s) => wizard(s.refused), { has: ["tracker-discovery-refused"], lacks: ["tracker-offers"] }),
  state("discover-without-consent", "full", (s) => wizard(s.connection), { has: ["tracker-discovery-refused"] }),
  state("discover-project", "finding", (s) => wizard(s.found, "?resource=ada%2Fwidgets"), { lacks: ["tracker-offer"] }),
  state("discover-confirm", "finding", (s) => wizard(s.found, `?resource=ada%2Fwidgets&step=confirm&project=${s.project.id}`), { lacks: ["tracker-offer"] }),
  state("discover-bound", "finding", (s) => wizard(s.found, "?resource=ada%2Ftaken"), { status: 409, has: ["tracker-offer"] }),
  state("discover-viewer", "finding", (s) => wizard(s.found), { roles: ["viewer"], status: 403, lacks: ["tracker-offers"] }),
  state("discover-flag-off", "flagless", (s) => wizard(s.connection), { status: 404, lacks: [...TRACKER_IDS, "tracker-offers"] }),
  state("binding", "full", (s) => binding(s), { has: ["tracker-binding", "tracker-binding-health"] }),
  state("binding-viewer", "full", (s) => binding(s), { roles: ["viewer"], has: ["tracker-binding"] }),
  state("binding-receipts", "full", (s) => binding(s, "receipts"), { has: ["tracker-binding"] }),
  state("binding-mappings", "full", (s) => binding(s, "mappings"), { has: ["tracker-binding"] }),
  state("binding-drift", "full", (s) => binding(s, "drift"), { has: ["tracker-binding"] }),

  state("projects", "full", "/dashboard/projects", { has: ["project-row"] }),
  state("projects-by-drift", "full", "/dashboard/projects?sort=drift", { has: ["project-row"] }),
  state("projects-empty", "empty", "/dashboard/projects", { lacks: ["project-row"] }),
  state("projects-flag-off", "flagless", "/dashboard/projects", { has: ["project-row"], lacks: TRACKER_IDS }),
  state("projects-crowded", "crowded", "/dashboard/projects", { has: ["project-row"] }),

  state("project-drifting", "full", (s) => at(s.drifting), { has: [...PROJECT, "wp-row", "tracker-drift-count"] }),
  state("project-viewer", "full", (s) => at(s.drifting), { roles: ["viewer"], has: PROJECT }),
  state("project-ahead", "full", (s) => at(s.ahead), { has: PROJECT }),
  state("project-healthy", "full", (s) => at(s.healthy), { has: PROJECT }),
  state("project-disconnected", "full", (s) => at(s.off), { has: PROJECT }),
  state("project-not-bound", "full", (s) => at(s.unbound), { has: PROJECT }),
  state("project-stale", "stale", (s) => at(s.project), { has: PROJECT }),
  state("project-crowded", "crowded", (s) => at(s.project), { has: [...PROJECT, "wp-row"] }),
  state("project-flag-off", "flagless", (s) => at(s.drifting), { has: ["project-title", "wp-row"], lacks: TRACKER_IDS }),

  state("work-package-drifting", "full", (s) => wp(s.drifting, "WP01"), { has: ["wp-title", "wp-lane", "tracker-issue", "tracker-drift"] }),
  state("work-package-in-step", "full", (s) => wp(s.healthy, "WP01"), { has: ["tracker-issue"], lacks: ["tracker-drift"] }),
  state("work-package-not-mapped", "full", (s) => wp(s.drifting, "WP03"), { has: ["tracker-not-mapped"], lacks: ["tracker-issue"] }),
  state("work-package-ambiguous", "full", (s) => wp(s.drifting, "WP04"), { has: ["tracker-ambiguous"] }),
  state("work-package-of-a-mission", "full", (s) => wp(s.drifting, "WP04", "?mission=alpha"), { has: ["wp-title"] }),
  state("work-package-missing-there", "full", (s) => wp(s.drifting, "WP05"), { has: ["tracker-issue", "tracker-drift"] }),
  state("work-package-contested", "full", (s) => wp(s.drifting, "WP06"), { has: ["tracker-issue", "tracker-drift"] }),
  state("work-package-flag-off", "flagless", (s) => wp(s.drifting, "WP01"), { has: ["wp-title"], lacks: TRACKER_IDS }),

  state("activity", "full", "/dashboard/activity", { has: ["activity-row"] }),
  state("activity-empty", "empty", "/dashboard/activity?type=GatePassed", { lacks: ["activity-row"] }),
  state("activity-of-a-project", "full", (s) => `/dashboard/activity?project=${s.drifting.id}`, { has: ["activity-row"] }),
  state("activity-search", "full", "/dashboard/activity?q=wp01&provider=linear&from=2020-01-01", { has: ["activity-row"] }),
  state("activity-crowded", "crowded", "/dashboard/activity", { has: ["activity-row"] }),
  state("activity-flag-off", "flagless", "/dashboard/activity", { has: ["activity-row"] }),
];
