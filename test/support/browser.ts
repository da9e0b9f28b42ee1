/** Debian's Chromium, driven by playwright-core. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";

const PROGRAM = "/usr/bin/chromium";
const MISSING = "chromium is not installed: apt-get install chromium, or run the tests as root on Debian/Ubuntu so that they can";

/** Installs Chromium where it is missing and this process may. */
export function ensureChromium(): void {
  if (existsSync(PROGRAM)) return;
  if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) throw new Error(MISSING);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    execFileSync("apt-get", ["update"], { env, stdio: "pipe" });
    execFileSync("apt-get", ["install", "-y", "--no-install-recommends", "chromium"], { env, stdio: "pipe" });
  } catch (error) {
    throw new Error(MISSING, { cause: error });
  }
}

/** Without the flags after the first, Chromium calls its maker at every start. */
export function launchBrowser(): Promise<Browser> {
  const args = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ];
  return chromium.launch({ executablePath: PROGRAM, args });
}
