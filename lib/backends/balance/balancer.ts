/** How one of several targets is chosen. One file for each way; all of them see only targets that can take the request. */
import type { Balance } from "../../contract/compiled/backend.ts";
import type { Random } from "../random.ts";
import type { Choose } from "./choose.ts";
import { leastInFlight } from "./least-inflight.ts";
import { nearest } from "./nearest.ts";
import { powerOfTwo } from "./power-of-two.ts";
import { rendezvous } from "./rendezvous.ts";
import { roundRobin } from "./round-robin.ts";

export function createBalancer(balance: Balance, slowStartMs: number, random: Random): Choose {
  switch (balance.by) {
    case "round-robin":
      return roundRobin(slowStartMs);
    case "least-inflight":
      return leastInFlight(slowStartMs, random);
    case "p2c":
      return powerOfTwo(slowStartMs, random);
    case "nearest":
      return nearest(slowStartMs);
    case "hash":
      return rendezvous(balance, random);
  }
}
