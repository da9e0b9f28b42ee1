/** A page for each problem code: where `type` of a problem leads. Plain HTML without scripts, so both hosts serve the same. */

import type { CustomPolicy } from "../contract/policy.ts";
import { type CustomProblem, type LocalResponse, PROBLEMS } from "../contract/problem.ts";
import { escapeHtml, htmlPage } from "./html-page.ts";

/** By code: the gateway's catalogue, and what custom policies declare. */
export type ProblemCatalogue = ReadonlyMap<string, CustomProblem>;

export function problemCatalogue(policies: Iterable<CustomPolicy>): ProblemCatalogue {
  return new Map<string, CustomProblem>([
    ...Object.entries(PROBLEMS),
    ...[...policies].flatMap(({ problems }) => Object.entries(problems ?? {})),
  ]);
}

/** The page of a code, or undefined where there is no such code. */
export function problemPage(code: string, catalogue: ProblemCatalogue): LocalResponse | undefined {
  const problem = catalogue.get(code);
  if (!problem) return undefined;
  const { status, title, meaning, operator } = problem;
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p class="status"><code>${code}</code> · HTTP ${status}</p>
${section("What it means", meaning)}${section("For the operator of the gateway", operator)}<p><a href="/gateway/problems">All problems</a></p>`,
  );
}

function section(heading: string, about: string | undefined): string {
  return about === undefined ? "" : `<h2>${heading}</h2><p>${text(about)}</p>\n`;
}

export function problemIndex(catalogue: ProblemCatalogue): LocalResponse {
  const items = [...catalogue]
    .sort(([a, one], [b, other]) => one.status - other.status || a.localeCompare(b))
    .map(
      ([code, { status, title }]) =>
        `<li>${status} <a href="/gateway/problems/${code}"><code>${code}</code></a> ${escapeHtml(title)}</li>`,
    );
  return page(
    "Problems",
    `<h1>Problems</h1><p>Every answer that this gateway makes itself when it refuses.</p><ul>${items.join("\n")}</ul>`,
  );
}

function page(title: string, body: string): LocalResponse {
  return htmlPage({ title, body, cacheControl: "private, max-age=3600" });
}

/** Text of the catalogue, in which backticks mark code. */
function text(raw: string): string {
  return escapeHtml(raw).replace(/`([^`]+)`/g, "<code>$1</code>");
}
