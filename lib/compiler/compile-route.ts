/** One route of a config, compiled: what it is for, where it goes, and the steps on the way for each method. */

import type { RedisOnVercel } from "../config/env.ts";
import { Fields, type Names } from "../config/fields.ts";
import { TOKEN } from "../config/header-fields.ts";
import type { ConfigPath, Report } from "../config/issue.ts";
import { isMethod } from "../config/method-name.ts";
import { type PathPattern, readPathPattern } from "../config/path-pattern.ts";
import type { RouteContext } from "../config/policy-schema.ts";
import { asList } from "../config/schema-fields.ts";
import { checkSettings } from "../config/schema-issues.ts";
import { formatSize } from "../config/units.ts";
import type {
  CompiledBackend,
  CompiledRoute,
  CompiledStep,
  CompiledVariant,
  RouteCondition,
  Timeouts,
} from "../contract/compiled/config.ts";
import type { CustomPolicy } from "../contract/policy.ts";
import { type PathComparison, segmentReader } from "../http/path-readings.ts";
import { reportUselessSettings } from "./checks/useless-settings.ts";
import { STANDARD_TIMEOUTS, timeoutsOver } from "./compile-backends.ts";
import { retryOver } from "./compile-resilience.ts";
import { CustomPolicyNames } from "./custom-policy-names.ts";
import { type DefaultSettings, type Defaults, defaultsFor } from "./defaults.ts";
import { unknownBackend } from "./named-backend.ts";
import { compileMirror, otherBackend } from "./other-backends.ts";
import { BACKEND_KEYS, DESTINATION_KEYS, ownMethodsOf, PolicySteps, unroutedSteps } from "./policy-steps.ts";
import { compileRewrite } from "./rewrite.ts";
import { RouteSettings, type Settings } from "./route-settings.ts";
import { routeSchema } from "./schema/route.ts";

export const DEFAULT_MAX_BODY = 4 * 1024 * 1024;
/** Vercel Functions answer 413 beyond it. */
const VERCEL_MAX_BODY = 4.5 * 1024 * 1024;
const DESTINATIONS = ["backend", ...DESTINATION_KEYS];
/** Keys of a route that mean nothing without a backend. */
const NEEDS_BACKEND = ["stripPrefix", "rewrite", "timeout", "retry", "heartbeat", "mirror", ...BACKEND_KEYS];

/** A compiled route with what the checks across routes need. */
export interface Draft {
  readonly route: CompiledRoute;
  readonly place: ConfigPath;
  /** As paths are compared: in folded case, and without a trailing slash, where the config says so. */
  readonly shape: PathPattern["shape"];
}

export interface RouteCompilerOptions {
  readonly backends: readonly CompiledBackend[];
  /** What the backends say, in their order. */
  readonly fallbacks: readonly DefaultSettings["fallback"][];
  readonly names: Names;
  readonly tiers: Readonly<Record<string, unknown>> | undefined;
  readonly redis: RedisOnVercel | undefined;
  readonly defaults: Defaults;
  readonly report: Report;
  readonly vercel: boolean;
  readonly comparison: PathComparison;
}

export class RouteCompiler {
  readonly customPolicies = new Map<string, CustomPolicy>();
  /** The steps for answers that belong to no route. */
  readonly unrouted: readonly CompiledStep[];
  readonly #context: RouteCompilerOptions;
  readonly #names: CustomPolicyNames;
  readonly #policies: PolicySteps;
  readonly #read: ReturnType<typeof segmentReader>;
  /** By the index of a route's backend. */
  readonly #defaultsFor: readonly Defaults[];

  constructor(context: RouteCompilerOptions) {
    this.#context = context;
    this.#read = segmentReader(context.comparison);
    this.#names = new CustomPolicyNames(this.customPolicies, context.report);
    this.#policies = new PolicySteps(context);
    const { defaults, backends, fallbacks, report, names } = context;
    this.#defaultsFor = backends.map(({ name }, index) => defaultsFor(name, fallbacks[index], defaults));
    // Faults in defaults, and in what backends say for their routes, are told even where every route says something else.
    const fields = new Fields(report, names);
    const ofDefaults = this.#variants(new RouteSettings({}, defaults, ["defaults"]), undefined, fields, undefined);
    this.unrouted = unroutedSteps(ofDefaults.at(-1)!.steps);
    for (const [index, { placeOf }] of this.#defaultsFor.entries()) {
      const fallback = fallbacks[index];
      if (!fallback) continue;
      const own = new RouteSettings({}, { settings: { fallback }, broken: new Set(), placeOf }, ["defaults"]);
      otherBackend(own, index, backends, fields);
      this.#steps(own, undefined, undefined, undefined, fields);
    }
  }

  /** Undefined where nothing can be made of it; everything that is wrong has been reported. */
  compile(input: unknown, index: number): Draft | undefined {
    const { report, names, defaults, backends, vercel } = this.#context;
    const place: ConfigPath = ["routes", index];
    const checked = checkSettings(routeSchema, input, place, report);
    if (!checked) return undefined;
    const { settings, broken } = checked;
    const pattern = settings.path === undefined ? undefined : this.#pattern(settings.path, [...place, "path"]);
    const fields = new Fields(report, names, pattern);
    const methods = settings.methods === undefined ? undefined : this.#methods(asList(settings.methods), place);
    const backend = this.#destination(settings, broken, input as object, place);
    const merged = new RouteSettings(settings, backend === undefined ? defaults : this.#defaultsFor[backend]!, place);
    reportUselessSettings(settings, merged, place, report);
    if (merged.get("auth").value === undefined && !broken.has("auth") && !defaults.broken.has("auth")) this.#reportNoAuth(place);
    const host = settings.host === undefined ? undefined : this.#host(settings.host, [...place, "host"], fields);
    if (pattern?.shape[0] === "gateway")
      report.error("reserved-path", [...place, "path"], "everything below /gateway is the gateway's own.");
    if (pattern?.shape[0] === "_next") {
      const message = "on Vercel, Next serves everything below /_next itself.";
      if (vercel) report.error("reserved-path", [...place, "path"], message);
      else report.warn("reserved-path", [...place, "path"], message);
    }
    const fallback = backend === undefined ? undefined : otherBackend(merged, backend, backends, fields);
    const mirror = backend === undefined ? undefined : compileMirror(merged, backend, backends, fields);
    const rewrite = compileRewrite(settings, pattern, place, fields);
    const route: CompiledRoute = {
      id: "",
      position: `routes[${index}]`,
      host,
      path: pattern?.path ?? "",
      methods,
      when: this.#when(settings.when, [...place, "when"], fields),
      backend,
      rewrite,
      guard: merged.get("guard").value ?? "strict",
      encodedSlash: merged.get("encodedSlash").value ?? "refuse",
      overrides: merged.get("overrides").value === "pass" ? "pass" : undefined,
      priority: merged.get("priority").value,
      mirror,
      fallback,
      variants: this.#variants(merged, backend === undefined ? undefined : backends[backend], fields, methods),
    };
    return pattern && { route, place, shape: this.#read?.(pattern.shape) ?? pattern.shape };
  }

  #pattern(path: string, place: ConfigPath): PathPattern | undefined {
    const plain = new Fields(this.#context.report).plain(path, place);
    if (plain === undefined) return undefined;
    const pattern = readPathPattern(plain);
    if (typeof pattern !== "string") return pattern;
    this.#context.report.error("path-grammar", place, `${JSON.stringify(path)} is not a path for a route: ${pattern}.`);
    return undefined;
  }

  #reportNoAuth(place: ConfigPath): void {
    this.#context.report.error(
      "auth-missing",
      place,
      "it must be said who may call: `auth` is missing.",
      'Write `auth: "none"` for everyone, here or in `defaults`.',
    );
  }

  #methods(names: readonly string[], place: ConfigPath): readonly string[] {
    return [...new Set(names.filter((name) => isMethod(name, [...place, "methods"], this.#context.report)))].sort();
  }

  /** The index of the backend; undefined where the route answers itself. */
  #destination(settings: Settings, broken: ReadonlySet<string>, input: object, place: ConfigPath): number | undefined {
    const { report, backends } = this.#context;
    const named = DESTINATIONS.filter((key) => settings[key as keyof Settings] !== undefined || broken.has(key));
    if (named.length > 1)
      report.error("one-destination", place, `${named.map((key) => `\`${key}\``).join(" and ")} exclude each other.`);
    // `compose` has been reported as not built.
    else if (named.length === 0 && !("compose" in input)) {
      report.error("one-destination", place, "it leads nowhere: one of `backend`, `respond` and `redirect` is missing.");
    }
    if (settings.backend === undefined) {
      for (const key of NEEDS_BACKEND) {
        const value = settings[key as keyof Settings];
        if (value !== undefined && value !== false && !broken.has("backend"))
          report.error("needs-backend", [...place, key], `\`${key}\` means nothing without a \`backend\`.`);
      }
      return undefined;
    }
    const index = backends.findIndex(({ name }) => name === settings.backend);
    if (index >= 0) return index;
    unknownBackend(settings.backend, [...place, "backend"], backends, report);
    return undefined;
  }

  #host(input: string, place: ConfigPath, fields: Fields): string | undefined {
    const host = fields.plain(input, place)?.toLowerCase();
    if (host === undefined) return undefined;
    const isHost = host.startsWith("[")
      ? URL.canParse(`http://${host}/`) && host.endsWith("]")
      : /^(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/.test(host);
    if (isHost) return host;
    const fix = /:\d+$/.test(host)
      ? "Leave the port out: it is not compared."
      : "Write api.example.com, or *.example.com for every host below it.";
    fields.report.error("host-grammar", place, `${JSON.stringify(input)} is not a host.`, fix);
    return undefined;
  }

  #when(when: Settings["when"], place: ConfigPath, fields: Fields): RouteCondition | undefined {
    const pairs = (kind: "headers" | "query") =>
      Object.entries(when?.[kind] ?? {}).flatMap(([key, input]): [string, string | true][] => {
        const at = [...place, kind, key];
        if (kind === "headers" && !TOKEN.test(key)) {
          fields.report.error("header-name", at, `${JSON.stringify(key)} is not the name of a header field.`);
          return [];
        }
        const value = input === true ? true : fields.value(input, at, "string");
        return value === undefined ? [] : [[kind === "headers" ? key.toLowerCase() : key, value]];
      });
    const headers = pairs("headers");
    const query = pairs("query");
    return headers.length + query.length > 0 ? { headers, query } : undefined;
  }

  /** One for each distinct setting by method; the one for all others stands last. */
  #variants(
    merged: RouteSettings,
    backend: CompiledBackend | undefined,
    fields: Fields,
    methods: readonly string[] | undefined,
  ): CompiledVariant[] {
    const others = this.#variant(merged, undefined, backend, fields);
    const byMethod = merged.get("byMethod");
    const bySettings = new Map<string, CompiledVariant>();
    const keyed: Settings["byMethod"] = {};
    const setting = (key: string) => merged.get(key as keyof Settings);
    for (const method of ownMethodsOf(setting, methods, fields.report)) keyed[method] = {};
    for (const [method, settings] of Object.entries({ ...keyed, ...byMethod.value })) {
      const place = [...byMethod.place, method];
      if (!isMethod(method, place, fields.report)) continue;
      if (methods && !methods.includes(method) && !(method === "HEAD" && methods.includes("GET"))) {
        if (!byMethod.isDefault)
          fields.report.error(
            "method-not-on-route",
            place,
            `the route does not serve ${method}.`,
            `Its methods are ${methods.join(", ")}.`,
          );
        continue;
      }
      const variant = this.#variant(merged.over(settings, place), method, backend, fields);
      // GET serves HEAD too (RFC 9110 section 9.3.2).
      const served = method === "GET" && !("HEAD" in (byMethod.value ?? {})) ? ["GET", "HEAD"] : [method];
      const key = JSON.stringify(variant);
      if (settings === keyed[method] && key === JSON.stringify(others)) continue;
      bySettings.set(key, { ...variant, methods: [...(bySettings.get(key)?.methods ?? []), ...served] });
    }
    return [...bySettings.values(), others];
  }

  /** `method` is undefined for those without settings of their own. */
  #variant(
    merged: RouteSettings,
    method: string | undefined,
    backend: CompiledBackend | undefined,
    fields: Fields,
  ): CompiledVariant {
    const timeout = merged.get("timeout");
    const retry = merged.get("retry");
    const maxBody = merged.get("maxBody");
    const heartbeat = merged.get("heartbeat");
    const timeouts = backend ? timeoutsOver(backend.timeouts, timeout.value, timeout.place, fields) : undefined;
    return {
      maxBodyBytes: this.#maxBody(maxBody.value, maxBody.place, fields),
      timeouts,
      heartbeatMs: heartbeat.value ? fields.value(heartbeat.value, heartbeat.place, "wait") : undefined,
      retry: backend && retryOver(backend.resilience?.retry, retry.value, retry.place, fields),
      steps: this.#steps(merged, method, backend, timeouts, fields),
    };
  }

  #maxBody(input: string | undefined, place: ConfigPath, fields: Fields): number {
    const bytes = input === undefined ? DEFAULT_MAX_BODY : (fields.value(input, place, "size") ?? DEFAULT_MAX_BODY);
    if (bytes > VERCEL_MAX_BODY) {
      const message = `${formatSize(bytes)} is more than Vercel lets through: 4.5mb.`;
      if (this.#context.vercel) fields.report.error("body-limit", place, message);
      else fields.report.warn("body-limit", place, message);
    }
    return bytes;
  }

  #steps(
    merged: RouteSettings,
    method: string | undefined,
    backend: CompiledBackend | undefined,
    timeouts: Timeouts | undefined,
    fields: Fields,
  ): CompiledStep[] {
    const isDefaults = merged.place[0] === "defaults";
    const route: RouteContext = {
      setting: (key) => merged.get(key as keyof Settings),
      isDefaults,
      isShadow: merged.get("mode").value === "shadow",
      method,
      backend: backend?.name,
      timeouts: timeouts ?? (isDefaults ? STANDARD_TIMEOUTS : undefined),
      redis: this.#context.redis,
    };
    return this.#policies.steps(route, fields, this.#customSteps(merged, route.isShadow));
  }

  #customSteps(merged: RouteSettings, isShadow: boolean): CompiledStep[] {
    const { value, place } = merged.get("use");
    return this.#names.read(value, place).map(({ name, mode = "enforce" }) => ({
      policy: name,
      custom: true,
      mode: isShadow ? "shadow" : mode,
    }));
  }
}
