// Holds config/providers/*.yaml against what the providers publish themselves: the OpenAPI description of GitHub, and the
// generated types of the others' clients. Every call of a definition is looked up, with its parameters and with the members
// of the answer that the definition reads; what nobody publishes in a package is listed in `unpublished`, with the reason.
import { readdirSync, readFileSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import { callsOf, queriesOf, webhooksOf } from "./definition.mjs";
import { GitHub } from "./github.mjs";
import { clientPaths, graphqlFacts, judge, typeFacts } from "./types.mjs";

const folder = new URL("../../config/providers/", import.meta.url);
const unpublished = {
  "jira GET /oauth/token/accessible-resources": "no client package has Atlassian's account API",
  "jira GET /me": "no client package has Atlassian's account API",
  "jira GET /rest/api/3/search/jql issues[].fields.project.key": "jira.js has only some of the system fields in its types",
  "zoho-mail GET /api/accounts": "Zoho Mail publishes no schema in a package",
  "zoho-mail GET /api/accounts/{}/messages/view": "Zoho Mail publishes no schema in a package",
};

const problems = [];
const github = new GitHub();
const paths = clientPaths();
const types = [];
const used = new Set();
const excused = (key) => key in unpublished && used.add(key);
const counts = { calls: 0, webhooks: 0 };

for (const name of readdirSync(folder).filter((n) => n.endsWith(".yaml"))) {
  const definition = parseYaml(readFileSync(new URL(name, folder), "utf8"), { merge: true });
  if (definition.local_only) continue;
  const { slug } = definition;
  for (const query of queriesOf(definition)) {
    types.push(...graphqlFacts(slug, query));
    ++counts.calls;
  }
  for (const call of callsOf(definition)) {
    ++counts.calls;
    const key = `${slug} ${call.method} ${call.path}`;
    used.add(key);
    if (unpublished[key]) continue;
    call.reads = call.reads.filter((paths) => !paths.some((path) => excused(`${key} ${path}`)));
    if (slug === "github") problems.push(...github.check(call));
    else if (!paths(slug, call.path)) problems.push(`${key}: no client of the provider knows this path`);
    else types.push(...typeFacts(key, call, problems));
  }
  if (slug === "github")
    for (const event of webhooksOf(definition)) {
      ++counts.webhooks;
      problems.push(...github.checkWebhook(event));
    }
}
for (const key of Object.keys(unpublished)) if (!used.has(key)) problems.push(`${key}: is excused, but no definition calls it`);

// What must be found wrong, or the judges are asleep.
const wrong = { where: "canary", method: "GET", path: "/issues", query: ["no_such"], reads: [["[].no_such"]] };
const canaries = ["drive_v3.Schema$ChangeList", "GL.IssueSchema", "JiraModels.Issue", "L.Issue"]
  .map((type) => ({ what: "canary", types: [`At<${type}, "no_such">`] }));
const judged = judge([...types, ...canaries]);
problems.push(...judged.filter((p) => !p.startsWith("canary")));
if (judged.filter((p) => p.startsWith("canary")).length !== canaries.length || github.check(wrong).length !== 2)
  problems.push("a name that does not exist was not found out");

for (const problem of problems) console.error(problem);
console.log(`${counts.calls} calls, ${counts.webhooks} webhooks, ${types.length} names in types, ${problems.length} problems`);
process.exit(problems.length === 0 && counts.calls > 15 && types.length > 60 ? 0 : 1);
