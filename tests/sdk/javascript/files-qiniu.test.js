'use strict';

/** Files for clients that insist on Qiniu: a form for what is small, parts for streams. */

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { test } = require('node:test');

process.env.LEAN_EMU_FILE_PROVIDER = 'qiniu';
const { AV, emulatorForThisFile } = require('./emulator');

emulatorForThisFile();

const DATA = Buffer.alloc(300_000, 'lean');

async function content(file) {
  const answer = await fetch(file.url());
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

test('a form', async () => {
  const file = await new AV.File('影评.png', DATA).save();
  assert.match(file.url(), /\.png$/);
  assert.deepEqual(await content(file), DATA);
});

test('parts of a stream', async () => {
  const file = await new AV.File('a.bin', Readable.from([DATA, DATA])).save();
  assert.deepEqual(await content(file), Buffer.concat([DATA, DATA]));
});

test('parts of what is large', async () => {
  const large = Buffer.alloc(65 * 1024 * 1024, 'large');
  const file = await new AV.File('a.bin', large).save();
  assert.ok((await content(file)).equals(large));
});

test('a token of another file is refused', async () => {
  const file = new AV.File('a.png', DATA);
  const announced = file._fileToken.bind(file);
  file._fileToken = async (...args) => ({ ...(await announced(...args)), token: '0'.repeat(40) });
  await assert.rejects(file.save());
});
