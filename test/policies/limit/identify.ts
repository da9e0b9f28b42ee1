/** Stands in for authenticators: the fields `x-user`, `x-tier` and `x-team` say who calls, and a `x-password` that is not "right" is wrong. */
import { definePolicy, refuse } from "#lib/public/frontdesk.ts";

export const identify = definePolicy({
  name: "identify",
  phase: "authorize",
  create: () => ({
    decide(exchange) {
      const { headers } = exchange.request;
      const id = headers.get("x-user");
      const password = headers.get("x-password");
      if (password !== undefined && password !== "right") return refuse("credentials-invalid", { reason: "wrong password" });
      const team = headers.get("x-team");
      if (id !== undefined)
        exchange.consumer = {
          id,
          authenticator: "test",
          tier: headers.get("x-tier"),
          ...(team === undefined ? {} : { claims: { team } }),
        };
      return undefined;
    },
  }),
});
