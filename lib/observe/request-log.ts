/** The request log: one line for each request that the config's sample holds, in the format that it names. */
import type { CompiledConfig } from "../contract/compiled/config.ts";
import type { LogFormat } from "../contract/compiled/observe.ts";
import type { RequestRecord } from "../contract/record.ts";
import { prettyLine } from "./pretty-line.ts";
import type { Redact } from "./redaction.ts";
import { requestLine } from "./request-line.ts";
import { createSampling } from "./sampling.ts";

/** Takes one line, without its line feed. Never throws, and never waits. */
export type WriteLine = (line: string) => void;

export interface RequestLogOptions {
  /** Where the config does not say. */
  readonly format: LogFormat;
  readonly write: WriteLine;
  readonly redact: Redact;
  /** From 0 to 1. */
  readonly random: () => number;
}

/** Undefined where the config switches the log off. */
export function createRequestLog(
  config: Pick<CompiledConfig, "observe" | "routes">,
  { format, write, redact, random }: RequestLogOptions,
): ((record: RequestRecord) => void) | undefined {
  const { observe = {} } = config;
  const { log = format, sample = [] } = observe;
  if (log === false) return undefined;
  const isSampled = createSampling(sample, config, random);
  const lineOf =
    log === "pretty"
      ? (record: RequestRecord) => prettyLine(record, redact(record))
      : (record: RequestRecord) => JSON.stringify(requestLine(record, redact(record)));
  return (record) => {
    if (isSampled(record)) write(lineOf(record));
  };
}
