/** The steps of a request and its attempts at backends, one after the other, each with its time. */
import type { KeptRecord } from "../../../lib/observe/kept-records.ts";
import { msText } from "./number-text.ts";

interface Bar {
  readonly name: string;
  readonly said: string;
  readonly startMs: number;
  readonly ms: number;
  readonly tone: "ok" | "warn" | "bad" | "cache";
}

export function Waterfall({ record }: { readonly record: KeptRecord }) {
  const bars = barsOf(record);
  const total = Math.max(record.durationMs, bars.at(-1)?.startMs ?? 0, 0.001);
  return (
    <ol className="waterfall">
      {bars.map(({ name, said, startMs, ms, tone }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the order is the identity, and a record does not change.
        <li key={index}>
          <span>
            <code>{name}</code> <span className="quiet">{said}</span>
          </span>
          <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
            <rect className="track" width="100" height="10" />
            <rect className={`fill-${tone}`} x={(startMs / total) * 100} width={Math.max(0.6, (ms / total) * 100)} height="10" />
          </svg>
          <span className="number">{msText(ms)}</span>
        </li>
      ))}
    </ol>
  );
}

/** Records hold how long each took, not when it began: they ran one after the other. */
function barsOf({ steps, attempts = [], durationMs, source }: KeptRecord): Bar[] {
  let startMs = 0;
  const next = (bar: Omit<Bar, "startMs">): Bar => {
    const placed = { ...bar, startMs };
    startMs += bar.ms;
    return placed;
  };
  return [
    ...steps.map(({ policy, verdict, code, reason, ms }) =>
      next({ name: policy, said: [verdict, code, reason].filter(Boolean).join(": "), ms, tone: toneOf(verdict) }),
    ),
    ...attempts.map(({ target, status, error, ms }) =>
      next({ name: target, said: String(status ?? error), ms, tone: status === undefined || status >= 500 ? "bad" : "ok" }),
    ),
    { name: "whole request", said: `answered by ${source}`, startMs: 0, ms: durationMs, tone: "cache" },
  ];
}

function toneOf(verdict: KeptRecord["steps"][number]["verdict"]): Bar["tone"] {
  if (verdict === "failed") return "bad";
  return verdict === "passed" || verdict === "answered" ? "ok" : "warn";
}
