/** The tokens that a model's provider says an answer used, in the forms of OpenAI's and Anthropic's APIs. */

/** A whole number of units, or undefined for anything else. */
export function wholeNumber(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

/** `usage.credits` in a JSON value. */
export function readField(value: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, name) => (isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined), value);
}

/** Adds up what the events of a stream, or one JSON answer, say of usage. */
export class UsageSum {
  /** Known once the answer has told all of it. */
  units: number | undefined;
  readonly #of: "openai" | "anthropic";
  /** Anthropic tells a stream's input at its beginning and its output at the end; the last word on each counts. */
  readonly #parts = new Map<string, number>();

  constructor(of: "openai" | "anthropic") {
    this.#of = of;
  }

  add(value: unknown): void {
    if (!isObject(value)) return;
    if (this.#of === "openai") this.units = openAiTokens(usageIn(value, "response")) ?? this.units;
    else this.#addAnthropic(value);
  }

  #addAnthropic(value: Record<string, unknown>): void {
    const usage = usageIn(value, "message");
    if (!usage) return;
    for (const name of ANTHROPIC_PARTS) {
      const tokens = wholeNumber(usage[name]);
      if (tokens !== undefined) this.#parts.set(name, tokens);
    }
    // `message_start` has the input and a first token or two: what a stream costs is known from its `message_delta`.
    if (value["type"] === "message_start") return;
    this.units = [...this.#parts.values()].reduce((sum, tokens) => sum + tokens, 0);
  }
}

const ANTHROPIC_PARTS = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"];

/** In an answer or an event itself, or in what the event is about (`response.completed`, `message_start`). */
function usageIn(value: Record<string, unknown>, inner: string): Record<string, unknown> | undefined {
  const nested = value[inner];
  const usage = value["usage"] ?? (isObject(nested) ? nested["usage"] : undefined);
  return isObject(usage) ? usage : undefined;
}

/** Chat completions speak of prompt and completion, responses of input and output. */
function openAiTokens(usage: Record<string, unknown> | undefined): number | undefined {
  if (!usage) return undefined;
  const total = wholeNumber(usage["total_tokens"]);
  if (total !== undefined) return total;
  const input = wholeNumber(usage["prompt_tokens"] ?? usage["input_tokens"]);
  const output = wholeNumber(usage["completion_tokens"] ?? usage["output_tokens"]);
  return input === undefined && output === undefined ? undefined : (input ?? 0) + (output ?? 0);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
