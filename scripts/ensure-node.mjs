// Runs after `npm ci`: gives every `npm run` and `npx frontdesk` of this checkout a Node that is new enough.
// Where the machine's own Node is (>= 22.19) it installs nothing. Plain JavaScript, because an old Node runs it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const bin = join(root, "node_modules", ".bin");
const MINIMUM = [22, 19];

function isNewEnough(version) {
  const [major, minor] = version.replace(/^v/, "").split(".").map(Number);
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1]);
}

function versionOf(command) {
  return spawnSync(command, ["--version"], { encoding: "utf8" }).stdout?.trim() ?? "";
}

function link(name, target) {
  mkdirSync(bin, { recursive: true });
  const path = join(bin, name);
  if (process.platform === "win32") {
    writeFileSync(`${path}.cmd`, `@"${target}" %*\r\n`);
    return;
  }
  rmSync(path, { force: true });
  symlinkSync(relative(bin, target), path);
}

function installNode() {
  const folder = join(root, "scripts", "node");
  const installed = join(folder, "node_modules", ".bin", process.platform === "win32" ? "node.cmd" : "node");
  if (!existsSync(installed)) {
    console.log(`frontdesk: this machine's Node is ${process.version}; installing Node 24 from npm for this checkout only`);
    spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: "inherit", shell: process.platform === "win32" });
  }
  if (!existsSync(installed) || !isNewEnough(versionOf(installed))) {
    console.error(
      `frontdesk needs Node >= ${MINIMUM.join(".")} and this machine has ${process.version}. ` +
        `npm has no Node 24 for ${process.platform} ${process.arch} that runs here: ` +
        "install Node 24 from your package manager or nodejs.org (macOS: `brew install node@24`), then run `npm ci` again.",
    );
    process.exit(1);
  }
  link("node", installed);
}

// A `node` linked earlier is first on npm's PATH, so it is judged as well as replaced by this check.
if (!isNewEnough(process.version)) installNode();

// `npx frontdesk …` in a checkout finds the project's own command here; npm links only the commands of dependencies.
if (process.platform === "win32") {
  writeFileSync(join(bin, "frontdesk.cmd"), `@node "${join(root, "lib", "cli", "frontdesk.ts")}" %*\r\n`);
} else {
  link("frontdesk", join(root, "lib", "cli", "frontdesk.ts"));
}
