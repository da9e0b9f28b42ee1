/** The schema of a whole config: the one source of types, validation, docs and the published JSON Schema. */
import { z } from "zod";
import { tierSchema } from "../../config/limit-setting.ts";
import { duration, oneOf, oneOrMore, strict } from "../../config/schema-fields.ts";
import { POLICY_SCHEMAS } from "../../policies/schemas.ts";
import { observe } from "../observe.ts";
import { trust } from "../trust.ts";
import { authenticatorSchema } from "./auth.ts";
import { backendSchema } from "./backend.ts";
import { defaultsSchema, routeSchema } from "./route.ts";

const overload = strict("overload", {
  lag: duration.describe("How late the event loop may be before requests are refused: `200ms` by default"),
});

const NOT_BUILT = ["alerts", "public"];

function gateway<
  Backend extends z.ZodType,
  Auth extends z.ZodType,
  Tier extends z.ZodType,
  Defaults extends z.ZodType,
  Route extends z.ZodType,
>(backend: Backend, authenticator: Auth, tier: Tier, defaults: Defaults, route: Route) {
  return strict(
    "gateway",
    {
      $schema: z.string().optional().describe("In JSON, for editors: `./gateway.schema.json`"),
      backends: z
        .record(z.string(), backend)
        .optional()
        .describe("The services behind the gateway by name. A string is short for `{ url }`"),
      auth: z
        .record(z.string(), authenticator)
        .optional()
        .describe("Authenticators by name, each of one kind: `{ staff: { basic: … } }`. Routes name them in their `auth`"),
      tiers: z
        .record(z.string(), tier)
        .optional()
        .describe(
          'Tariffs by name, for routes with `limit: "tier"`: `{ limit, quota }`. The first one holds for consumers who have none',
        ),
      defaults: defaults
        .optional()
        .describe(
          "Settings for all routes; a route replaces them setting by setting, and `false` switches one off. Not for settings that say which requests a route is for and where they go",
        ),
      cors: POLICY_SCHEMAS.cors.setting.optional().describe("Short for `cors` in `defaults`"),
      maintenance: POLICY_SCHEMAS.maintenance.setting.optional().describe("Short for `maintenance` in `defaults`"),
      regions: oneOrMore("a region of Vercel such as fra1, or a list of them", z.string())
        .optional()
        .describe("Where the gateway runs on Vercel: `fra1`. vercel.json, which is what Vercel reads, must say the same"),
      trust: trust.optional().describe("Whom to believe about the caller: `{ proxies, field, pass, geo, frontends }`"),
      observe: observe.optional().describe("The request log and metrics: `{ log, sample, redact, metrics, clientIp }`"),
      overload: oneOf("{ lag } or false", [overload, z.literal(false)])
        .optional()
        .describe(
          "The Node host refuses requests while its event loop is late, those of low `priority` first: `{ lag }`, on by default. `false`: never",
        ),
      caseSensitive: z
        .boolean()
        .optional()
        .describe(
          "Whether letter case counts in the paths of routes: true by default. `false` suits backends such as Express, ASP.NET and IIS. Paths are forwarded as received",
        ),
      trailingSlash: z
        .enum(["strict", "ignore"])
        .optional()
        .describe('Whether `/a/` is another path than `/a`: "strict" (default) or "ignore". Paths are forwarded as received'),
      routes: z.array(route).describe("What is served, in any order: the most specific path wins"),
    },
    NOT_BUILT,
  );
}

export const gatewaySchema = gateway(backendSchema, authenticatorSchema, tierSchema, defaultsSchema, routeSchema);
/** The same without its parts, which the compiler checks one by one. */
export const gatewayOutline = gateway(z.unknown(), z.unknown(), z.unknown(), z.unknown(), z.unknown());

export type GatewayInput = z.input<typeof gatewaySchema>;
export type BackendInput = z.input<typeof backendSchema>;
export type RouteInput = z.input<typeof routeSchema>;
export type DefaultsInput = z.input<typeof defaultsSchema>;
