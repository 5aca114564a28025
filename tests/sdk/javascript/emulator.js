'use strict';

/**
 * A `lean-emu up` in a process of its own, the SDK of this process pointed at it, and what it saw.
 *
 * LEAN_EMU names the program to start. LEANCLOUD_SDK_PYTHON is an interpreter with the official
 * Python SDK for the cloud code; without it no code runs and the tests of hooks are skipped.
 */

const { spawn } = require('node:child_process');
const { cp, mkdtemp, readFile, rm } = require('node:fs/promises');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { after, before } = require('node:test');

const AV = require('leancloud-storage');

const PROJECTS = path.join(__dirname, '..', '..', '..', 'fixtures', 'cloud');
const START_MS = 30_000;
const PYTHON = process.env.LEANCLOUD_SDK_PYTHON;

/** For the `skip` option of tests that need cloud code. */
const withoutCode = PYTHON ? false : 'LEANCLOUD_SDK_PYTHON names no interpreter with the Python SDK';

class Emulator {
  constructor(name, options) {
    this.name = name;
    this.options = options;
  }

  async start() {
    this.folder = await mkdtemp(path.join(tmpdir(), 'lean-emu-sdk-'));
    const project = path.join(this.folder, this.name);
    await cp(path.join(PROJECTS, this.name), project, { recursive: true });
    const [program, ...words] = (process.env.LEAN_EMU ?? 'lean-emu').split(/\s+/);
    const code = PYTHON ? ['--python', PYTHON] : ['--no-code'];
    this.process = spawn(program, [...words, 'up', project, '--port', '0', ...this.options, ...code], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.output = '';
    this.ended = new Promise(resolve => this.process.once('exit', resolve));
    await this.#ready();
    const run = JSON.parse(await readFile(path.join(project, '.lean-emu', 'run.json'), 'utf8'));
    this.apiUrl = run.api_url;
    this.keys = JSON.parse(await readFile(path.join(project, '.lean-emu', 'keys.json'), 'utf8'));
    AV.init({
      appId: this.keys.app_id,
      appKey: this.keys.app_key,
      masterKey: this.keys.master_key,
      hookKey: this.keys.hook_key,
      serverURL: this.apiUrl,
    });
  }

  /** Settles with the line that says so; everything the program prints is kept for failures. */
  async #ready() {
    let late;
    try {
      await new Promise((resolve, reject) => {
        const fail = why => reject(new Error(`${why}:\n${this.output}`));
        late = setTimeout(fail, START_MS, `no ready line in ${START_MS} ms`);
        const read = chunk => {
          this.output += chunk;
          if (/^ready in [\d.]+ ?s$/m.test(this.output)) resolve();
        };
        this.process.stdout.on('data', read);
        this.process.stderr.on('data', read);
        this.process.once('error', e => fail(`LEAN_EMU cannot be started, ${e.message}`));
        this.ended.then(code => fail(`lean-emu ended early with ${code}`));
      });
    } finally {
      clearTimeout(late);
    }
  }

  async stop() {
    if (this.process && this.process.exitCode === null) {
      this.process.kill('SIGINT');
      await this.ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** One plain request with the master key; the parsed JSON. */
  async request(method, where, body) {
    const answer = await fetch(this.apiUrl + where, {
      method,
      headers: {
        'X-LC-Id': this.keys.app_id,
        'X-LC-Key': `${this.keys.master_key},master`,
        'Content-Type': 'application/json',
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return answer.json();
  }

  /** An object as it goes over the wire. */
  stored(object) {
    return this.request('GET', `/1.1/classes/${object.className}/${object.id}?returnACL=true`);
  }

  async forget() {
    await this.request('POST', '/__emu/settle');
    await this.request('DELETE', '/__emu/traces');
  }

  /** Every step of every trace since `forget`, oldest first. */
  async steps() {
    await this.request('POST', '/__emu/settle');
    const { results } = await this.request('GET', '/__emu/traces');
    const walk = step => [step, ...step.children.flatMap(walk)];
    return results.flatMap(walk);
  }

  /** How often each hook ran since `forget`: `{ 'beforeSave Counted': 1 }`. */
  async fired() {
    const counts = {};
    for (const step of await this.steps()) {
      if (step.kind === 'hook' && step.outcome !== 'skipped') {
        const name = `${step.hook} ${step.className}`;
        counts[name] = (counts[name] ?? 0) + 1;
      }
    }
    return counts;
  }
}

/** An emulator of a fixture project that runs as long as the tests of the calling file. */
function emulatorForThisFile(name = 'counted', ...options) {
  const emulator = new Emulator(name, options);
  before(() => emulator.start());
  after(() => emulator.stop());
  return emulator;
}

let classes = 0;

/** A class that no other test writes to. */
function freshClass(name = 'Thing') {
  classes += 1;
  return AV.Object.extend(`${name}${classes}`);
}

/** Saves one object per list of attributes, in this order; gives them. */
async function saved(Class, ...rows) {
  const objects = [];
  for (const attributes of rows) {
    objects.push(await new Class(attributes).save());
  }
  return objects;
}

/** The object read again from the server. */
function reread(object) {
  return new AV.Query(object.className).get(object.id);
}

module.exports = { AV, emulatorForThisFile, freshClass, reread, saved, withoutCode };
