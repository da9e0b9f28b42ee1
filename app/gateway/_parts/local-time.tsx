/** A time in the browser's zone, relative or of the clock; its title has the whole. The server writes UTC. */
"use client";
import { useSyncExternalStore } from "react";

type Form = "ago" | "clock" | "day";

const TICK_MS = 1_000;

export function LocalTime({ time, form = "ago" }: { readonly time: string; readonly form?: Form }) {
  const nowSeconds = useSyncExternalStore(subscribe, seconds, unknown);
  const date = new Date(time);
  const isServer = nowSeconds === 0;
  const text = isServer ? `${time.slice(0, 16).replace("T", " ")} UTC` : textOf(date, nowSeconds, form);
  return (
    <time dateTime={time} title={isServer ? time : date.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" })}>
      {text}
    </time>
  );
}

function subscribe(onTick: () => void): () => void {
  const timer = setInterval(onTick, TICK_MS);
  return () => clearInterval(timer);
}

const seconds = () => Math.floor(Date.now() / 1_000);
const unknown = () => 0;

function textOf(date: Date, nowSeconds: number, form: Form): string {
  if (form === "clock") return date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  if (form === "day") return date.toLocaleDateString(undefined, { month: "short", day: "numeric" });
  const away = nowSeconds - date.getTime() / 1_000;
  const [amount, unit] = inUnits(Math.abs(away));
  if (Math.abs(away) < 1) return "now";
  return away > 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`;
}

function inUnits(seconds: number): [amount: number, unit: string] {
  if (seconds < 60) return [Math.floor(seconds), "s"];
  if (seconds < 3_600) return [Math.floor(seconds / 60), "min"];
  return seconds < 86_400 ? [Math.floor(seconds / 3_600), "h"] : [Math.floor(seconds / 86_400), "d"];
}
