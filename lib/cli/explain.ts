/** `frontdesk explain`: what the gateway would do with a request, step by step, without sending anything. */

import type { RequestContext } from "../engine/request-context.ts";
import { HeaderList } from "../http/header-list.ts";
import { CONFIG_FLAG, type Command, configFile, JSON_FLAG, OK } from "./command.ts";
import type { Answered, Sent } from "./dry-run-dispatcher.ts";
import { readExplainRequest } from "./explain-request.ts";
import { type Explanation, explainRequest } from "./explanation.ts";
import { geoFlag } from "./geo-flag.ts";
import { loadGateway } from "./load-gateway.ts";
import { bad, bold, columns, good, labelled, odd, printable, quiet } from "./page.ts";
import { hideValues } from "./redact-variables.ts";
import { addressText, methodsText } from "./route-line.ts";

const SHOWN_BODY = 2000;
/** A name that begins with `/` is a request's path. */
const CONFIG_FILE = /^[^/].*\.(?:ts|json|ya?ml)$/;

export const explain: Command = {
  name: "explain",
  summary: "says what would become of a request, and sends nothing",
  operands: '[file] "GET /path?query"',
  maxOperands: 3,
  flags: {
    header: { type: "string", multiple: true, value: "name: value", help: "a header field of the request" },
    body: { type: "string", value: "text", help: "its body; @file for what a file holds" },
    host: { type: "string", value: "host", help: "its Host: localhost otherwise" },
    ip: { type: "string", value: "address", help: "the caller's: 127.0.0.1 otherwise" },
    geo: geoFlag("where the caller is: DE, DE-BE or EU/DE-BE"),
    config: CONFIG_FLAG,
    json: JSON_FLAG,
  },
  details: [
    "The engine itself decides, with the config's own policies, counters that begin at nothing and connections that are never made.",
    "Texts that come from variables are shown by name: ${env.TOKEN}. Custom policies run, and fail where they call others.",
    "A credential that an issuer, another service or the store of API keys must judge is not decided.",
  ].join("\n"),
  async run(call) {
    const [first, ...others] = call.operands;
    const file = others.length > 0 && CONFIG_FILE.test(first!) ? first : undefined;
    const request = readExplainRequest(file === undefined ? call : { ...call, operands: others });
    const loaded = await loadGateway(call.cwd, configFile(call, file));
    const explanation = await explainRequest(loaded, request);
    const text = call.has("json") ? asJson(explanation, loaded.logged) : page(explanation, loaded.logged);
    return { code: OK, out: hideValues(text, loaded.compiled, loaded.environment.variables) };
  },
};

function asJson(explanation: Explanation, logged: readonly string[]): string {
  const { ctx, kind, code, reason, askedOf, near, steps, notReached, shapedBy, ending } = explanation;
  const { request, route, params } = ctx;
  return JSON.stringify(
    {
      request: {
        method: request.method,
        target: request.target,
        host: request.host,
        ip: request.client.ip,
        geo: request.client.geo,
      },
      route: isRouted(explanation)
        ? { position: route.position, host: route.host, path: route.path, methods: route.methods }
        : null,
      near: near.map(({ route: { position, host, path }, because }) => ({ position, host, path, because })),
      params,
      pool: poolOf(ctx),
      steps,
      notReached: notReached.map(({ name }) => name),
      shapedBy,
      verdict: kind,
      code,
      reason,
      askedOf: kind === "undecided" ? askedOf : undefined,
      sends: ending?.kind === "sent" ? sentFacts(ending, explanation) : undefined,
      answers:
        ending?.kind === "answered" ? { status: ending.status, headers: pairsOf(ending.pairs), body: ending.body } : undefined,
      logged,
    },
    null,
    2,
  );
}

function sentFacts({ origin, method, target, pairs, body }: Sent, { ctx }: Explanation) {
  const backend = ctx.pipeline.upstream!.backend.name;
  return { backend, method, url: origin + target, headers: pairsOf(pairs), bodyBytes: body?.length ?? 0 };
}

function page(explanation: Explanation, logged: readonly string[]): string {
  const { ctx, steps, notReached, shapedBy, ending } = explanation;
  const { request, params } = ctx;
  const from = [request.client.ip, request.client.geo?.country].filter(Boolean).join(", ");
  const sections = [
    `${bold(`${request.method} ${printable(request.target)}`)} ${quiet(`to ${request.host} from ${from}`)}`,
    labelled("route", [routeLine(explanation), ...nearLines(explanation)]),
    labelled(
      "params",
      Object.entries(params).map(([name, value]) => `${name} = ${printable(value)}`),
    ),
    labelled(
      "steps",
      [columns([...steps.map(stepCells), ...notReached.map(({ name, phase }) => [name, phase, quiet("not reached")])])].filter(
        Boolean,
      ),
    ),
    labelled("pool", poolLines(ctx)),
    labelled("shaped by", shapedBy.length > 0 ? [shapedBy.join(", ")] : []),
    labelled("verdict", [verdictLine(explanation)]),
    ending?.kind === "sent" ? sentText(ending) : "",
    ending?.kind === "answered" ? answeredText(ending) : "",
    labelled("logged", logged.map(printable)),
  ];
  return sections.filter(Boolean).join("\n");
}

function isRouted({ ctx }: Explanation): boolean {
  return ctx.route.id !== "";
}

/** Addresses in the order in which they would be asked; undefined where that is the same for everybody. */
function poolOf({ pool, pipeline }: RequestContext): readonly (readonly string[])[] | undefined {
  return pool?.map((level) => level.map((index) => pipeline.upstream!.backend.targets[index]!.url));
}

function poolLines(ctx: RequestContext): string[] {
  const levels = poolOf(ctx) ?? [];
  return levels.map((urls, index) => `${index === 0 ? "" : quiet("then ")}${urls.map(printable).join(", ")}`);
}

function routeLine(explanation: Explanation): string {
  const { ctx, code } = explanation;
  const { route, target } = ctx;
  if (isRouted(explanation)) return `${methodsText(route)} ${bold(addressText(route))}  ${quiet(route.position)}`;
  if (target.segments[0] === "gateway") return "none: everything below /gateway is the gateway's own";
  if (code === "method-not-allowed") return `${quiet("none:")} the path is there, the method is not`;
  return quiet(code === "bad-request" ? "none: the guard refused the path before any was looked for" : "none");
}

function nearLines({ near }: Explanation): string[] {
  if (near.length === 0) return [];
  return columns(near.map(({ route, because }) => [quiet("near:"), addressText(route), because, quiet(route.position)])).split(
    "\n",
  );
}

function stepCells({ policy, phase, verdict, code, reason, ms }: Explanation["steps"][number]): string[] {
  const paint =
    verdict === "passed"
      ? good
      : verdict === "would-refuse" || verdict === "would-answer" || verdict === "undecided"
        ? odd
        : verdict === "answered"
          ? bold
          : bad;
  const why = [code, reason].filter((part) => part !== undefined).join(": ");
  return [policy, phase, paint(verdict.replace("-", " ")), quiet(`${ms.toFixed(1)} ms`), printable(why)];
}

function verdictLine({ kind, code, reason, askedOf, ctx, ending }: Explanation): string {
  switch (kind) {
    case "sent":
      return good(`goes on to the backend ${ctx.pipeline.upstream!.backend.name}`);
    case "refused": {
      const allow = new HeaderList([...ending!.pairs]).get("allow");
      const why = reason ?? (allow === undefined ? undefined : `the path serves ${allow}`);
      return `${bad(`refused: ${code} ${(ending as Answered).status}`)}${why === undefined ? "" : `, ${printable(why)}`}`;
    }
    case "answered":
      return good(`answered by the gateway itself: ${(ending as Answered).status}`);
    case "undecided":
      return odd(`not decided here: the credential would be checked with ${askedOf.map(printable).join(" and ")}`);
    case "console":
      return good("a page of the console, for whoever holds the admin token");
  }
}

function sentText({ origin, method, target, pairs, body }: Sent): string {
  return labelled("sends", [
    bold(printable(`${method} ${origin}${target}`)),
    // Named among them where the backend gets it as received.
    pairs.includes("host") ? undefined : `host: ${new URL(origin).host}`,
    ...headerLines(pairs),
    body === undefined ? undefined : quiet(`(a body of ${body.length} bytes)`),
  ]);
}

function answeredText({ status, pairs, body }: Answered): string {
  const rest = body.length - SHOWN_BODY;
  const shown = printable(body.slice(0, SHOWN_BODY)).trimEnd();
  return labelled("answers", [
    bold(String(status)),
    ...headerLines(pairs),
    body === "" ? undefined : `\n${shown}${rest > 0 ? quiet(`\n(and ${rest} characters more)`) : ""}`,
  ]);
}

function headerLines(pairs: readonly string[]): string[] {
  return pairsOf(pairs).map(([name, value]) => printable(`${name.toLowerCase()}: ${value}`));
}

function pairsOf(pairs: readonly string[]): [name: string, value: string][] {
  return Array.from({ length: pairs.length / 2 }, (_, index) => [pairs[index * 2]!, pairs[index * 2 + 1]!]);
}
