/** A route in a line, for people. */
import { odd, quiet } from "./page.ts";
import type { Destination, RouteFacts, StepFacts } from "./route-facts.ts";

export function methodsText({ methods }: { readonly methods?: RouteFacts["methods"] | undefined }): string {
  return methods?.join(", ") ?? "any method";
}

/** Host and path together, as a person would write the address. */
export function addressText({ host, path }: { readonly host?: RouteFacts["host"] | undefined; readonly path: string }): string {
  return `${host ?? ""}${path}`;
}

export function destinationText(destination: Destination): string {
  switch (destination.kind) {
    case "backend": {
      const { backend, mirror, fallback } = destination;
      const copies = mirror ? `, copies ${mirror.percent} % to ${mirror.backend}` : "";
      return `backend ${backend}${copies}${fallback === undefined ? "" : `, else backend ${fallback}`}`;
    }
    case "respond":
      return `answers ${destination.status} itself${destination.contentType === undefined ? "" : ` (${destination.contentType})`}`;
    case "redirect":
      return `redirects (${destination.status}) to ${destination.to}`;
  }
}

export function stepText({ name, mode }: Pick<StepFacts, "name" | "mode">): string {
  return mode === "shadow" ? `${name} ${odd("(shadow)")}` : name;
}

/** Without those that are the destination itself. */
export function stepsText(steps: readonly StepFacts[]): string {
  const others = steps.filter(({ name }) => name !== "respond" && name !== "redirect");
  return others.length === 0 ? quiet("none") : others.map(stepText).join(", ");
}
