'use strict';

/** Objects and the operations on their columns. */

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, reread, saved } = require('./emulator');

const emulator = emulatorForThisFile();

test('a first save gives id and times', async () => {
  const Post = freshClass('Post');
  const post = await new Post({ title: 'first' }).save();
  assert.match(post.id, /^[0-9a-f]{24}$/);
  assert.ok(post.createdAt instanceof Date);
  assert.equal(+post.createdAt, +post.updatedAt);
  assert.equal((await reread(post)).get('title'), 'first');
});

test('a later save moves updatedAt and leaves createdAt', async () => {
  const [post] = await saved(freshClass('Post'), { title: 'old' });
  const { createdAt } = post;
  await post.save({ title: 'new' });
  const found = await reread(post);
  assert.equal(found.get('title'), 'new');
  assert.equal(+found.createdAt, +createdAt);
  assert.ok(found.updatedAt >= createdAt);
  assert.equal(+found.updatedAt, +post.updatedAt);
});

const VALUES = {
  text: '评论 “quoted” \u{1F600} \u2028 \\ / \n\t',
  empty: '',
  integer: 42,
  negative: -7,
  fraction: 0.1,
  huge: 1.7976931348623157e308,
  safe: Number.MAX_SAFE_INTEGER,
  yes: true,
  no: false,
  list: [1, 'two', [3, [4]], { five: 6 }, null],
  noList: [],
  map: { a: { b: { c: [1, { d: 'e' }] } } },
  noMap: {},
  nothing: null,
};

for (const [name, value] of Object.entries(VALUES)) {
  test(`a column that holds ${name} comes back as it was`, async () => {
    const [thing] = await saved(freshClass(), { value });
    assert.deepEqual((await reread(thing)).get('value') ?? null, value);
  });
}

test('a Date keeps its milliseconds, also in lists and maps', async () => {
  const at = new Date('2024-02-29T12:30:15.123Z');
  const [thing] = await saved(freshClass(), { at, list: [at], map: { at } });
  const found = await reread(thing);
  assert.equal(+found.get('at'), +at);
  assert.equal(+found.get('list')[0], +at);
  assert.equal(+found.get('map').at, +at);
  assert.deepEqual((await emulator.stored(thing)).at, {
    __type: 'Date',
    iso: '2024-02-29T12:30:15.123Z',
  });
});

test('a GeoPoint comes back as one', async () => {
  const [thing] = await saved(freshClass(), { place: new AV.GeoPoint(39.9, 116.4) });
  const place = (await reread(thing)).get('place');
  assert.ok(place instanceof AV.GeoPoint);
  assert.deepEqual([place.latitude, place.longitude], [39.9, 116.4]);
});

test('a pointer names its object, which can be fetched', async () => {
  const [post] = await saved(freshClass('Post'), { title: 'target' });
  const [comment] = await saved(freshClass('Comment'), { post });
  const target = (await reread(comment)).get('post');
  assert.equal(target.id, post.id);
  assert.equal(target.get('title'), undefined);
  await target.fetch();
  assert.equal(target.get('title'), 'target');
});

test('pointers in lists and maps stay pointers', async () => {
  const [a, b] = await saved(freshClass('Post'), {}, {});
  const [thing] = await saved(freshClass(), { list: [a, b], map: { a } });
  const found = await reread(thing);
  assert.deepEqual(found.get('list').map(post => post.id), [a.id, b.id]);
  assert.equal(found.get('map').a.id, a.id);
});

test('unsaved children are saved with their parent', async () => {
  const Child = freshClass('Child');
  const Parent = freshClass('Parent');
  const parent = new Parent({ one: new Child({ n: 1 }), more: [new Child({ n: 2 })] });
  await parent.save();
  assert.equal(await new AV.Query(Child).count(), 2);
  const found = await new AV.Query(Parent).include('one', 'more').get(parent.id);
  assert.equal(found.get('one').get('n'), 1);
  assert.equal(found.get('more')[0].get('n'), 2);
});

test('a dotted key changes one member of a map', async () => {
  const [thing] = await saved(freshClass(), { profile: { name: 'Mia', age: 41, tags: ['a'] } });
  thing.set('profile.age', 42);
  await thing.save();
  assert.deepEqual((await reread(thing)).get('profile'), { name: 'Mia', age: 42, tags: ['a'] });
});

test('operations reach into maps by dotted keys', async () => {
  const [thing] = await saved(freshClass(), { stats: { seen: 1, gone: true, tags: ['a'] } });
  thing.increment('stats.seen', 4);
  thing.unset('stats.gone');
  thing.add('stats.tags', 'b');
  await thing.save();
  assert.deepEqual((await reread(thing)).get('stats'), { seen: 5, tags: ['a', 'b'] });
});

test('unset removes a column from an object', async () => {
  const [thing] = await saved(freshClass(), { a: 1, b: 2 });
  thing.unset('a');
  await thing.save();
  const wire = await emulator.stored(thing);
  assert.ok(!('a' in wire));
  assert.equal(wire.b, 2);
});

test('null is stored, and is not the same as absent', async () => {
  const [thing] = await saved(freshClass(), { a: null });
  const wire = await emulator.stored(thing);
  assert.ok('a' in wire);
  assert.equal(wire.a, null);
});

test('increment adds to what is there', async () => {
  const [thing] = await saved(freshClass(), { n: 10 });
  await thing.increment('n').save();
  await thing.increment('n', 5).save();
  await thing.increment('n', -0.5).save();
  assert.equal((await reread(thing)).get('n'), 15.5);
});

test('increment on an absent column counts from 0, at creation and later', async () => {
  const Thing = freshClass();
  const thing = await new Thing().increment('made', 3).save();
  await thing.increment('later', 2).save();
  const found = await reread(thing);
  assert.deepEqual([found.get('made'), found.get('later')], [3, 2]);
});

test('fifty increments at once lose none', async () => {
  const Thing = freshClass();
  const [thing] = await saved(Thing, { n: 0 });
  const seen = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const copy = AV.Object.createWithoutData(Thing, thing.id);
      await copy.increment('n').save(null, { fetchWhenSave: true });
      return copy.get('n');
    })
  );
  assert.equal((await reread(thing)).get('n'), 50);
  assert.equal(new Set(seen).size, 50, 'each save saw a number of its own');
});

test('add appends and keeps duplicates', async () => {
  const [thing] = await saved(freshClass(), { tags: ['a'] });
  await thing.add('tags', 'a').save();
  await thing.add('tags', ['b', 'a']).save();
  assert.deepEqual((await reread(thing)).get('tags'), ['a', 'a', 'b', 'a']);
});

test('addUnique appends only what is not there', async () => {
  const [thing] = await saved(freshClass(), { tags: ['a', { deep: [1] }] });
  await thing.addUnique('tags', ['a', 'b', { deep: [1] }, { deep: [2] }]).save();
  assert.deepEqual((await reread(thing)).get('tags'), ['a', { deep: [1] }, 'b', { deep: [2] }]);
});

test('remove drops every equal member', async () => {
  const [thing] = await saved(freshClass(), { tags: ['a', 'b', 'a', { n: 1 }] });
  await thing.remove('tags', ['a', { n: 1 }]).save();
  assert.deepEqual((await reread(thing)).get('tags'), ['b']);
});

test('list operations compare pointers by class and id', async () => {
  const [a, b] = await saved(freshClass('Post'), {}, {});
  const [thing] = await saved(freshClass(), { posts: [a] });
  await thing.addUnique('posts', [a, b]).save();
  assert.deepEqual((await reread(thing)).get('posts').map(({ id }) => id), [a.id, b.id]);
  await thing.remove('posts', a).save();
  assert.deepEqual((await reread(thing)).get('posts').map(({ id }) => id), [b.id]);
});

test('list operations make the list when there is none', async () => {
  const Thing = freshClass();
  const thing = await new Thing().add('added', 'x').addUnique('unique', 'y').save();
  await thing.add('later', 'z').save();
  const found = await reread(thing);
  assert.deepEqual([found.get('added'), found.get('unique'), found.get('later')], [['x'], ['y'], ['z']]);
});

test('bit operations on a column', async () => {
  const [thing] = await saved(freshClass(), { and: 0b1100, or: 0b1100, xor: 0b1100 });
  thing.bitAnd('and', 0b1010).bitOr('or', 0b1010).bitXor('xor', 0b1010);
  await thing.save();
  const found = await reread(thing);
  assert.deepEqual([found.get('and'), found.get('or'), found.get('xor')], [0b1000, 0b1110, 0b0110]);
});

test('bit operations on absent columns', async () => {
  const Thing = freshClass();
  const thing = await new Thing().bitAnd('and', 6).bitOr('or', 6).bitXor('xor', 6).save();
  const found = await reread(thing);
  assert.deepEqual([found.get('and'), found.get('or'), found.get('xor')], [0, 6, 6]);
});

test('fetch sees what others changed and removed', async () => {
  const Thing = freshClass();
  const [mine] = await saved(Thing, { a: 1, b: 2 });
  const theirs = AV.Object.createWithoutData(Thing, mine.id);
  await theirs.set('a', 4).unset('b').save();
  await mine.fetch();
  assert.equal(mine.get('a'), 4);
  assert.equal(mine.has('b'), false);
});

test('fetch takes only the keys it is told', async () => {
  const Thing = freshClass();
  const [made] = await saved(Thing, { a: 1, b: 2 });
  const other = AV.Object.createWithoutData(Thing, made.id);
  await other.fetch({ keys: ['a'] });
  assert.equal(other.get('a'), 1);
  assert.equal(other.get('b'), undefined);
  assert.equal(+other.updatedAt, +made.updatedAt);
});

test('fetch includes what pointers point at', async () => {
  const [post] = await saved(freshClass('Post'), { title: 'included' });
  const [comment] = await saved(freshClass('Comment'), { post });
  const other = AV.Object.createWithoutData(comment.className, comment.id);
  await other.fetch({ include: 'post' });
  assert.equal(other.get('post').get('title'), 'included');
});

test('getting what is not there is code 101', async () => {
  const [made] = await saved(freshClass(), {});
  const query = new AV.Query(made.className);
  await assert.rejects(query.get('0123456789abcdef01234567'), { code: 101 });
  await assert.rejects(new AV.Query('NobodyWroteToThis').get(made.id), { code: 101 });
  await assert.rejects(new AV.Query('NobodyWroteToThis').find(), { code: 101 });
});

test('updating what is not there is code 1', async () => {
  const [made] = await saved(freshClass(), {});
  const gone = AV.Object.createWithoutData(made.className, '0123456789abcdef01234567');
  await assert.rejects(gone.save({ a: 1 }), error => {
    assert.equal(error.code, 1);
    assert.match(
      error.message,
      new RegExp(`^Could not find object by id '${gone.id}' for class '${made.className}'\\.`)
    );
    return true;
  });
});

test('destroy removes an object, twice does no harm', async () => {
  const [thing] = await saved(freshClass(), { n: 1 });
  await thing.destroy();
  await assert.rejects(reread(thing), { code: 101 });
  await thing.destroy();
});

test('a value of another type is code 111 and changes nothing', async () => {
  const Thing = freshClass();
  const [thing] = await saved(Thing, { flag: true, n: 1 });
  await assert.rejects(thing.save({ flag: 'yes', n: 2 }), error => {
    assert.equal(error.code, 111);
    assert.match(error.message, /^Invalid value type for field 'flag'/);
    return true;
  });
  const found = await reread(thing);
  assert.deepEqual([found.get('flag'), found.get('n')], [true, 1]);
  await assert.rejects(new Thing({ flag: 7 }).save(), { code: 111 });
  assert.equal(await new AV.Query(Thing).count(), 1);
});

test('a pointer to another class than the column holds is code 111', async () => {
  const [post] = await saved(freshClass('Post'), {});
  const [author] = await saved(freshClass('Author'), {});
  const Comment = freshClass('Comment');
  await saved(Comment, { by: author });
  await assert.rejects(new Comment({ by: post }).save(), { code: 111 });
});

test('names that no column can have are code 105', async () => {
  const Thing = freshClass();
  for (const name of ['invalid?', '2fa', 'with space', '_own', '__x']) {
    await assert.rejects(new Thing({ [name]: 1 }).save(), { code: 105 }, name);
  }
});

test('a class name that cannot be is code 103', async () => {
  await assert.rejects(new (AV.Object.extend('No-Such'))().save(), { code: 103 });
});

test('a column may be called id', async () => {
  const Thing = freshClass();
  const [thing] = await saved(Thing, { id: 'mine' });
  const wire = await emulator.stored(thing);
  assert.equal(wire.id, 'mine');
  assert.equal(await new AV.Query(Thing).equalTo('id', 'mine').count(), 1);
});

test('a conditional save goes through only when the condition holds', async () => {
  const [account] = await saved(freshClass('Account'), { balance: 10 });
  const enough = amount => new AV.Query(account.className).greaterThanOrEqualTo('balance', amount);
  await account.increment('balance', -8).save(null, { query: enough(8), fetchWhenSave: true });
  assert.equal(account.get('balance'), 2);
  account.increment('balance', -8);
  await assert.rejects(account.save(null, { query: enough(8) }), { code: 305 });
  assert.equal((await reread(account)).get('balance'), 2);
});

test('fetchWhenSave gives the whole new object', async () => {
  const Thing = freshClass();
  const thing = await new Thing().increment('n', 3).save(null, { fetchWhenSave: true });
  assert.equal(thing.get('n'), 3);
  assert.ok(thing.updatedAt instanceof Date);
});

test('fetchWhenSave gives what others made of the columns one changes', async () => {
  const Thing = freshClass();
  const [mine] = await saved(Thing, { n: 0, other: 'old' });
  const theirs = AV.Object.createWithoutData(Thing, mine.id);
  await theirs.increment('n', 10).set('other', 'new').save();
  await mine.increment('n').save(null, { fetchWhenSave: true });
  assert.equal(mine.get('n'), 11);
  assert.equal(mine.get('other'), 'old', 'a column that was not written is not fetched');
});

test('an object is readable and writable for everybody unless its ACL says otherwise', async () => {
  const [thing] = await saved(freshClass(), { n: 1 });
  assert.deepEqual((await emulator.stored(thing)).ACL, { '*': { read: true, write: true } });
});

test('an ACL without public write refuses writing and deleting', async () => {
  const Thing = freshClass();
  const acl = new AV.ACL();
  acl.setPublicReadAccess(true);
  const thing = await new Thing({ n: 1 }).setACL(acl).save();
  await assert.rejects(thing.save({ n: 2 }), { code: 403 });
  await assert.rejects(thing.destroy(), { code: 403 });
  assert.equal((await reread(thing)).get('n'), 1);
  await thing.save({ n: 3 }, { useMasterKey: true });
  assert.equal((await reread(thing)).get('n'), 3);
});

test('an ACL that names one user hides the object from others', async () => {
  const Thing = freshClass();
  const user = await AV.User.signUp(`mia${Date.now()}`, 'secret');
  const thing = await new Thing({ n: 1 }).setACL(new AV.ACL(user)).save();
  assert.equal((await reread(thing)).get('n'), 1);
  await AV.User.logOut();
  await assert.rejects(reread(thing), { code: 403 });
  assert.deepEqual(await new AV.Query(Thing).find(), []);
  const asUser = { sessionToken: user.getSessionToken() };
  assert.equal((await new AV.Query(Thing).find(asUser)).length, 1);
});

test('a query gives the ACL when it is asked to', async () => {
  const Thing = freshClass();
  const acl = new AV.ACL();
  acl.setPublicReadAccess(true);
  acl.setRoleWriteAccess('editors', true);
  await new Thing().setACL(acl).save();
  const plain = await new AV.Query(Thing).first();
  assert.equal(plain.getACL(), undefined);
  const found = await new AV.Query(Thing).includeACL(true).first();
  assert.deepEqual(found.getACL().toJSON(), {
    '*': { read: true },
    'role:editors': { write: true },
  });
});

test('a registered subclass is what queries give', async () => {
  class Song extends AV.Object {
    get shout() {
      return this.get('title').toUpperCase();
    }
  }
  AV.Object.register(Song);
  await new Song({ title: 'help' }).save();
  const found = await new AV.Query(Song).first();
  assert.ok(found instanceof Song);
  assert.equal(found.shout, 'HELP');
});

test('saves of one object that were started together come in order', async () => {
  const [thing] = await saved(freshClass(), { n: 0 });
  await Promise.all([1, 2, 3, 4, 5].map(n => thing.save({ n })));
  assert.equal((await reread(thing)).get('n'), 5);
});

test('a megabyte of text is kept whole', async () => {
  const text = '影评🎬'.repeat(100_000);
  const [thing] = await saved(freshClass(), { text });
  assert.equal((await reread(thing)).get('text'), text);
});

test('an object survives its JSON', async () => {
  const [thing] = await saved(freshClass(), { at: new Date(0), n: 1, list: [1, { a: 2 }] });
  const back = AV.parseJSON(JSON.parse(JSON.stringify((await reread(thing)).toFullJSON())));
  assert.equal(back.id, thing.id);
  assert.equal(+back.get('at'), 0);
  await back.save({ n: 2 });
  assert.equal((await reread(thing)).get('n'), 2);
});

test('the time of the server can be asked for', async () => {
  const now = await AV.Cloud.getServerDate();
  assert.ok(Math.abs(now - Date.now()) < 60_000);
});
