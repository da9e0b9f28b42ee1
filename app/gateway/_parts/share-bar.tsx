/** A bar for a part of a whole. The number stands beside it, so that it is a picture only. */
interface ShareBarProps {
  readonly part: number;
  readonly whole: number;
  readonly tone?: "ok" | "cache" | "warn" | "bad";
}

export function ShareBar({ part, whole, tone = "warn" }: ShareBarProps) {
  const width = whole > 0 ? Math.min(100, (part / whole) * 100) : 0;
  return (
    <svg className="share" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect className="track" width="100" height="6" />
      <rect className={`fill-${tone}`} width={width} height="6" />
    </svg>
  );
}
