/**
 * `hash:…`: the same value goes to the same target, on every instance and without a table (rendezvous hashing, highest random
 * weight). Each target draws a number from the value; the highest wins. So a target that leaves moves only the values that it had,
 * and one that comes takes only its share.
 */
import type { Balance } from "../../contract/compiled/backend.ts";
import type { Exchange } from "../../contract/exchange.ts";
import { cookieValue } from "../../http/cookie.ts";
import type { Random } from "../random.ts";
import type { BackendTarget } from "../target.ts";
import type { Choose } from "./choose.ts";
import { hashText, mix } from "./hash.ts";

type HashBalance = Extract<Balance, { by: "hash" }>;

/** Of draws, which are signed. */
const LOWEST = -(2 ** 31);

export function rendezvous(balance: HashBalance, random: Random): Choose {
  return (fit, exchange) => {
    const value = keyOf(balance, exchange) ?? exchange.request.client.ip;
    // A caller of whom nothing is known: any will do.
    const key = value === undefined ? Math.floor(random() * 2 ** 32) | 0 : hashText(value);
    let chosen: BackendTarget | undefined;
    let best = 0;
    let highest = fit[0]!;
    let draw = LOWEST;
    for (let i = 0; i < fit.length; i++) {
      const target = fit[i]!;
      if (target.weight !== highest.weight) {
        const score = scoreOf(draw, highest.weight);
        if (chosen === undefined || score > best) {
          chosen = highest;
          best = score;
        }
        highest = target;
        draw = LOWEST;
      }
      const own = mix(key ^ target.seed);
      if (own > draw) {
        highest = target;
        draw = own;
      }
    }
    return chosen === undefined || scoreOf(draw, highest.weight) > best ? highest : chosen;
  };
}

/**
 * With weights, the draw u of (0, 1) counts as -w / ln u (Schindelhauer and Schomaker, "Weighted distributed hash tables"). Among equal
 * weights the higher draw wins as it is: targets come sorted by weight, so that there is one logarithm for each weight.
 */
function scoreOf(draw: number, weight: number): number {
  return -weight / Math.log((draw - LOWEST + 0.5) / 2 ** 32);
}

/** What a sticky cookie of ours, drawn for this very request, is left under in `state`: the caller does not have it yet. */
export const STICKY = "balance";

function keyOf(balance: HashBalance, { request, consumer, state }: Exchange): string | undefined {
  switch (balance.of) {
    case "ip":
      return undefined;
    case "consumer":
      return consumer?.id;
    case "header":
      return request.headers.get(balance.name);
    case "cookie":
      return cookieValue(request.headers, balance.name) ?? (state[STICKY] as string | undefined);
  }
}
