'use strict';

/** Files: upload, download, external, metaData, columns, queries. */

const assert = require('node:assert/strict');
const { Readable } = require('node:stream');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, reread, saved } = require('./emulator');

const emulator = emulatorForThisFile();

const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(150_000, 7)]);
const MASTER = { useMasterKey: true };

async function content(url) {
  const answer = await fetch(url);
  assert.equal(answer.status, 200);
  return Buffer.from(await answer.arrayBuffer());
}

/** What a server has of a file, read anew. */
function record(file) {
  return emulator.request('GET', `/1.1/files/${file.id}`);
}

test('save gives id and address, under which the content is', async () => {
  const file = await new AV.File('a.png', PNG).save();
  assert.match(file.id, /^[0-9a-f]{24}$/);
  assert.ok(file.url().startsWith(`${emulator.apiUrl}/__files/`));
  assert.ok(file.url().endsWith('.png'));
  assert.equal(file.get('mime_type'), 'image/png');
  assert.deepEqual(await content(file.url()), PNG);
});

test('data as base64 and as a list of bytes', async () => {
  const text = Buffer.from('影评');
  for (const data of [{ base64: text.toString('base64') }, [...text]]) {
    const file = await new AV.File('a.txt', data).save();
    assert.deepEqual(await content(file.url()), text);
  }
});

test('data as a stream', async () => {
  const file = new AV.File('a.bin', Readable.from([PNG]));
  file.metaData('size', PNG.length);
  await file.save();
  assert.deepEqual(await content(file.url()), PNG);
});

test('the media type can be given', async () => {
  const file = await new AV.File('a.png', PNG, 'application/x-own').save();
  const answer = await fetch(file.url());
  assert.equal(answer.headers.get('content-type'), 'application/x-own');
  await answer.arrayBuffer();
});

test('keepFileName keeps the name in the address', async () => {
  const file = await new AV.File('影 评.png', PNG).save({ keepFileName: true });
  assert.ok(file.url().endsWith(`/${encodeURIComponent('影 评.png')}`));
  assert.deepEqual(await content(file.url()), PNG);
});

test('a key of its own is for the master key', async () => {
  await assert.rejects(new AV.File('a.png', PNG).save({ key: 'own/a.png' }), {
    code: 1,
    message: /Unsupported file key. Please use masterKey to set file key./,
  });
  const file = await new AV.File('a.png', PNG).save({ key: 'own/a.png', ...MASTER });
  assert.equal(file.url(), `${emulator.apiUrl}/__files/own/a.png`);
  assert.deepEqual(await content(file.url()), PNG);
});

test('metaData is stored', async () => {
  const file = new AV.File('a.png', PNG);
  file.metaData('format', 'png');
  file.set('rating', 5);
  await file.save();
  assert.deepEqual((await record(file)).metaData, {
    size: PNG.length,
    owner: 'unknown',
    format: 'png',
    rating: 5,
  });
});

test('the owner is who is signed in', async () => {
  const user = await AV.User.signUp(`ann${Date.now()}`, 'secret');
  try {
    const file = await new AV.File('a.png', PNG).save();
    assert.equal(file.ownerId(), user.id);
  } finally {
    await AV.User.logOut();
  }
});

test('external files', async () => {
  const url = 'https://example.com/logo.png';
  const file = await AV.File.withURL('logo.png', url, { own: 1 }, 'image/png').save();
  const found = await AV.File.createWithoutData(file.id).fetch();
  assert.equal(found.url(), url);
  assert.equal(found.name(), 'logo.png');
  assert.deepEqual(found.metaData(), { own: 1, owner: 'unknown', __source: 'external', size: 0 });
});

test('thumbnails are the original', async () => {
  const file = await new AV.File('a.png', PNG).save();
  const url = file.thumbnailURL(100, 50);
  assert.match(url, /\?imageView\/2\/w\/100\/h\/50/);
  assert.deepEqual(await content(url), PNG);
});

test('a query of files', async () => {
  const file = await new AV.File('wanted.png', PNG).save();
  const query = new AV.Query('_File').equalTo('objectId', file.id);
  const [found, ...others] = await query.find();
  assert.equal(others.length, 0);
  assert.equal(found.get('name'), 'wanted.png');
  assert.equal(found.get('url'), file.url());
  assert.equal(await query.count(), 1);
});

test('destroy is for the master key', async () => {
  const file = await new AV.File('a.png', PNG).save();
  await assert.rejects(file.destroy(), { code: 403 });
  await file.destroy(MASTER);
  assert.equal((await fetch(file.url())).status, 404);
});

test('a file in a column', async () => {
  const file = await new AV.File('a.png', PNG).save();
  const [post] = await saved(freshClass('Post'), { cover: file });
  const cover = (await reread(post)).get('cover');
  assert.ok(cover instanceof AV.File);
  assert.deepEqual([cover.id, cover.name(), cover.url()], [file.id, 'a.png', file.url()]);
  assert.equal(cover.size(), PNG.length);
  const found = await new AV.Query(post.className).equalTo('cover', file).find();
  assert.deepEqual(found.map(one => one.id), [post.id]);
});

test('saving an object saves its new file first', async () => {
  const [post] = await saved(freshClass('Post'), { cover: new AV.File('a.png', PNG) });
  const cover = (await reread(post)).get('cover');
  assert.deepEqual(await content(cover.url()), PNG);
});

test('files in a list', async () => {
  const files = [
    await new AV.File('a.png', PNG).save(),
    await new AV.File('b.txt', Buffer.from('b')).save(),
  ];
  const [post] = await saved(freshClass('Post'), { files });
  const found = (await reread(post)).get('files');
  assert.deepEqual(found.map(file => file.url()), files.map(file => file.url()));
});

test('an object whose file is gone can be read', async () => {
  const file = await new AV.File('a.png', PNG).save();
  const [post] = await saved(freshClass('Post'), { cover: file });
  await file.destroy(MASTER);
  const cover = (await reread(post)).get('cover');
  assert.deepEqual([cover.id, cover.url()], [file.id, '']);
});

test('an ACL hides a record', async () => {
  const file = new AV.File('a.png', PNG);
  file.setACL(new AV.ACL());
  await file.save();
  await assert.rejects(AV.File.createWithoutData(file.id).fetch(), { code: 403 });
});

test('censor has nothing against a file', async () => {
  const file = await new AV.File('a.png', PNG).save();
  assert.equal(await file.censor(), 'pass');
});
