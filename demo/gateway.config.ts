/** The demo's config. Change something, save, and reload it by the `kill -HUP` that the demo prints. */
import { defineGateway, definePolicy, env, refuse } from "#frontdesk";

/** A custom policy: a name, where it stands, and what it thinks of a request. */
const knock = definePolicy({
  name: "knock",
  phase: "screen",
  create: () => ({
    decide: ({ request }) =>
      request.headers.has("x-knock") ? undefined : refuse("not-allowed", { detail: "Knock first: send `x-knock`." }),
  }),
});

export default defineGateway({
  backends: {
    eu: env("DEMO_CATALOG_EU"),
    us: env("DEMO_CATALOG_US"),
    catalog: { targets: [{ url: env("DEMO_CATALOG_EU"), where: { continents: "EU" } }, env("DEMO_CATALOG_US")] },
    streams: env("DEMO_STREAMS"),
    faults: { url: env("DEMO_FAULTS"), timeout: "2s" },
    spares: { targets: [env("DEMO_SPARE_1"), env("DEMO_SPARE_2")] },
    seats: { targets: [env("DEMO_SPARE_1"), env("DEMO_SPARE_2")], balance: "hash:cookie:seat" },
    next: { url: env("DEMO_SPARE_1"), canary: { url: env("DEMO_SPARE_2"), when: { headers: { "x-tester": true } } } },
    first: env("DEMO_SPARE_1"),
    echo: { url: env("DEMO_ECHO"), headers: { "x-service-key": "only the backend sees this" } },
    issuer: env("DEMO_ISSUER"),
  },

  auth: {
    shop: { jwt: { issuer: env("DEMO_ISSUER"), audience: "demo", revocation: true } },
    partners: { apiKey: {} },
    session: { forward: { url: env("DEMO_SESSIONS"), from: "cookie:sid", headers: "x-auth-request-email" } },
  },

  defaults: { auth: "none" },

  routes: [
    { path: "/", respond: { body: "Frontdesk's demo. The terminal that runs it has commands to try.\n" } },
    { path: "/api/products/*", methods: ["GET", "POST"], backend: "us", stripPrefix: "/api" },
    {
      path: "/api/products/*",
      methods: ["GET", "POST"],
      when: { headers: { "x-region": "eu" } },
      backend: "eu",
      stripPrefix: "/api",
    },
    { path: "/p/:id", methods: "GET", backend: "eu", rewrite: "/products/${params.id}" },
    // By where the caller is: `npm run demo -- --geo DE`.
    { path: "/regional/products/*", methods: "GET", backend: "catalog", stripPrefix: "/regional" },

    {
      path: "/cached/products/*",
      methods: ["GET", "DELETE"],
      backend: "eu",
      stripPrefix: "/cached",
      cache: { ttl: "2s", staleWhileRevalidate: "1m", tags: "products" },
    },

    { path: "/hello/:name", respond: { json: { message: "Hello, ${params.name}!" } } },
    { path: "/shop/*", redirect: { to: "/api/products/${params.rest}", status: 308, keepQuery: true } },

    {
      path: "/echo",
      backend: "echo",
      headers: {
        request: { set: { "x-language": "${query.lang}" }, remove: "cookie" },
        response: { set: { "x-demo": "set by the gateway" }, remove: "x-powered-by" },
      },
    },

    // Another service says who calls.
    { path: "/account", backend: "echo", auth: "session" },
    { path: "/login", methods: "GET", backend: "issuer" },
    // By token or by key; what a caller may do depends on the method.
    {
      path: "/orders",
      methods: ["GET", "POST"],
      backend: "echo",
      auth: ["shop", "partners"],
      scopes: "orders:read",
      byMethod: { POST: { scopes: "orders:write" } },
    },

    { path: "/events", methods: "GET", backend: "streams" },
    { path: "/download", methods: "GET", backend: "streams" },
    { path: "/upload", methods: "POST", backend: "streams", maxBody: "4mb" },

    // Two at once, two more every ten seconds; else 429 with the time to come back.
    {
      path: "/limited",
      respond: { body: "within the limit\n" },
      limit: { requests: 2, per: "10s", algorithm: "token-bucket", name: "demo" },
    },
    // Sent again under the same Idempotency-Key, it is carried out once.
    { path: "/payments", methods: "POST", backend: "us", rewrite: "/products", idempotency: { anonymous: true } },
    // A model's answer tells the tokens that it used: 500 are reserved before, the difference is given back.
    {
      path: "/chat",
      methods: "POST",
      backend: "streams",
      limit: { tokens: 10_000, per: "5m", name: "tokens", cost: { usage: "openai", reserve: 500 } },
    },
    { path: "/spares", methods: "GET", backend: "spares" },
    { path: "/next", methods: "GET", backend: "next" },
    { path: "/seats", methods: "GET", backend: "seats" },
    { path: "/spares/first/*", methods: "POST", backend: "first", stripPrefix: "/spares/first" },

    // When the backend fails, this is the answer; and each request to the one region goes to the other as well.
    {
      path: "/news/*",
      backend: "faults",
      stripPrefix: "/news",
      fallback: { status: 200, json: { news: [], note: "Back soon." } },
    },
    { path: "/both/products", methods: "POST", backend: "eu", stripPrefix: "/both", mirror: "us" },

    { path: "/members", use: knock, respond: { body: "Come in.\n" } },
    { path: "/faults/*", backend: "faults", stripPrefix: "/faults" },
  ],
});
