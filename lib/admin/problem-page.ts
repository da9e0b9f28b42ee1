/** A page for each problem code: where `type` of a problem leads. Plain HTML without scripts, so both hosts serve the same. */

import { type Answer, isProblemCode, PROBLEMS, type ProblemCode } from "../contract/problem.ts";
import { HeaderList } from "../http/header-list.ts";

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.6 ui-sans-serif, system-ui, sans-serif }
  body { max-width: 42rem; margin: 3rem auto; padding: 0 1.25rem }
  h1 { line-height: 1.25; margin-bottom: .25rem } code { font: .9em ui-monospace, monospace }
  .status { color: light-dark(#6b7280, #9ca3af) } h2 { font-size: 1rem; margin: 1.75rem 0 .25rem }
  a { color: inherit } li { margin: .2rem 0 }`;

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
  return {
    status: 200,
    headers: new HeaderList([
      "content-type",
      "text/html; charset=utf-8",
      "cache-control",
      "private, max-age=3600",
      "content-security-policy",
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      "x-content-type-options",
      "nosniff",
    ]),
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Frontdesk</title><style>${STYLE}</style></head><body>
${body}
</body></html>
`,
  };
}

function escapeHtml(raw: string): string {
  return raw.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Text of the catalogue, in which backticks mark code. */
function text(raw: string): string {
  return escapeHtml(raw).replace(/`([^`]+)`/g, "<code>$1</code>");
}
