/** A coloured dot with its state in words: colour alone tells nothing. */
const TONES: Readonly<Record<string, string>> = {
  up: "good",
  live: "good",
  active: "good",
  warming: "warn",
  retiring: "warn",
  trying: "warn",
  down: "bad",
  away: "bad",
  revoked: "bad",
};

export function StateDot({ state }: { readonly state: string }) {
  return (
    <span className="state">
      <svg className={`dot ${TONES[state] ?? "none"}`} viewBox="0 0 8 8" aria-hidden="true">
        <circle cx="4" cy="4" r="4" />
      </svg>
      {state}
    </span>
  );
}
