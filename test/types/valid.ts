/** Configs that must pass `tsc`: checked by `npm run types`, never run. */

import { defineGateway, definePolicy, env, type GatewayInput, refuse } from "#frontdesk";
import { customPoliciesOf } from "#lib/compiler/custom-policies.ts";

const noTeapots = definePolicy({ name: "no-teapots", phase: "screen", create: () => ({ decide: () => undefined }) });

export const everything = defineGateway({
  backends: {
    short: "https://a.example",
    byReference: env("BACKEND_URL"),
    long: {
      url: `https://${env("HOST_NAME")}/base`,
      headers: { authorization: `Bearer ${env("TOKEN")}` },
      timeout: { connect: env("CONNECT", "1s"), firstByte: "5s", idle: false, total: "none" },
    },
  },
  tiers: {
    basic: { limit: "60/m", quota: env("QUOTA", "1000/month") },
    pro: { limit: ["600/m", { requests: 5, algorithm: "concurrency" }] },
  },
  defaults: {
    auth: "none",
    limit: env("LIMIT", "100/m"),
    maxBody: env("MAX_BODY", "2mb"),
    headers: { response: { set: { "x-a": "b" } } },
  },
  routes: [
    { path: "/a/:id/*", methods: ["GET", "POST"], backend: "long", rewrite: "/v1/${params.id}/${params.rest}?", mirror: "short" },
    { path: "/b/:name*", backend: "short", rewrite: "/${params.name}/${query.page}", use: noTeapots, mode: "shadow" },
    {
      path: "/c",
      respond: { status: env("STATUS", 200), json: { list: [1, "two", null, { a: true }] } },
      use: [noTeapots],
      headers: false,
    },
    {
      path: "/limited/:id",
      backend: "short",
      limit: [
        "tier",
        {
          tokens: env("TOKENS", 1000),
          per: "1d",
          by: ["consumer", "param:id"],
          cost: { usage: "openai", reserve: 10 },
          exact: false,
        },
      ],
      quota: { requests: 10, per: "month", anchor: "2027-01-15" },
      byMethod: { POST: { limit: { requests: 1, per: "1s", count: "auth-failures" } }, PUT: { limit: false } },
    },
    { path: "/d/:x", redirect: { to: "https://d.example/${params.x}", status: 308, keepQuery: env("KEEP", true) } },
    { path: "/e/:x", redirect: "/f/${params.x}", auth: "none", byMethod: { POST: { maxBody: "1mb" } } },
    {
      path: "/f",
      host: "*.example.com",
      methods: "GET",
      backend: "byReference",
      when: { headers: { "x-beta": true }, query: { v: "2" } },
    },
  ],
});

// As the module of a build does, for whatever a config says.
export const found = [
  customPoliciesOf(everything),
  customPoliciesOf(defineGateway({ defaults: { auth: "none" }, routes: [{ path: "/", respond: {} }] })),
];

// Routes that are computed have no literal names: the compiler of the config checks these.
const computed: GatewayInput["routes"] = ["users", "orders"].map((name) => ({ path: `/${name}/*`, backend: name, auth: "none" }));
export const generated = defineGateway({
  backends: { users: "https://u.example", orders: "https://o.example" },
  routes: computed,
});

/** Metadata of a key is JSON: its keys are the user's. */
export const metadata = defineGateway({
  auth: {
    partners: { apiKey: { digests: [{ name: "a", digest: "d", consumer: "a", metadata: { plan: "large", seats: [1, 2] } }] } },
  },
  routes: [{ path: "/a", auth: "partners", respond: { body: "a" } }],
});

/** A policy may declare codes of its own. */
export const codes = definePolicy({
  name: "codes",
  problems: { "custom/closed": { status: 503, title: "Closed" } },
  create: () => ({ decide: () => refuse("custom/closed") }),
});
