/** Pages of the gateway's own without Next: plain HTML without scripts, the same on both hosts, in the console's colours. */
import type { LocalResponse } from "../contract/problem.ts";
import { HeaderList } from "../http/header-list.ts";

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.6 ui-sans-serif, system-ui, sans-serif;
    --ink: light-dark(#1c1b19, #ecebe8); --quiet: light-dark(#57534e, #a8a29e); --line: light-dark(#e7e5e4, #38352f);
    --page: light-dark(#fafaf9, #171614); --card: light-dark(#fff, #211f1c) }
  body { max-width: 42rem; margin: 3rem auto; padding: 0 1.25rem; color: var(--ink); background: var(--page) }
  h1 { line-height: 1.25; margin-bottom: .25rem } code { font: .9em ui-monospace, monospace }
  .status { color: var(--quiet) } h2 { font-size: 1rem; margin: 1.75rem 0 .25rem }
  a { color: inherit } li { margin: .2rem 0 }
  form { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 1.5rem; margin-top: 1.5rem }
  label { display: block; font-weight: 600; margin-bottom: .4rem }
  input { box-sizing: border-box; width: 100%; font: inherit; padding: .55rem .75rem; border: 1px solid var(--line); border-radius: 8px;
    background: var(--page); color: inherit }
  button { font: inherit; font-weight: 600; margin-top: 1rem; padding: .55rem 1.1rem; border: 0; border-radius: 8px; cursor: pointer;
    background: var(--ink); color: var(--page) }
  input:focus-visible, button:focus-visible, a:focus-visible { outline: 2px solid #2563eb; outline-offset: 2px }
  .fault { color: light-dark(#b91c1c, #f87171); margin: .6rem 0 0 }`;

export interface HtmlPage {
  readonly status?: number;
  readonly title: string;
  /** HTML: escape what is text. */
  readonly body: string;
  readonly cacheControl: string;
  /** Name, value, name, value. */
  readonly headers?: readonly string[];
  /** Whether it has a form that comes back here. */
  readonly hasForm?: boolean;
}

export function htmlPage({ status = 200, title, body, cacheControl, headers = [], hasForm = false }: HtmlPage): LocalResponse {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; form-action ${hasForm ? "'self'" : "'none'"}; base-uri 'none'; frame-ancestors 'none'`;
  const fields = [
    ["content-type", "text/html; charset=utf-8"],
    ["cache-control", cacheControl],
    ["content-security-policy", policy],
    ["x-content-type-options", "nosniff"],
    ["referrer-policy", "same-origin"],
  ];
  return {
    status,
    headers: new HeaderList([...fields.flat(), ...headers]),
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)} · Frontdesk</title><style>${STYLE}</style></head><body>
${body}
</body></html>
`,
  };
}

export function escapeHtml(raw: string): string {
  return raw.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
