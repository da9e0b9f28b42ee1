/** Routes for WebSockets: plain, with a small limit, behind a policy, to backends that fail, and without a backend. */
import { defineGateway, definePolicy, env, refuse } from "#frontdesk";
import { outcomes } from "./outcomes.ts";

const witness = definePolicy({
  name: "witness",
  create: () => ({
    onSend: (_, head) => head.headers.set("x-witness", "yes"),
    onEnd: ({ requestId }, outcome) => void outcomes.push({ id: requestId, outcome }),
  }),
});

const membersOnly = definePolicy({
  name: "members-only",
  row: "authorize",
  create: () => ({
    decide: ({ request }) => (request.headers.has("x-member") ? undefined : refuse("not-allowed", { detail: "Members only." })),
  }),
});

/** Shapes the handshake as it shapes any request. */
const stamp = definePolicy({
  name: "stamp",
  create: () => ({ onRequest: (_, outgoing) => outgoing.headers.set("x-stamp", "stamped") }),
});

export default defineGateway({
  backends: {
    sockets: env("SOCKETS_URL"),
    raw: { url: env("RAW_URL"), timeout: { firstByte: "300ms" } },
    nobody: env("NOBODY_URL"),
  },
  defaults: { auth: "none", use: [witness] },
  routes: [
    { path: "/sockets/*", backend: "sockets", stripPrefix: "/sockets" },
    { path: "/small/*", backend: "sockets", stripPrefix: "/small", maxBody: "1kb" },
    { path: "/members/*", backend: "sockets", use: [witness, membersOnly, stamp] },
    { path: "/one/*", backend: "sockets", stripPrefix: "/one", limit: { requests: 1, algorithm: "concurrency" } },
    { path: "/quiet/*", backend: "sockets", stripPrefix: "/quiet", timeout: { idle: "300ms" } },
    { path: "/brief/*", backend: "sockets", stripPrefix: "/brief", timeout: { total: "500ms" } },
    { path: "/raw", backend: "raw" },
    { path: "/nobody", backend: "nobody" },
    { path: "/hello", respond: { body: "hello" } },
  ],
});
