// Authorization servers that others wrote, on ports of their own: oidc-provider, which shows login and consent forms and
// revokes a grant whose refresh token comes twice, and oauth2-mock-server. The first line on stdout tells where they are;
// POST /control/<order> of the first steers them. They end with stdin.
import http from 'node:http';
import { once } from 'node:events';
import { OAuth2Server } from 'oauth2-mock-server';
import Provider from 'oidc-provider';

const redirects = JSON.parse(process.argv[2]); // by client id
const secret = (client) => `${client}-secret-canary/+?&=`;
const authentication = { 'oidc-basic': 'client_secret_basic', 'oidc-post': 'client_secret_post' };

const state = { accessSeconds: 3600, seen: [], held: null, mock: {} };

const http1 = http.createServer();
http1.listen(0, '127.0.0.1');
await once(http1, 'listening');
const origin = `http://127.0.0.1:${http1.address().port}`;

const oidc = new Provider(origin, {
  clients: Object.keys(authentication).map((id) => ({
    client_id: id,
    client_secret: secret(id),
    redirect_uris: [redirects[id]],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: authentication[id],
  })),
  scopes: ['openid', 'offline_access', 'items:read'],
  pkce: { methods: ['S256'], required: () => true },
  rotateRefreshToken: true,
  features: { revocation: { enabled: true } },
  ttl: { AccessToken: () => state.accessSeconds, RefreshToken: 86400, Grant: 86400, Session: 600, Interaction: 600 },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
});

/// The API that the tokens are for.
async function items(ctx) {
  const token = await oidc.AccessToken.find(ctx.get('authorization').replace(/^Bearer /, ''));
  const good = token && (await oidc.Grant.find(token.grantId)) && token.isValid;
  ctx.status = good ? 200 : 401;
  ctx.body = good ? { items: [{ id: 'i-1', title: 'One', updated_at: '2026-01-02T03:04:05Z' }], next: null } : {};
}

/// What was asked at the token endpoints; a hold keeps the answers of the first back until it is released.
async function token(ctx, next) {
  const seen = { authorization: Boolean(ctx.get('authorization')), body: {} };
  state.seen.push(seen);
  await next();
  const { client_secret: inBody, ...body } = ctx.oidc?.body ?? {};
  Object.assign(seen, { client: ctx.oidc?.client?.clientId, body, inBody: inBody !== undefined, status: ctx.status, answer: ctx.body });
  if (state.held) await state.held.promise;
}

const orders = {
  seen: () => ({ seen: state.seen }),
  hold: () => {
    state.held = {};
    state.held.promise = new Promise((release) => { state.held.release = release; });
  },
  release: () => {
    state.held?.release();
    state.held = null;
  },
  lifetime: ({ seconds }) => { state.accessSeconds = seconds; },
  mock: (how) => { state.mock = how; },
  /// The access tokens that were given to an account end now; their grants live on.
  expire: async ({ account }) => {
    const mine = [...issued].filter((t) => t.accountId === account);
    await Promise.all(mine.map((t) => t.destroy()));
    mine.forEach((t) => issued.delete(t));
    return { ended: mine.length };
  },
};
const issued = new Set();
oidc.on('access_token.saved', (t) => issued.add(t));

oidc.use(async (ctx, next) => {
  if (ctx.path === '/items') return items(ctx);
  if (ctx.path === '/token') return token(ctx, next);
  const order = orders[ctx.path.replace('/control/', '')];
  if (!order || !ctx.path.startsWith('/control/')) return next();
  let text = '';
  for await (const part of ctx.req) text += part;
  ctx.body = (await order(text ? JSON.parse(text) : {})) ?? {};
});
http1.on('request', oidc.callback());

const mock = new OAuth2Server();
await mock.issuer.keys.generate('RS256');
mock.service.on('beforeAuthorizeRedirect', ({ url }) => {
  for (const [name, value] of Object.entries(state.mock.redirect ?? {}))
    if (value === null) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
});
mock.service.on('beforeResponse', (answer, request) => {
  state.seen.push({ client: 'mock', body: request.body, authorization: Boolean(request.headers.authorization) });
  if (state.mock.token) Object.assign(answer, state.mock.token);
});
await mock.start(0, '127.0.0.1');
const mockOrigin = `http://127.0.0.1:${mock.address().port}`;

const clients = Object.fromEntries(Object.keys(redirects).map((id) => [id, { id, secret: secret(id) }]));
console.log(JSON.stringify({ clients, origins: { oidc: origin, mock: mockOrigin } }));
process.stdin.resume();
await once(process.stdin, 'end');
process.exit(0);
