/** A page for each problem code: where `type` of a problem leads. Plain HTML without scripts, so both hosts serve the same. */

import { type Answer, isProblemCode, PROBLEMS, type ProblemCode } from "../contract/problem.ts";
import { escapeHtml, htmlPage } from "./html-page.ts";

/** The page of a code, or undefined where there is no such code. */
export function problemPage(code: string): Answer | undefined {
  if (!isProblemCode(code)) return undefined;
  const { status, title, meaning, operator } = PROBLEMS[code];
  return page(
    title,
    `<h1>${escapeHtml(title)}</h1>
<p class="status"><code>${code}</code> · HTTP ${status}</p>
<h2>What it means</h2><p>${text(meaning)}</p>
<h2>For the operator of the gateway</h2><p>${text(operator)}</p>
<p><a href="/gateway/problems">All problems</a></p>`,
  );
}

export function problemIndex(): Answer {
  const items = (Object.keys(PROBLEMS) as ProblemCode[])
    .sort((a, b) => PROBLEMS[a].status - PROBLEMS[b].status || a.localeCompare(b))
    .map(
      (code) =>
        `<li>${PROBLEMS[code].status} <a href="/gateway/problems/${code}"><code>${code}</code></a> ${escapeHtml(PROBLEMS[code].title)}</li>`,
    );
  return page(
    "Problems",
    `<h1>Problems</h1><p>Every answer that this gateway makes itself when it refuses.</p><ul>${items.join("\n")}</ul>`,
  );
}

function page(title: string, body: string): Answer {
  return htmlPage({ title, body, cacheControl: "private, max-age=3600" });
}

/** Text of the catalogue, in which backticks mark code. */
function text(raw: string): string {
  return escapeHtml(raw).replace(/`([^`]+)`/g, "<code>$1</code>");
}
