/** The choice of one of several targets. */
import type { Exchange } from "../../contract/exchange.ts";
import type { BackendTarget } from "../target.ts";

/** `fit` holds at least one, each of weight 1 or more. */
export type Choose = (fit: readonly BackendTarget[], exchange: Exchange, nowMs: number) => BackendTarget;
