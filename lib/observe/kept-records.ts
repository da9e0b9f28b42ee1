/**
 * Requests kept in the log store, so that an operator finds yesterday's by its id. Refusals, failures and slow requests come first. Each
 * kind has its share of a batch, so that an attack fills neither the store nor the bill, and displaces nothing else.
 */
import type { Json } from "../contract/json.ts";
import type { RequestRecord } from "../contract/record.ts";
import type { EventLog } from "../contract/stores/log.ts";
import type { Redact } from "./redaction.ts";
import { type RequestLine, requestLine } from "./request-line.ts";

/** The stream's name in the log store. */
export const REQUESTS_STREAM = "requests";

/** What is kept of a request: its line of the log, and what each step said. */
export interface KeptRecord extends RequestLine {
  readonly steps: RequestRecord["steps"];
}

/** Of one batch: of a kind (code or class of status, and route), of ordinary answers together, of everything. */
const MAX_OF_KIND = 10;
const MAX_ORDINARY = 50;
const MAX_OF_ALL = 200;
const SLOW_MS = 1_000;

export interface KeptRecords {
  add(record: RequestRecord, redact: Redact): void;
  /** Hands over what is kept, in one turn of the event loop. A store that is away loses them. */
  flush(): Promise<void>;
}

export function createKeptRecords(store: EventLog): KeptRecords {
  /** As text, which holds nothing else of the request alive. */
  let kept: (readonly [text: string, endedMs: number])[] = [];
  let ofKind = new Map<string, number>();
  let ordinary = 0;
  return {
    add(record, redact) {
      if (kept.length >= MAX_OF_ALL) return;
      const { code, status, aborted, durationMs, route, startedAt, steps } = record;
      const isOrdinary = code === undefined && status < 400 && !aborted && durationMs < SLOW_MS;
      if (isOrdinary && ordinary >= MAX_ORDINARY) return;
      const kind = `${code ?? Math.floor(status / 100)} ${route}`;
      const known = ofKind.get(kind) ?? 0;
      if (known >= MAX_OF_KIND) return;
      ofKind.set(kind, known + 1);
      if (isOrdinary) ordinary++;
      const value: KeptRecord = { ...requestLine(record, redact(record)), steps };
      kept.push([JSON.stringify(value), startedAt + durationMs]);
    },
    async flush() {
      const batch = kept;
      kept = [];
      ofKind = new Map();
      ordinary = 0;
      await Promise.all(batch.map(([text, endedMs]) => store.append(REQUESTS_STREAM, JSON.parse(text) as Json, endedMs)));
    },
  };
}
