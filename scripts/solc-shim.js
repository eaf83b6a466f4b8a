#!/usr/bin/env node
// A native-looking `solc` on npm's WebAssembly build of the same compiler.
//
// Native solc is on no package registry, and npm's own `solcjs` prints extra text on stdout that
// breaks JSON parsers. py-solc-x, Brownie, forge and crytic-compile need only `--version` and
// `--standard-json`, so that is all there is here.
"use strict";

const fs = require("fs");
const path = require("path");

const USAGE = `usage: solc --version
       solc --standard-json [FILE|-] [--base-path DIR] [--include-path DIR]... [--allow-paths LIST]`;

function fail(message) {
  process.stderr.write(`solc-shim: ${message}\n${USAGE}\n`);
  process.exitCode = 1;
}

function parse(argv) {
  const options = { mode: null, input: "-", basePath: ".", includePaths: [] };
  const words = argv.flatMap((word) =>
    /^--[a-z-]+=/.test(word)
      ? [word.slice(0, word.indexOf("=")), word.slice(word.indexOf("=") + 1)]
      : [word],
  );
  for (let i = 0; i < words.length; i += 1) {
    switch (words[i]) {
      case "--version":
      case "--help":
      case "--standard-json":
        options.mode = options.mode || words[i];
        break;
      case "--base-path":
        options.basePath = words[(i += 1)] || ".";
        break;
      case "-I":
      case "--include-path":
        options.includePaths.push(words[(i += 1)]);
        break;
      case "--allow-paths":
        // Accepted for the callers' sake. A sandbox would add nothing: whoever can run this script
        // can read the same files.
        i += 1;
        break;
      default:
        if (words[i].startsWith("--")) throw new Error(`unknown option ${words[i]}`);
        options.input = words[i];
    }
  }
  return options;
}

function reader(options) {
  const roots = [options.basePath, ...options.includePaths];
  return (unit) => {
    const name = unit.replace(/^file:\/\//, "");
    for (const root of roots) {
      const file = path.resolve(root, name);
      if (fs.existsSync(file)) return { contents: fs.readFileSync(file, "utf8") };
    }
    return { error: `File not found: ${name} (searched ${roots.join(", ")})` };
  };
}

async function readInput(input) {
  if (input !== "-") return fs.readFileSync(input, "utf8");
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

async function main() {
  const options = parse(process.argv.slice(2));
  if (options.mode === "--standard-json") {
    const input = await readInput(options.input);
    const solc = require("solc");
    process.stdout.write(`${solc.compile(input, { import: reader(options) })}\n`);
  } else if (options.mode === "--version") {
    const version = require("solc").version();
    process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version}\n`);
  } else if (options.mode === "--help") {
    process.stdout.write(`${USAGE}\n`);
  } else {
    fail("nothing to do");
  }
}

main().catch((error) => fail(error.message));
