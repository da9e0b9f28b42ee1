/** A route as policies see it: what its config says of it. */
import type { CompiledRoute } from "./compiled/config.ts";

export interface RouteInfo extends Omit<CompiledRoute, "variants" | "priority"> {
  /** The lower, the earlier refused where there is more to do than can be done: an index into PRIORITIES. */
  readonly priority: number;
  /** Names and places of the path's parameters; the place of `*` counts to the end. */
  readonly params: readonly PathParam[];
}

export interface PathParam {
  readonly name: string;
  readonly index: number;
  readonly isRest: boolean;
}
