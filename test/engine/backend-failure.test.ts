/** What a custom policy answers when the backend has failed, also by the former name of the hook. */
import { expect, test } from "vitest";
import { HeaderList } from "#lib/http/header-list.ts";
import { definePolicy } from "#lib/public/frontdesk.ts";
import { trafficForAll } from "../backends/traffic-host.ts";

const answer = () => ({ status: 200, headers: new HeaderList([]), body: "kept for such days" });
const hook = definePolicy({ name: "kept", create: () => ({ onBackendFailure: answer }) });
const former = definePolicy({ name: "kept", create: () => ({ instead: answer }) });

const { host } = await trafficForAll(({ gone }) => ({
  backends: { gone },
  routes: [{ path: "/hook", backend: "gone", use: [hook] }],
}));
const { host: formerHost } = await trafficForAll(({ gone }) => ({
  backends: { gone },
  routes: [{ path: "/former", backend: "gone", use: [former] }],
}));

test.each([
  ["/hook", host],
  ["/former", formerHost],
])("%s", async (target, { send }) => {
  const { status, text, record } = await send(target);
  expect([status, text, record.steps.at(-1)]).toEqual([
    200,
    "kept for such days",
    { policy: "kept", verdict: "answered", code: "backend-unreachable", ms: 0 },
  ]);
});
