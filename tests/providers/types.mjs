// The generated types of the providers' clients as a schema: every name that a definition uses becomes a type that only
// compiles when the name is there. Paths are looked up in the clients' code.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse as parseGraphql } from "graphql";
import ts from "typescript";
import { steps } from "./github.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const modules = join(here, "node_modules");
const camel = (name) => name.replace(/_([a-z])/g, (_, c) => c.toUpperCase());

// Parameters and answer of each call.
const published = {
  "gitlab GET /api/v4/user": ["{}", "GL.ExpandedUserSchema"],
  "gitlab GET /api/v4/issues": ["GL.AllIssuesOptions & GL.PaginationRequestOptions<'offset'>", "GL.IssueSchema[]", camel],
  "gitlab GET /api/v4/merge_requests":
    ["GL.AllMergeRequestsOptions & GL.PaginationRequestOptions<'offset'>", "GL.MergeRequestSchema[]", camel],
  "gitlab GET /api/v4/projects":
    ["GL.AllProjectsOptions & GL.PaginationRequestOptions<'offset'>", "GL.ProjectSchema[]", camel],
  "google-drive GET /drive/v3/about": ["drive_v3.Params$Resource$About$Get", "drive_v3.Schema$About"],
  "google-drive GET /drive/v3/changes/startPageToken":
    ["drive_v3.Params$Resource$Changes$Getstartpagetoken", "drive_v3.Schema$StartPageToken"],
  "google-drive GET /drive/v3/changes": ["drive_v3.Params$Resource$Changes$List", "drive_v3.Schema$ChangeList"],
  "google-calendar GET /calendar/v3/calendars/primary":
    ["calendar_v3.Params$Resource$Calendars$Get", "calendar_v3.Schema$Calendar"],
  "google-calendar GET /calendar/v3/calendars/primary/events":
    ["calendar_v3.Params$Resource$Events$List", "calendar_v3.Schema$Events"],
  "gmail GET /gmail/v1/users/me/profile": ["gmail_v1.Params$Resource$Users$Getprofile", "gmail_v1.Schema$Profile"],
  "gmail GET /gmail/v1/users/me/history":
    ["gmail_v1.Params$Resource$Users$History$List", "gmail_v1.Schema$ListHistoryResponse"],
  "gmail GET /gmail/v1/users/me/messages/{}": ["gmail_v1.Params$Resource$Users$Messages$Get", "gmail_v1.Schema$Message"],
  "jira GET /rest/api/3/search/jql":
    ["JiraParameters.SearchForIssuesUsingJqlEnhancedSearch", "JiraModels.SearchAndReconcileResults"],
  "jira GET /rest/api/3/project/search": ["JiraParameters.SearchProjects", "JiraModels.PageProject"],
  "jira GET /rest/api/3/myself": ["{}", "JiraModels.User"],
};

const prelude = `
import type * as GL from "@gitbeaker/core";
import type { drive_v3 } from "@googleapis/drive";
import type { calendar_v3 } from "@googleapis/calendar";
import type { gmail_v1 } from "@googleapis/gmail";
import type * as JiraModels from "jira.js/version3/models";
import type * as JiraParameters from "jira.js/version3/parameters";
import type { LinearDocument as L } from "@linear/sdk";
type Known<T> = keyof { [K in keyof NonNullable<T> as string extends K ? never : number extends K ? never : K]: 1 };
type At<T, K extends Known<T>> = NonNullable<T>[K & keyof NonNullable<T>];
type Item<T extends readonly unknown[] | null | undefined> = NonNullable<T>[number];
`;

const member = (type, step) => (step === "[]" ? `Item<${type}>` : `At<${type}, "${step}">`);

export function typeFacts(key, { where, query, reads }, problems) {
  if (!published[key]) return problems.push(`${key}: is in no table of published calls`), [];
  const [parameters, answer, spelled = (name) => name] = published[key];
  return [
    ...query.map((name) => ({ what: `${key} ${where}: parameter ${name}`, types: [member(parameters, spelled(name))] })),
    ...reads.map((paths) => ({
      what: `${key} ${where}: ${paths.join(", ")}`,
      types: paths.map((path) => steps(path).reduce(member, answer)),
    })),
  ];
}

/** Every field and argument of a query. */
export function graphqlFacts(slug, text) {
  const out = [];
  const visit = (selections, type, args, at) => {
    for (const field of selections) {
      const name = field.name.value, own = member(type, name);
      out.push({ what: `${slug} query: ${at}${name}`, types: [own] });
      for (const argument of field.arguments) out.push({
        what: `${slug} query: ${at}${name}(${argument.name.value})`,
        types: [member(args(name), argument.name.value)],
      });
      if (field.selectionSet) {
        const isList = name === "nodes";
        visit(field.selectionSet.selections, isList ? `Item<${own}>` : own, () => "{}", `${at}${name}.`);
      }
    }
  };
  const root = (name) => `L.Query${name[0].toUpperCase()}${name.slice(1)}Args`;
  for (const { selectionSet } of parseGraphql(text).definitions) visit(selectionSet.selections, "L.Query", root, "");
  return out;
}

/** The facts of which no type compiles. */
export function judge(facts) {
  const lines = facts.flatMap((fact, i) => fact.types.map((type, k) => ({ i, text: `export type F${i}_${k} = ${type};` })));
  const file = join(here, "facts.ts"), text = prelude + lines.map((l) => l.text).join("\n");
  const options = { strict: true, noEmit: true, skipLibCheck: true, target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext, moduleResolution: ts.ModuleResolutionKind.NodeNext, types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, options.target) : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  const first = prelude.split("\n").length - 1, broken = new Set(), out = [];
  for (const d of program.getSemanticDiagnostics(program.getSourceFile(file))) {
    const line = d.file.getLineAndCharacterOfPosition(d.start).line - first;
    if (line < 0) out.push(`the published types: ${ts.flattenDiagnosticMessageText(d.messageText, " ")}`);
    else broken.add(line);
  }
  const good = new Set(lines.filter((_, line) => !broken.has(line)).map((l) => l.i));
  return out.concat(facts.filter((_, i) => !good.has(i)).map((f) => `${f.what} is not published`));
}

/** Whether a client of the provider has the path; GitLab's puts it together from its last part. */
export function clientPaths() {
  const read = (...at) => readFileSync(join(modules, ...at), "utf8");
  const jira = join(modules, "jira.js/dist/esm/version3");
  const sources = {
    gitlab: read("@gitbeaker/core/dist/index.js"),
    gmail: read("@googleapis/gmail/build/v1.js"),
    "google-calendar": read("@googleapis/calendar/build/v3.js"),
    "google-drive": read("@googleapis/drive/build/v3.js"),
    jira: readdirSync(jira).filter((n) => n.endsWith(".mjs")).map((n) => readFileSync(join(jira, n), "utf8")).join("\n"),
  };
  return (slug, path) => {
    if (slug === "gitlab") return sources.gitlab.includes(`"${path.replace("/api/v4/", "")}"`);
    const texts = [...(sources[slug] ?? "").matchAll(/['"`](\/[a-z]+\/[^'"`\s]+)['"`]/g)].map((m) => m[1].split("/"));
    const wanted = path.split("/");
    return texts.some((t) => t.length === wanted.length && t.every((s, i) => s === wanted[i] || s.includes("{")));
  };
}
