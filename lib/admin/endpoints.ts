/** The engine's own endpoints under /gateway, the same on every host. What is public is listed here; the rest is the operator's. */

import { CHECKS_PATH } from "../backends/health/schedule.ts";
import type { Clock } from "../contract/deps.ts";
import type { MaybePromise } from "../contract/maybe-promise.ts";
import type { CustomPolicy } from "../contract/policy.ts";
import type { LocalResponse } from "../contract/problem.ts";
import { refuse } from "../contract/problem.ts";
import type { Jwks } from "../crypto/signing-keys.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { Endpoints } from "../gateway/endpoints.ts";
import { HeaderList } from "../http/header-list.ts";
import type { Admit } from "./admit.ts";
import type { Api } from "./api.ts";
import { answerApi } from "./api-http.ts";
import { answerChecks, type ChecksOptions } from "./checks.ts";
import { isConsolePath } from "./console-paths.ts";
import type { Diagnose } from "./doctor.ts";
import { answerMetrics, type MetricsOptions } from "./metrics.ts";
import type { Overview } from "./overview.ts";
import { problemCatalogue, problemIndex, problemPage } from "./problem-page.ts";
import { answerSignIn, answerSignOut, redirectToSignIn, type SignInOptions } from "./sign-in.ts";

export interface EndpointOptions {
  readonly clock: Clock;
  readonly admit: Admit;
  readonly overview: () => MaybePromise<Overview>;
  readonly api: Api;
  /** Of the keys that assertions are signed with. */
  readonly jwks: Jwks | undefined;
  readonly diagnose: Diagnose;
  readonly checks: ChecksOptions;
  readonly metrics: MetricsOptions;
  readonly signIn: SignInOptions;
  /** Their problems have pages, too. */
  readonly customPolicies?: Iterable<CustomPolicy>;
}

export function createEndpoints(options: EndpointOptions): Endpoints {
  const { admit, overview, api, jwks, diagnose, checks, metrics, signIn, clock, customPolicies = [] } = options;
  const problems = problemCatalogue(customPolicies);
  /** By path below /gateway/, for GET and HEAD. */
  const forEverybody = (path: string): LocalResponse | undefined => {
    if (path === "health") return json({ status: "ok" });
    // Verifiers ask for it again when they meet a `kid` that they don't know.
    if (path === "jwks.json" && jwks) return json(jwks, "max-age=300");
    if (path === "problems") return problemIndex(problems);
    return path.startsWith("problems/") ? problemPage(path.slice("problems/".length), problems) : undefined;
  };
  const health = ({
    version,
    host,
    digest,
    loadedAt,
    stores,
    storeStatus,
    backends,
    unopenedPlans,
    load,
  }: Overview): LocalResponse =>
    json({
      status: storeStatus.state === "up" ? "ok" : "degraded",
      version,
      host,
      digest,
      loadedAt,
      stores,
      storeStatus,
      backends,
      unopenedPlans,
      load,
    });
  const forOperators = (path: string): MaybePromise<LocalResponse> | undefined => {
    if (path !== "health") return undefined;
    const seen = overview();
    return seen instanceof Promise ? seen.then(health) : health(seen);
  };
  return {
    isConsole: isConsolePath,
    admit(ctx) {
      const refusal = admit(ctx.request);
      return refusal?.code === "credentials-missing" ? (redirectToSignIn(ctx) ?? refusal) : refusal;
    },
    diagnose,
    answer(ctx: RequestContext) {
      const { request, target } = ctx;
      const path = target.segments.slice(1).join("/");
      const [, first, ...rest] = target.segments;
      if (`/gateway/${path}` === CHECKS_PATH) return answerChecks(ctx, checks);
      if (path === "sign-in") return answerSignIn(ctx, signIn);
      if (path === "sign-out") return answerSignOut(ctx, signIn);
      if (path === "metrics") return answerMetrics(ctx, metrics);
      const open = forEverybody(path);
      // What is the same for everybody asks nobody who they are: a token that is meant for something else is no guess at ours.
      const refusal = open && path !== "health" ? undefined : admit(request);
      if (first === "api") return refusal ?? answerApi(ctx, rest, api, clock);
      const answer = (refusal ? undefined : forOperators(path)) ?? open;
      if (!answer) return refusal ?? refuse("route-not-found");
      const isRead = request.method === "GET" || request.method === "HEAD";
      return isRead ? answer : refuse("method-not-allowed", { headers: ["allow", "GET, HEAD"] });
    },
  };
}

function json(value: unknown, cacheControl = "no-store"): LocalResponse {
  const headers = new HeaderList(["content-type", "application/json", "cache-control", cacheControl]);
  return { status: 200, headers, body: `${JSON.stringify(value)}\n` };
}
