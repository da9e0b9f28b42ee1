/** `frontdesk routes`: every route in the order in which they are asked. */
import { CONFIG_FLAG, type Command, configFile, JSON_FLAG, OK } from "./command.ts";
import { loadGateway } from "./load-gateway.ts";
import { bold, columns, quiet } from "./page.ts";
import { type RouteFacts, routeFacts } from "./route-facts.ts";
import { addressText, destinationText, methodsText, stepsText } from "./route-line.ts";

export const routes: Command = {
  name: "routes",
  summary: "lists the routes, the most specific first",
  operands: "[file]",
  maxOperands: 1,
  flags: { config: CONFIG_FLAG, json: JSON_FLAG },
  details: "The first line whose host, path and conditions fit a request is its route. A method that it does not serve is 405.",
  async run(call) {
    const facts = routeFacts(await loadGateway(call.cwd, configFile(call, call.operands[0])));
    return { code: OK, out: call.has("json") ? JSON.stringify(facts, null, 2) : table(facts) };
  },
};

function table(facts: readonly RouteFacts[]): string {
  const rows = facts.map((route) => [
    methodsText(route),
    bold(addressText(route)),
    route.when.join(", "),
    destinationText(route.goesTo),
    stepsText(route.byMethod.at(-1)!.steps),
    quiet(route.position),
  ]);
  const head = ["METHODS", "PATH", "WHEN", "GOES TO", "STEPS", "IN THE CONFIG"].map(quiet);
  // A column that is empty throughout would only push the others apart.
  const kept = head.map((_, index) => rows.some((row) => row[index] !== ""));
  return columns([head, ...rows].map((row) => row.filter((_, index) => kept[index])));
}
