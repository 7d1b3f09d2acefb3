// A small Core: it knows its users, and mediates between them and the connectors service. A frontend sees these
// routes and nothing else; the operator token and the tenant's id never leave the server.
import express, { type Request, type Response } from "express";
import createClient from "openapi-fetch";
import type { components, paths } from "./connectors.js";

export type User = { name: string; tenantId: string; admin: boolean };
export type Settings = { connectorsUrl: string; operatorToken: string; session: (request: Request) => User | undefined };

type Problem = components["schemas"]["ApiError"];

/// What a frontend is told of a failure: a code to branch on, whether to try again, and an id for support.
function pass(problem: Problem | undefined, status: number, response: Response) {
  if (problem?.retry_after) response.set("Retry-After", String(problem.retry_after));
  const code = problem?.code ?? "INTERNAL_SERVER_ERROR";
  response.status(status >= 500 ? 503 : status).json({ code, trace_id: problem?.trace_id ?? null });
}

export function core({ connectorsUrl, operatorToken, session }: Settings) {
  const connectors = createClient<paths>({
    baseUrl: connectorsUrl,
    headers: { authorization: `Bearer ${operatorToken}` },
  });
  const app = express();
  app.use(express.json());

  // Everything below is for somebody who is signed in. The tenant is the session's, whatever the browser sends.
  app.use((request, response, next) => {
    const user = session(request);
    if (!user) return void response.status(401).json({ code: "SIGN_IN" });
    response.locals.user = user;
    response.locals.of = { "X-Tenant-Id": user.tenantId };
    next();
  });
  const administrators = (_: Request, response: Response, next: () => void) =>
    (response.locals.user as User).admin ? next() : void response.status(403).json({ code: "ASK_AN_ADMINISTRATOR" });

  app.get("/integrations", async (_, response) => {
    const { data, error, response: answer } = await connectors.GET("/providers");
    if (!data) return pass(error, answer.status, response);
    response.json(data.providers.filter((p) => p.configured).map(({ name, display_name }) => ({ name, display_name })));
  });

  app.post("/integrations/:provider/connect", administrators, async (request, response) => {
    const { data, error, response: answer } = await connectors.POST("/connect/{provider}", {
      params: { path: { provider: request.params.provider as string }, header: response.locals.of },
    });
    if (!data) return pass(error, answer.status, response);
    response.json({ go_to: data.authorize_url });
  });

  app.get("/connections", async (_, response) => {
    const { data, error, response: answer } = await connectors.GET("/connections", {
      params: { header: response.locals.of, query: { status: "all" } },
    });
    if (!data) return pass(error, answer.status, response);
    response.json(
      data.connections
        .filter((c) => c.status !== "revoked")
        .map((c) => ({ id: c.id, provider: c.provider, name: c.display_name, needs_attention: c.status === "error" })),
    );
  });

  app.delete("/connections/:id", administrators, async (request, response) => {
    const { error, response: answer } = await connectors.DELETE("/connections/{id}", {
      params: { path: { id: request.params.id as string }, header: response.locals.of },
    });
    if (!answer.ok) return pass(error, answer.status, response);
    response.status(204).end();
  });

  app.get("/timeline", async (request, response) => {
    const cursor = typeof request.query.cursor === "string" ? { cursor: request.query.cursor } : {};
    const { data, error, response: answer } = await connectors.GET("/signals", {
      params: { header: response.locals.of, query: { limit: 50, ...cursor } },
    });
    if (!data) return pass(error, answer.status, response);
    response.json({
      events: data.signals.map((s) => ({ id: s.id, what: s.kind, where: s.provider_slug, at: s.occurred_at })),
      more: data.next_cursor,
    });
  });
  return app;
}
