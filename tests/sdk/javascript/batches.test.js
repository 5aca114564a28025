'use strict';

/** Many objects at once: saveAll, fetchAll, destroyAll. */

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, reread, saved } = require('./emulator');

emulatorForThisFile();

test('saveAll creates and updates in one go', async () => {
  const Thing = freshClass();
  const [old] = await saved(Thing, { n: 0 });
  const objects = [new Thing({ n: 1 }), old.set('n', 10), new Thing({ n: 2 })];
  await AV.Object.saveAll(objects);
  assert.ok(objects.every(object => object.id && !object.dirty()));
  const found = await new AV.Query(Thing).ascending('n').find();
  assert.deepEqual(found.map(object => object.get('n')), [1, 2, 10]);
});

test('saveAll of several classes', async () => {
  const [One, Two] = [freshClass(), freshClass()];
  await AV.Object.saveAll([new One({ n: 1 }), new Two({ n: 2 })]);
  assert.equal(await new AV.Query(One).count(), 1);
  assert.equal(await new AV.Query(Two).count(), 1);
});

test('saveAll with fetchWhenSave fills in what the server knows', async () => {
  const Thing = freshClass();
  const made = new Thing().increment('n', 5);
  await AV.Object.saveAll([made, new Thing()], { fetchWhenSave: true });
  assert.equal(made.get('n'), 5);
});

test('saveAll saves children before their parents', async () => {
  const [Child, Parent] = [freshClass('Child'), freshClass('Parent')];
  const child = new Child({ n: 1 });
  const parents = [new Parent({ child }), new Parent({ child })];
  await AV.Object.saveAll(parents);
  assert.equal(await new AV.Query(Child).count(), 1);
  assert.equal((await reread(parents[1])).get('child').id, child.id);
});

test('one refusal in saveAll leaves the others saved', async () => {
  const Thing = freshClass();
  await saved(Thing, { n: 1 });
  const [good, bad, last] = [new Thing({ n: 2 }), new Thing({ n: 'two' }), new Thing({ n: 3 })];
  await assert.rejects(AV.Object.saveAll([good, bad, last]), error => {
    assert.equal(error.code, 111);
    assert.equal(error.results.length, 3);
    assert.equal(error.results[1].code, 111);
    return true;
  });
  assert.ok(good.id && last.id && !bad.id);
  assert.equal(await new AV.Query(Thing).count(), 3);
});

test('saveAll of two hundred objects', async () => {
  const Thing = freshClass();
  const objects = Array.from({ length: 200 }, (_, n) => new Thing({ n }));
  await AV.Object.saveAll(objects);
  assert.equal(new Set(objects.map(({ id }) => id)).size, 200);
  assert.equal(await new AV.Query(Thing).count(), 200);
});

test('fetchAll refreshes every object', async () => {
  const [One, Two] = [freshClass(), freshClass()];
  const [a, b] = [(await saved(One, { n: 1 }))[0], (await saved(Two, { n: 2 }))[0]];
  const copies = [
    AV.Object.createWithoutData(One, a.id),
    AV.Object.createWithoutData(Two, b.id),
  ];
  await AV.Object.fetchAll(copies);
  assert.deepEqual(copies.map(copy => copy.get('n')), [1, 2]);
});

test('fetchAll tells which object is not there', async () => {
  const Thing = freshClass();
  const [here] = await saved(Thing, { n: 1 });
  const copies = [
    AV.Object.createWithoutData(Thing, here.id),
    AV.Object.createWithoutData(Thing, '0123456789abcdef01234567'),
    AV.Object.createWithoutData('NobodyWroteToThat', here.id),
  ];
  await assert.rejects(AV.Object.fetchAll(copies), error => {
    assert.deepEqual(error.results.slice(1).map(({ code }) => code), [101, 101]);
    return true;
  });
  assert.equal(copies[0].get('n'), 1);
});

test('destroyAll removes objects of several classes', async () => {
  const [One, Two] = [freshClass(), freshClass()];
  const ones = await saved(One, {}, {}, {});
  const twos = await saved(Two, {}, {});
  await AV.Object.destroyAll([...ones.slice(1), ...twos]);
  assert.deepEqual((await new AV.Query(One).find()).map(({ id }) => id), [ones[0].id]);
  assert.equal(await new AV.Query(Two).count(), 0);
});

test('destroyAll of nothing, and of what is gone', async () => {
  const [gone] = await saved(freshClass(), {});
  await AV.Object.destroyAll([]);
  await AV.Object.destroyAll([gone]);
  await AV.Object.destroyAll([gone]);
});

test('destroyAll refuses what an ACL protects', async () => {
  const acl = new AV.ACL();
  acl.setPublicReadAccess(true);
  const Thing = freshClass();
  const kept = await new Thing().setACL(acl).save();
  await assert.rejects(AV.Object.destroyAll([kept]), { code: 403 });
  assert.equal((await reread(kept)).id, kept.id);
  await AV.Object.destroyAll([kept], { useMasterKey: true });
  await assert.rejects(reread(kept), { code: 101 });
});

test('sign-ups go with saveAll', async () => {
  const user = new AV.User({ username: `bob${Date.now()}`, password: 'secret' });
  const [Thing] = [freshClass()];
  const thing = new Thing({ n: 1 });
  await AV.Object.saveAll([user, thing]);
  assert.ok(user.id && thing.id);
  assert.equal((await AV.User.logIn(user.get('username'), 'secret')).id, user.id);
  await AV.User.logOut();
});
