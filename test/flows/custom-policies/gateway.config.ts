/** Policies of one's own: a refusal, one that only watches, one that shapes both ways, one that reads the body, one that writes an audit line. */
import { defineGateway, definePolicy, env, refuse } from "#frontdesk";

/** Refuses whoever does not say to be a partner. */
const partnersOnly = definePolicy({
  name: "partners-only",
  phase: "screen",
  create: () => ({
    decide: ({ request }) =>
      request.headers.get("x-partner") === "yes" ? undefined : refuse("not-allowed", { detail: "This is for partners." }),
  }),
});

/** The same rule, tried out first: it shows in the records and refuses nobody. */
const partnersSoon = definePolicy({ ...partnersOnly, name: "partners-soon", mode: "shadow" });

/** Carries something from the half that decides to the half that forwards. */
const greeting = definePolicy({
  name: "greeting",
  create: () => ({
    decide(exchange) {
      exchange.state["greeting"] = `hello ${exchange.params["name"]}`;
      return undefined;
    },
    onRequest: ({ state }, outgoing) => outgoing.headers.set("x-greeting", String(state["greeting"])),
    onResponse: (_, head) => head.headers.set("x-shaped", "response"),
    onSend: (_, head) => head.headers.append("x-shaped", "send"),
  }),
});

/** Looks into the body before it goes on. */
const noSecrets = definePolicy({
  name: "no-secrets",
  phase: "validate",
  create: () => ({
    requestBody: { mode: "buffer", maxBytes: 1_000 },
    decide: ({ body }) =>
      Buffer.from(body ?? []).includes("secret") ? refuse("not-allowed", { detail: "The body holds a secret." }) : undefined,
  }),
});

/** Changes bytes as they stream, in both directions. */
const shout = definePolicy({
  name: "shout",
  create: () => {
    const upper = (bytes: Uint8Array) => Buffer.from(Buffer.from(bytes).toString("latin1").toUpperCase(), "latin1");
    const part = { mode: "transform", open: () => ({ chunk: upper, end: () => Buffer.from("!") }) } as const;
    return { requestBody: part, responseBody: part };
  },
});

/** Decides by asking somebody else. */
const slowJudge = definePolicy({
  name: "slow-judge",
  create: () => ({
    decide: async ({ target }) => {
      await new Promise(setImmediate);
      return target.query.has("guilty") ? refuse("not-allowed") : undefined;
    },
  }),
});

/** Refuses with a code of its own. */
const openingHours = definePolicy({
  name: "opening-hours",
  problems: {
    "custom/shop-closed": {
      status: 503,
      title: "The shop is closed",
      meaning: "Orders are taken from 8 to 20 o'clock.",
      operator: "The policy `opening-hours`.",
    },
  },
  create: () => ({
    decide: () => refuse("custom/shop-closed", { detail: "We open at 8.", reason: "it is late", headers: ["retry-after", "60"] }),
  }),
});

/** A bug. */
const broken = definePolicy({
  name: "broken",
  create: () => ({
    decide() {
      throw new Error("an inner detail that no caller may see");
    },
  }),
});

/** One line for each request, however it ended. */
const audit = definePolicy({
  name: "audit",
  create: ({ log }) => ({
    onEnd: ({ requestId }, { status, source, code, aborted, bytesIn, bytesOut }) =>
      log.info("audit", { requestId, status, source, code, aborted, bytesIn, bytesOut }),
  }),
});

export default defineGateway({
  backends: { shop: { url: env("BACKEND_URL"), timeout: { firstByte: "300ms" } }, nobody: "http://127.0.0.1:1" },
  defaults: { auth: "none", use: audit },
  routes: [
    { path: "/partners/*", backend: "shop", use: [partnersOnly, audit] },
    { path: "/soon/*", backend: "shop", use: [partnersSoon, audit] },
    { path: "/greet/:name", backend: "shop", use: [greeting, audit] },
    { path: "/checked", backend: "shop", use: [noSecrets, audit] },
    { path: "/shout", backend: "shop", use: [shout, audit] },
    { path: "/judge", backend: "shop", use: [slowJudge, audit] },
    { path: "/closed", backend: "shop", use: [openingHours, audit] },
    { path: "/closed-soon", backend: "shop", use: [openingHours, audit], mode: "shadow" },
    { path: "/broken", backend: "shop", use: [broken, audit] },
    { path: "/broken-soon", backend: "shop", use: [broken, audit], mode: "shadow" },
    { path: "/down", backend: "nobody" },
    { path: "/teapot", respond: { status: 418, body: "short and stout" } },
    { path: "/*", backend: "shop" },
  ],
});
