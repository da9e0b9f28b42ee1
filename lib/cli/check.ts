/** `frontdesk check`: what is wrong with a config, or what it means. */
import { ConfigError, formatIssues, type Issue } from "../config/issue.ts";
import { formatSize } from "../config/units.ts";
import { regionText } from "../http/vercel-regions.ts";
import { CONFIG_FLAG, type Command, configFile, JSON_FLAG, OK, type Result, WRONG } from "./command.ts";
import { type LoadedGateway, loadGateway } from "./load-gateway.ts";
import { bold, formatMs, good, labelled, quiet } from "./page.ts";
import { placesLines, placesOf } from "./places-facts.ts";
import {
  type RouteFacts,
  routeFacts,
  type StepFacts,
  type TimeoutFacts,
  timeoutFacts,
  type VariantFacts,
} from "./route-facts.ts";
import { addressText, destinationText, methodsText, stepText } from "./route-line.ts";
import { type StoresInUse, storesInUse } from "./stores-in-use.ts";
import { type VercelFindings, vercelFindings } from "./vercel-findings.ts";

export const check: Command = {
  name: "check",
  summary: "says what is wrong with the config, or what it means",
  operands: "[file]",
  maxOperands: 1,
  flags: {
    config: CONFIG_FLAG,
    vercel: { type: "boolean", help: "Vercel's own rules are errors, as in a build there" },
    json: JSON_FLAG,
  },
  details: [
    "Without a file it checks what the gateway would load: gateway.config.ts, or what GATEWAY_CONFIG_FILE, GATEWAY_CONFIG or",
    "GATEWAY_ROUTES say. References are looked up in the environment, .env.local and .env. Nothing is connected to.",
    "In a folder that is deployed to Vercel, what would be wrong in a build there is told as warnings: `on Vercel: …`.",
  ].join("\n"),
  async run(call) {
    const asJson = call.has("json");
    try {
      const here = await loadGateway(call.cwd, configFile(call, call.operands[0]), call.has("vercel"));
      const there = call.has("vercel") ? undefined : vercelFindings(here, call.cwd);
      const loaded = there?.isProject ? { ...here, warnings: [...here.warnings, ...there.warnings] } : here;
      if (asJson) return { code: OK, out: json({ ...described(loaded), vercelErrors: there?.errors ?? 0 }) };
      return page(loaded, call.has("vercel") || loaded.environment.vercel, there);
    } catch (error) {
      if (!(asJson && error instanceof ConfigError)) throw error;
      const { origin, issues } = error;
      return { code: WRONG, out: json({ ok: false, origin, ...bySeverity(issues) }) };
    }
  },
};

function json(value: unknown): string {
  return JSON.stringify(value, null, 2);
}

function bySeverity(issues: readonly Issue[]) {
  const { error: errors = [], warning: warnings = [] } = Object.groupBy(issues, ({ severity }) => severity);
  return { errors, warnings };
}

function described(loaded: LoadedGateway) {
  const { origin, gateway, warnings, environment } = loaded;
  return {
    ok: true,
    origin,
    ...bySeverity(warnings),
    digest: gateway.config.digest,
    regions: gateway.config.regions,
    backends: gateway.config.backends.map(({ name, targets, canary, strict, timeouts, headers }) => ({
      name,
      targets: targets.map(({ url }) => url),
      places: placesOf(canary ? targets.slice(0, -1) : targets, strict),
      timeouts: timeoutFacts(timeouts),
      headers: headers.map(([header]) => header),
    })),
    stores: storesInUse(environment),
    trust: { ...gateway.config.trust, geo: gateway.config.trust.geo ?? null, frontends: gateway.config.trust.frontends.length },
    routes: routeFacts(loaded),
  };
}

function page(loaded: LoadedGateway, onVercel: boolean, there: VercelFindings | undefined): Result {
  const { origin, warnings } = loaded;
  const { digest, regions, backends, stores, trust, routes } = described(loaded);
  const sections = [
    `${good("✓")} ${bold(origin)} compiles${warnings.length === 0 ? "" : `, with ${count(warnings.length, "warning")}`}.`,
    [
      labelled("digest", [digest]),
      labelled("regions", regions.map(regionText)),
      storesText(stores, onVercel),
      labelled("Vercel", there?.errors ? [vercelText(there)] : []),
      labelled("trusts", trustText(trust)),
    ]
      .filter(Boolean)
      .join("\n"),
    ...(backends.length === 0 ? [] : [[bold("Backends"), ...backends.map(backendText)].join("\n")]),
    `${bold("Routes")} ${quiet("(the most specific first)")}`,
    ...routes.map(routeText),
  ];
  return {
    code: OK,
    out: sections.join("\n\n"),
    ...(warnings.length > 0 ? { err: formatIssues(warnings, origin) } : {}),
  };
}

function storesText({ node, vercel }: StoresInUse, onVercel: boolean): string {
  if (onVercel) return labelled("stores", [vercel]);
  return labelled("stores", node === vercel ? [node] : [`Node host: ${node}`, `Vercel: ${vercel}`]);
}

function vercelText({ errors, isProject }: VercelFindings): string {
  const found = `a build there would fail by ${count(errors, "error")}`;
  return isProject ? `${found}, in the warnings below` : `${found}: \`npx frontdesk check --vercel\` shows them`;
}

function trustText({ proxies, frontends }: ReturnType<typeof described>["trust"]): string[] {
  const named = proxies.length === 0 ? [] : [`${proxies.join(", ")} about who calls`];
  return frontends === 0 ? named : [...named, `frontends that sign who calls, with ${count(frontends, "secret")}`];
}

function backendText(backend: ReturnType<typeof described>["backends"][number]): string {
  const { name, targets, places, headers, timeouts } = backend;
  const sends = headers.length > 0 ? `sends ${headers.join(", ")}` : undefined;
  return labelled(
    `  ${name}`,
    [...(places ? placesLines(places) : [targets.join(", ")]), timeoutsText(timeouts), sends],
    Math.max(12, name.length + 4),
  );
}

function timeoutsText({ connectMs, firstByteMs, idleMs, totalMs }: TimeoutFacts): string {
  const limits = [
    `connect ${formatMs(connectMs)}`,
    `first byte ${formatMs(firstByteMs)}`,
    ...(idleMs === null ? [] : [`idle ${formatMs(idleMs)}`]),
    ...(totalMs === null ? [] : [`total ${formatMs(totalMs)}`]),
  ];
  return `waits: ${limits.join(", ")}`;
}

function routeText(route: RouteFacts): string {
  const { goesTo, when, auth, guard, encodedSlash, byMethod, position } = route;
  const others = byMethod.at(-1)!;
  const example = goesTo.kind === "backend" ? goesTo.example : undefined;
  const line = (label: string, ...lines: (string | undefined)[]) => labelled(`  ${label}`, lines, 12);
  return [
    `${bold(`${methodsText(route)} ${addressText(route)}`)}  ${quiet(position)}`,
    when.length > 0 ? line("only with", when.join(" and ")) : "",
    line("goes to", destinationText(goesTo), example && `${example.from} → ${example.to}`),
    line("auth", auth.length === 0 ? "none: everyone may call" : auth.join(" or ")),
    line("steps", ...stepLines(others)),
    ...byMethod
      .slice(0, -1)
      .flatMap((variant) =>
        JSON.stringify(variant.steps) === JSON.stringify(others.steps)
          ? []
          : [line(variant.methods!.join(", "), ...stepLines(variant))],
      ),
    goesTo.kind === "backend" ? line("body", byMethod.toReversed().map(bodyText).join("; ")) : "",
    others.timeouts ? line("timeouts", timeoutsText(others.timeouts).replace("waits: ", "")) : "",
    others.heartbeatMs === null ? "" : line("heartbeat", `into event streams silent for ${formatMs(others.heartbeatMs)}`),
    line("guard", encodedSlash === "keep" ? `${guard}, lets %2F through` : guard),
  ]
    .filter(Boolean)
    .join("\n");
}

function stepLines({ steps }: VariantFacts): string[] {
  if (steps.length === 0) return ["none"];
  return steps.map(
    (step) => `${stepText(step)} ${quiet(step.does.map((part) => (part === "decides" ? decidesText(step) : part)).join(", "))}`,
  );
}

function decidesText({ phase }: StepFacts): string {
  return phase === "answer" ? "answers" : `decides at ${phase}`;
}

function bodyText({ methods, maxBodyBytes }: VariantFacts): string {
  return `${methods === null ? "" : `${methods.join(", ")} `}at most ${formatSize(maxBodyBytes)}`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
