/** The targets that fit a request, in the order in which they are asked. */
import type { CompiledTarget } from "../contract/compiled/backend.ts";
import type { TargetOrder } from "../contract/exchange.ts";

type Ranked = Pick<CompiledTarget, "weight" | "priority">;

/**
 * The lowest rank first, and within it the lowest priority. A weight of 0 takes no requests; equal weights stand together, which spares
 * rendezvous hashing work.
 */
export function targetOrderOf(targets: readonly Ranked[], rankOf: (index: number) => number): TargetOrder {
  const taking = [...targets.keys()].filter((index) => targets[index]!.weight > 0);
  taking.sort(
    (a, b) =>
      rankOf(a) - rankOf(b) || targets[a]!.priority - targets[b]!.priority || targets[b]!.weight - targets[a]!.weight || a - b,
  );
  const levels: number[][] = [];
  for (const index of taking) {
    const level = levels.at(-1);
    const first = level?.[0];
    const isSame =
      first !== undefined && rankOf(first) === rankOf(index) && targets[first]!.priority === targets[index]!.priority;
    if (isSame) level!.push(index);
    else levels.push([index]);
  }
  return levels;
}
