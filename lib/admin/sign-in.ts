/** `/gateway/sign-in` and `/gateway/sign-out`: a browser gets a session for the admin token. */
import type { Clock } from "../contract/deps.ts";
import { type LocalResponse, refuse } from "../contract/problem.ts";
import type { RequestContext } from "../engine/request-context.ts";
import type { EarlyResponse } from "../engine/run-steps.ts";
import { HeaderList } from "../http/header-list.ts";
import { type Admit, refuseForced } from "./admit.ts";
import { escapeHtml, htmlPage } from "./html-page.ts";
import { readBody } from "./read-body.ts";
import type { Sessions } from "./sessions.ts";

export const SIGN_IN_PATH = "/gateway/sign-in";

export interface SignInOptions {
  /** Undefined where no admin token is set: nobody signs in. */
  readonly sessions: Sessions | undefined;
  /** Judges the token as it does one in a header, and counts wrong guesses with those. */
  readonly admit: Admit;
  readonly clock: Clock;
}

/** A form with a token and a path. */
const MAX_BODY_BYTES = 8 * 1024;

export async function answerSignIn(ctx: RequestContext, { sessions, admit, clock }: SignInOptions): Promise<EarlyResponse> {
  const { request, target } = ctx;
  if (!sessions) return refuse("route-not-found");
  if (request.method === "GET" || request.method === "HEAD") return signInPage(200, pathIn(target.query.get("to")), undefined);
  if (request.method !== "POST") return refuse("method-not-allowed", { headers: ["allow", "GET, HEAD, POST"] });
  const forced = refuseForced(request);
  if (forced) return forced;
  const body = await readBody(ctx, MAX_BODY_BYTES, clock);
  if (!(body instanceof Uint8Array)) return body;
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const to = pathIn(form.get("to"));
  const headers = new HeaderList(["authorization", `Bearer ${form.get("token") ?? ""}`]);
  const refusal = admit({ ...request, headers });
  if (!refusal) return seeOther(to, ["set-cookie", sessions.begin(request.scheme)]);
  const limited = refusal.code === "rate-limited";
  const fault = limited ? "Too many wrong tokens came from your address. Try again in a minute." : "That is not the admin token.";
  return signInPage(limited ? 429 : 401, to, fault);
}

export function answerSignOut({ request }: RequestContext, { sessions }: SignInOptions): EarlyResponse {
  if (!sessions) return refuse("route-not-found");
  if (request.method !== "POST") return refuse("method-not-allowed", { headers: ["allow", "POST"] });
  return refuseForced(request) ?? seeOther(SIGN_IN_PATH, ["set-cookie", sessions.end(request.scheme)]);
}

/** Where a browser that may not see a page goes on; undefined for other clients, which get the refusal. */
export function redirectToSignIn({ request, target }: RequestContext): LocalResponse | undefined {
  if (!request.headers.get("accept")?.includes("text/html")) return undefined;
  return seeOther(`${SIGN_IN_PATH}?${new URLSearchParams({ to: target.raw })}`);
}

function signInPage(status: number, to: string, fault: string | undefined): LocalResponse {
  return htmlPage({
    status,
    title: "Sign in",
    cacheControl: "no-store",
    hasForm: true,
    body: `<h1>Frontdesk</h1>
<p class="status">The console of this gateway.</p>
<form method="post" action="${SIGN_IN_PATH}">
<input type="hidden" name="to" value="${escapeHtml(to)}">
<label for="token">Admin token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus${fault ? ' aria-invalid="true" aria-describedby="fault"' : ""}>
${fault ? `<p class="fault" id="fault" role="alert">${escapeHtml(fault)}</p>` : ""}
<button type="submit">Sign in</button>
</form>
<p class="status">It is the value of <code>GATEWAY_ADMIN_TOKEN</code>. The session ends after twelve hours.</p>`,
  });
}

/** A page of the console: another path, or another host in disguise, is nowhere to send an operator. */
function pathIn(to: string | null): string {
  return to !== null && /^\/gateway(?:$|[/?])/.test(to) && !/[\\\s]|\/\/|\/\.{1,2}(?:$|[/?])|^\/gateway\/api/.test(to)
    ? to
    : "/gateway";
}

function seeOther(location: string, headers: readonly string[] = []): LocalResponse {
  return { status: 303, headers: new HeaderList(["location", location, "cache-control", "no-store", ...headers]), body: null };
}
