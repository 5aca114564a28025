'use strict';

/** What fires, how often, and cloud functions. */

const assert = require('node:assert/strict');
const { beforeEach, suite, test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, reread, saved, withoutCode } = require('./emulator');

suite('hooks and functions', { skip: withoutCode }, () => {
  const emulator = emulatorForThisFile();
  const Counted = AV.Object.extend('Counted');

  /** An object whose own creation is not counted. */
  async function counted(attributes) {
    const [made] = await saved(Counted, attributes);
    await emulator.forget();
    return made;
  }

  beforeEach(() => emulator.forget());

  test('a create fires before and after the save, once', async () => {
    const made = await new Counted({ name: 'a' }).save();
    assert.deepEqual(await emulator.fired(), { 'beforeSave Counted': 1, 'afterSave Counted': 1 });
    assert.equal((await reread(made)).get('checked'), true);
  });

  test('fetchWhenSave shows what beforeSave set', async () => {
    const made = await new Counted({ name: 'a' }).save(null, { fetchWhenSave: true });
    assert.equal(made.get('checked'), true);
  });

  test('an update fires before and after the update, once', async () => {
    const made = await counted({ name: 'a' });
    await made.save({ name: 'b' });
    assert.deepEqual(await emulator.fired(), {
      'beforeUpdate Counted': 1,
      'afterUpdate Counted': 1,
    });
  });

  test('a destroy fires before and after the delete, once', async () => {
    const made = await counted({ name: 'a' });
    await made.destroy();
    assert.deepEqual(await emulator.fired(), {
      'beforeDelete Counted': 1,
      'afterDelete Counted': 1,
    });
  });

  test('a refused create stores nothing and fires nothing after', async () => {
    await counted({ name: 'there' });
    await assert.rejects(new Counted({ name: 'never', refused: true }).save(), error => {
      assert.equal(error.code, 142);
      assert.match(
        error.message,
        /^Cloud Code validation failed\. Error detail : refused before the save/
      );
      return true;
    });
    assert.equal(await new AV.Query(Counted).equalTo('name', 'never').count(), 0);
    assert.deepEqual(await emulator.fired(), { 'beforeSave Counted': 1 });
  });

  test('a refused update keeps the old', async () => {
    const made = await counted({ name: 'a' });
    await assert.rejects(made.save({ locked: true, name: 'b' }), { code: 142 });
    assert.equal((await reread(made)).get('name'), 'a');
    assert.deepEqual(await emulator.fired(), { 'beforeUpdate Counted': 1 });
  });

  test('a refused delete keeps the object', async () => {
    const made = await counted({ name: 'a', kept: true });
    await assert.rejects(made.destroy(), { code: 142 });
    assert.equal((await reread(made)).id, made.id);
    assert.deepEqual(await emulator.fired(), { 'beforeDelete Counted': 1 });
  });

  test('every object of a batch fires its own', async () => {
    const old = await counted({ name: 'old' });
    await AV.Object.saveAll([
      new Counted({ name: 'a' }),
      new Counted({ name: 'b' }),
      old.set('name', 'new'),
    ]);
    assert.deepEqual(await emulator.fired(), {
      'beforeSave Counted': 2,
      'afterSave Counted': 2,
      'beforeUpdate Counted': 1,
      'afterUpdate Counted': 1,
    });
  });

  test('destroyAll fires for each object, and one refusal is told', async () => {
    const objects = await saved(Counted, { name: 'a' }, { name: 'b' }, { name: 'c' });
    await emulator.forget();
    await AV.Object.destroyAll(objects);
    assert.deepEqual(await emulator.fired(), {
      'beforeDelete Counted': 3,
      'afterDelete Counted': 3,
    });
    const kept = await counted({ kept: true });
    await assert.rejects(AV.Object.destroyAll([kept]), { code: 142 });
  });

  test('reading and counting fire nothing', async () => {
    const made = await counted({ name: 'quiet' });
    await made.fetch();
    await new AV.Query(Counted).find();
    await new AV.Query(Counted).count();
    assert.deepEqual(await emulator.fired(), {});
  });

  test('a write that fails for its condition fires nothing', async () => {
    const made = await counted({ name: 'a' });
    made.set('name', 'b');
    const query = new AV.Query(Counted).equalTo('name', 'other');
    await assert.rejects(made.save(null, { query }), { code: 305 });
    assert.deepEqual(await emulator.fired(), {});
  });

  test('who knows the hook key may switch hooks off', async () => {
    const quiet = new Counted({ name: 'quiet', refused: true });
    quiet.disableBeforeHook();
    quiet.disableAfterHook();
    await quiet.save();
    assert.deepEqual(await emulator.fired(), {});
    assert.equal((await reread(quiet)).get('checked'), undefined);
    const half = new Counted({ name: 'half' });
    half.ignoreHook('afterSave');
    await half.save();
    assert.deepEqual(await emulator.fired(), { 'beforeSave Counted': 1 });
  });

  test('destroyAll takes the switched off hooks of each object', async () => {
    const [quiet, loud] = await saved(Counted, { kept: true }, { name: 'loud' });
    await emulator.forget();
    quiet.ignoreHook('beforeDelete');
    await AV.Object.destroyAll([quiet, loud]);
    assert.deepEqual(await emulator.fired(), {
      'beforeDelete Counted': 1,
      'afterDelete Counted': 2,
    });
  });

  test('run gives what the function gave', async () => {
    const sent = { n: 1, text: '影', list: [1, null], map: { a: true } };
    assert.deepEqual(await AV.Cloud.run('echo', sent), sent);
  });

  test('run gives dates as dates', async () => {
    const { at } = await AV.Cloud.run('echo', { at: new Date(1000) });
    assert.equal(+at, 1000);
  });

  test('the error of a function comes with its code', async () => {
    await assert.rejects(AV.Cloud.run('refuse'), error => {
      assert.equal(error.code, 4242);
      assert.match(error.message, /^refused by the function/);
      return true;
    });
    await assert.rejects(AV.Cloud.run('nobodyDefinedThis'), { code: 404 });
  });

  test('rpc sends and gives whole objects', async () => {
    const Thing = freshClass();
    await saved(Thing, { name: 'same' }, { name: 'same' }, { name: 'other' });
    const newest = await AV.Cloud.rpc('newest', { className: new Thing().className });
    assert.ok(newest instanceof AV.Object);
    assert.equal(newest.get('name'), 'other');
    const [one] = await new AV.Query(Thing).equalTo('name', 'same').find();
    assert.equal(await AV.Cloud.rpc('countOf', { target: one }), 2);
  });

  test('a function knows the user of the session', async () => {
    const user = await AV.User.signUp(`cy${Date.now()}`, 'secret');
    assert.equal(await AV.Cloud.run('who'), user.get('username'));
    await AV.User.logOut();
    assert.equal(await AV.Cloud.run('who'), null);
  });
});
