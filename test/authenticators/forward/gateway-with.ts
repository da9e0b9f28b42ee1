/** `forward` in a gateway, asking a real service on loopback, with a clock that tests set. */
import { afterAll, beforeAll, beforeEach } from "vitest";
import { createOutbound } from "#lib/backends/outbound.ts";
import { createPools } from "#lib/backends/pools.ts";
import { gatewayOf, type Received, type TestGateway } from "../../policies/gateway.ts";
import { type AuthService, answerAsService, startAuthService } from "../../support/auth-service.ts";

export interface Setting {
  readonly [key: string]: unknown;
}

export const ADA = { authorization: "Bearer ada" };
export const BOB = { authorization: "Bearer bob" };
export const BROWSER = { "sec-fetch-mode": "navigate", accept: "text/html" };

export const clock = { nowMs: 0 };
export let service: AuthService;
const pools = createPools();

beforeAll(async () => {
  service = await startAuthService();
});
afterAll(async () => {
  service.close();
  await pools.close();
});
beforeEach(() => {
  clock.nowMs = 1_700_000_000_000;
  service.asked.length = 0;
  service.answer = answerAsService;
});

/** The authenticator is called sso. */
export function gatewayWith(
  setting: Setting = {},
  routes: object[] = [{ path: "/*", auth: "sso" }],
  auth: object = {},
): TestGateway {
  const sso = { forward: { url: `${service.url}/auth`, ...setting } };
  const bodied = routes.map((route) => ({ respond: { body: "${consumer.id}|${claims.sub}|${claims.email}" }, ...route }));
  return gatewayOf(
    { auth: { sso, ...auth }, routes: bodied },
    {
      call: createOutbound(pools, () => clock.nowMs),
      now: () => clock.nowMs,
      variables: { ADA_PASSWORD: "correct horse" },
    },
  );
}

export const reasonOf = ({ record }: Received) => record.steps.find(({ policy }) => policy === "auth")?.reason;
