// What a definition asks of its provider, and which members of the answers it reads.

/** "{a.b|tail}#{c}" reads a.b and c; what is not of the answer (headers, $names, other roots) is left out. */
function lookups(text) {
  return [...String(text).matchAll(/\{([^{}]+)\}/g)].map((m) => clean(m[1])).filter(Boolean);
}

/** Path without filter and with [] for every index; nothing when it is not a path into the answer. */
function clean(path) {
  if (/^(\$|header:|data:)/.test(path)) return null;
  return path.split("|")[0].replace(/\[[^\]]*\]/g, "[]");
}

const list = (value) => (value === undefined || value === null ? [] : Array.isArray(value) ? value : [value]);

/** A list of alternatives for each thing that a shape looks up. */
function choices(shape) {
  const texts = [shape.entity, shape.title, shape.url, shape.key, shape.actor?.id, shape.actor?.name];
  for (const value of Object.values(shape.fields ?? {})) texts.push(value);
  const out = texts.map((t) => list(t).flatMap(lookups));
  out.push(times(shape.occurred_at), list(shape.raw).map(clean).filter(Boolean));
  return out.filter((alternatives) => alternatives.length > 0);
}

const times = (value) => list(value).flatMap((t) => Object.values(t)).map(clean).filter(Boolean);

function call(where, request, reads = []) {
  const url = new URL(request.url.replace(/\{region\.[a-z]+\}/, "region.example"));
  const path = decodeURIComponent(url.pathname).replace(/^\/ex\/jira\/\{[^}]+\}/, "").replace(/\{[^}]+\}/g, "{}");
  const query = [...url.searchParams.keys(), ...Object.keys(request.query ?? {})];
  return { where, method: request.method ?? "GET", path, query, reads };
}

function accountCalls({ account }) {
  const read = [account.external_id, account.display_name, ...Object.values(account.metadata ?? {})].flatMap(list).flatMap(lookups);
  return list(account.calls).filter((c) => !c.body).map((c) => {
    const own = read.filter((p) => p.match(/^[a-z]+/)[0] === c.name).map((p) => p.slice(c.name.length).replace(/^\./, ""));
    return call(`oauth.account.${c.name}`, c, own.filter(Boolean).map((p) => [p]));
  });
}

/** What the section `tracker` reads of an issue: alternatives for each thing, as they are written. */
function issueReads({ belongs_to, issue, maps }) {
  const { updated_at, deleted, assignees, labels, ...texts } = issue;
  const out = [...Object.values(texts), belongs_to.resource, belongs_to.workspace].map((t) => list(t).flatMap(written));
  out.push(list(assignees), list(labels), list(updated_at).flatMap((t) => Object.values(t)), Object.keys(deleted ?? {}));
  for (const { of, cases } of Object.values(maps)) {
    out.push(list(of).flatMap(written));
    for (const { when } of cases ?? []) out.push(...Object.keys(when).map((path) => [path]));
  }
  return out;
}

const written = (text) => [...String(text).matchAll(/\{([^{}]+)\}/g)].map((m) => m[1]);
const places = (alternatives, prefix) => alternatives.map(clean).filter(Boolean).map((p) => `${prefix}.${p}`);

function discoveryCall({ resource }) {
  const { request, records } = resource.discover, prefix = records === "$body" ? "[]" : `${records}[]`;
  const read = [resource.id, resource.workspace, resource.label].flatMap(list).flatMap(written);
  return call("tracker.resource.discover", request, read.flatMap((r) => places([r], prefix)).map((p) => [p]));
}

function streamCalls(sync, stream, tracker) {
  const at = `sync.${stream.name}`, out = [];
  const reads = [stream.page?.token, stream.cursor.answer].filter(Boolean).map((p) => [clean(p)]);
  // Parts and details change what a shape looks at; their recordings have to do.
  if (!stream.parts && !stream.detail) {
    const prefix = stream.records === "$body" ? "[]" : `${stream.records}[]`;
    const shapes = new Set(stream.rules.map((r) => r.as).filter(Boolean));
    const wanted = [...shapes].flatMap((s) => choices(sync.shapes[s]));
    wanted.push(times(stream.cursor.newest));
    reads.push(...wanted.filter((w) => w.length > 0).map((w) => w.map((p) => `${prefix}.${p}`)));
    if (list(tracker?.sync).some((source) => list(source.when.$event).includes(stream.name)))
      reads.push(...issueReads(tracker).map((w) => places(w, prefix)).filter((w) => w.length > 0));
  }
  if (!stream.request.graphql) out.push(call(at, stream.request, reads));
  const { baseline, detail } = stream, zone = stream.since?.zone;
  if (baseline?.request) out.push(call(`${at}.baseline`, baseline.request, [[baseline.answer ?? stream.cursor.answer]]));
  if (detail) out.push(call(`${at}.detail`, detail.request));
  if (zone) out.push(call(`${at}.since.zone`, zone.request, [[zone.name]]));
  return out;
}

export function callsOf({ oauth, sync, tracker }) {
  const revoke = oauth?.revoke?.url.includes("/applications/") ? [call("oauth.revoke", oauth.revoke)] : [];
  return [...(oauth ? accountCalls(oauth) : []), ...revoke,
    ...(sync?.streams ?? []).flatMap((s) => streamCalls(sync, s, tracker)),
    ...(tracker && !tracker.resource.discover.request.graphql ? [discoveryCall(tracker)] : [])];
}

export function queriesOf({ oauth, sync, tracker }) {
  const bodies = list(oauth?.account.calls).filter((c) => c.body).map((c) => JSON.parse(c.body).query);
  const requests = [...(sync?.streams ?? []).map((s) => s.request), tracker?.resource.discover.request];
  return [...bodies, ...requests.map((r) => r?.graphql).filter(Boolean)];
}

/** Event and action of every rule, with what its shape and the tracker read of the delivery. */
export function webhooksOf({ webhook, tracker }) {
  const actions = (when) => (when.action ? list(when.action) : [null]);
  const rules = webhook.rules.flatMap(({ when, kind, as }) => actions(when).map((action) => ({
    where: `webhook.rules ${kind}`, event: when.$event, action, reads: choices(webhook.shapes[as]),
  })));
  const known = (event) => rules.filter((r) => r.event === event).map((r) => r.action);
  const reads = (at) => issueReads(tracker)
    .map((w) => w.map((p) => (p.startsWith("data:") ? clean(p.slice(5)) : clean(p) && `${at}.${clean(p)}`)).filter(Boolean))
    .filter((w) => w.length > 0);
  const issues = list(tracker?.webhook).flatMap(({ when, at }) => list(when.$event).flatMap((event) =>
    (when.action ? list(when.action) : known(event)).map((action) => ({
      where: "tracker.webhook", event, action, reads: reads(at),
    }))));
  return [...rules, ...issues];
}
