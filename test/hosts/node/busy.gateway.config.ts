/** For test/hosts/node/overload.test.ts: a route that keeps the event loop busy, as a slow custom policy would. */
import { defineGateway, definePolicy } from "#frontdesk";

const slow = definePolicy({
  name: "slow",
  phase: "screen",
  create: () => ({
    decide() {
      const untilMs = performance.now() + 60;
      while (performance.now() < untilMs);
      return undefined;
    },
  }),
});

export default defineGateway({
  overload: { lag: "50ms" },
  defaults: { auth: "none" },
  routes: [
    { path: "/busy", priority: "high", use: slow, respond: { body: "done" } },
    { path: "/high", priority: "high", respond: { body: "high" } },
    { path: "/low", priority: "low", respond: { body: "low" } },
  ],
});
