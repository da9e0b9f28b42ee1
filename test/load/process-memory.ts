/** What the kernel says of another process: memory and open files, seen from outside so that looking changes nothing. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

export function residentMb(pid: number): number {
  return statusMb(pid, "VmRSS");
}

/** The most since the last `forgetPeak`. */
export function peakResidentMb(pid: number): number {
  return statusMb(pid, "VmHWM");
}

export function forgetPeak(pid: number): void {
  // proc(5): 5 resets the peak to what is resident now.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** Sockets, pipes and files. */
export function openFiles(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function statusMb(pid: number, field: string): number {
  const [, kilobytes] = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  if (kilobytes === undefined) throw new Error(`no ${field} of process ${pid}: this needs Linux`);
  return Number(kilobytes) / 1024;
}
