/** One row of the bench: a server, what it is compared with, and how it is started. */
import type { Launch } from "./process.ts";

export interface Row {
  readonly name: string;
  readonly title: string;
  /** The row that is 1.0 to this one, earlier in the list. */
  readonly reference?: string;
  /** The target: at most so many times the reference. `--check` fails above it. */
  readonly atMost?: number;
  /** What is asked for, where it is not PATH; the backend answers everything alike. */
  readonly path?: string;
  /** Tokens for that many requests, sent in turn, to the reference too. */
  tokens?(requests: number): Promise<readonly string[]>;
  /** Slow servers get this share of `--requests` in a round, so that rounds stay short. */
  readonly share?: number;
  /** Builds what must be built. A row that throws is left out, with the reason. */
  prepare?(): void;
  launch(place: Place): Launch;
}

export interface Place {
  readonly backend: string;
  readonly port: number;
  /** Empty, and gone with the bench. */
  readonly folder: string;
}
