'use strict';

/** The recipe for mocha in docs/testing.md, as it stands there. */

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const PAGE = path.join(__dirname, '..', '..', '..', 'docs', 'testing.md');
const BLOCK = /^```(json|js)\n([\s\S]*?)^```/gm;

test('mocha runs beside an emulator that is put back for each test', () => {
  const recipe = readFileSync(PAGE, 'utf8').split('\n## mocha')[1];
  const [packageFile, hook, tests] = [...recipe.matchAll(BLOCK)].map(found => found[2]);
  const [, rc] = recipe.match(/`\.mocharc\.json` names the hook: `(.*)`/);
  const project = path.join(mkdtempSync(path.join(tmpdir(), 'lean-emu-mocha-')), '测试 mocha');
  try {
    mkdirSync(path.join(project, 'test'), { recursive: true });
    const program = process.env.LEAN_EMU ?? 'lean-emu';
    writeFileSync(path.join(project, 'package.json'), packageFile.replace('lean-emu', program));
    writeFileSync(path.join(project, '.mocharc.json'), rc);
    writeFileSync(path.join(project, 'test', 'emulator.js'), hook);
    writeFileSync(path.join(project, 'test', 'reviews.test.js'), tests);
    symlinkSync(path.join(__dirname, 'node_modules'), path.join(project, 'node_modules'));
    const run = () =>
      spawnSync('npm', ['test'], {
        cwd: project,
        encoding: 'utf8',
        env: { ...process.env, LEAN_EMU_CODE: 'false' },
        timeout: 60_000,
      });

    const passed = run();
    assert.equal(passed.status, 0, passed.stdout + passed.stderr);
    assert.match(passed.stdout, /2 passing/);

    const without = hook.replace('POST", "snapshots/start/load', 'POST", "settle');
    writeFileSync(path.join(project, 'test', 'emulator.js'), without);
    const failed = run();
    assert.equal(failed.status, 1, failed.stdout + failed.stderr);
    assert.match(failed.stdout, /1 passing[\s\S]*1 failing/);
  } finally {
    rmSync(path.dirname(project), { recursive: true });
  }
});
