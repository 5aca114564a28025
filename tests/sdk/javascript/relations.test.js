'use strict';

/** Relations: members, their queries, the way back. */

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, reread, saved } = require('./emulator');

const emulator = emulatorForThisFile();

/** A post that likes two of three users-to-be. */
async function liked() {
  const Post = freshClass('Post');
  const Fan = freshClass('Fan');
  const [ann, bob, cid] = await saved(
    Fan,
    { name: 'ann', age: 30 },
    { name: 'bob', age: 20 },
    { name: 'cid', age: 40 }
  );
  const post = new Post({ title: 'liked' });
  post.relation('likes').add([ann, bob]);
  await post.save();
  return { Post, Fan, post, ann, bob, cid };
}

const ids = objects => objects.map(({ id }) => id).sort();

test('members added at creation are found', async () => {
  const { post, ann, bob } = await liked();
  assert.deepEqual(ids(await post.relation('likes').query().find()), ids([ann, bob]));
});

test('members are added to and removed from an existing object', async () => {
  const { post, ann, bob, cid } = await liked();
  post.relation('likes').add(cid);
  await post.save();
  assert.deepEqual(ids(await post.relation('likes').query().find()), ids([ann, bob, cid]));
  post.relation('likes').remove([ann, bob]);
  await post.save();
  assert.deepEqual(ids(await post.relation('likes').query().find()), [cid.id]);
});

test('adding and removing in one save', async () => {
  const { post, ann, bob, cid } = await liked();
  post.relation('likes').add(cid);
  post.relation('likes').remove(ann);
  await post.save();
  assert.deepEqual(ids(await post.relation('likes').query().find()), ids([bob, cid]));
});

test('a member added twice is there once', async () => {
  const { post, ann } = await liked();
  post.relation('likes').add(ann);
  await post.save();
  assert.equal(await post.relation('likes').query().count(), 2);
});

test('conditions, order and pages hold among the members', async () => {
  const { post, ann, bob, cid } = await liked();
  post.relation('likes').add(cid);
  await post.save();
  const query = () => post.relation('likes').query();
  assert.deepEqual((await query().descending('age').find()).map(({ id }) => id), [
    cid.id,
    ann.id,
    bob.id,
  ]);
  assert.equal((await query().greaterThan('age', 25).ascending('age').first()).id, ann.id);
  assert.equal((await query().ascending('age').skip(1).limit(1).find())[0].id, ann.id);
  assert.equal(await query().greaterThan('age', 25).count(), 2);
});

test('an object read again shows its relation and knows the class of its members', async () => {
  const { post, Fan, ann, bob } = await liked();
  const found = await reread(post);
  const relation = found.relation('likes');
  assert.equal(relation.targetClassName, new Fan().className);
  assert.deepEqual(ids(await relation.query().find()), ids([ann, bob]));
  assert.deepEqual((await emulator.stored(post)).likes, {
    __type: 'Relation',
    className: new Fan().className,
  });
});

test('members are found without knowing their class', async () => {
  const { Post, Fan, post, ann, bob } = await liked();
  const bare = AV.Object.createWithoutData(Post, post.id);
  const found = await bare.relation('likes').query().find();
  assert.deepEqual(ids(found), ids([ann, bob]));
  assert.ok(found.every(fan => fan.className === new Fan().className));
  assert.equal(await bare.relation('likes').query().count(), 2);
});

test('a relation nobody was put into is empty', async () => {
  const { Post } = await liked();
  const [lonely] = await saved(Post, { title: 'lonely' });
  const found = await reread(lonely);
  assert.deepEqual(await found.relation('likes').query().find(), []);
});

test('reverseQuery finds the owners of a member', async () => {
  const { Post, post, ann, cid } = await liked();
  const another = new Post({ title: 'another' });
  another.relation('likes').add([ann, cid]);
  await another.save();
  const owners = member => AV.Relation.reverseQuery(post.className, 'likes', member).find();
  assert.deepEqual(ids(await owners(ann)), ids([post, another]));
  assert.deepEqual(ids(await owners(cid)), [another.id]);
});

test('matchesQuery reaches through a relation', async () => {
  const { Post, Fan, post } = await liked();
  await saved(Post, { title: 'lonely' });
  const old = new AV.Query(Fan).greaterThan('age', 25);
  assert.deepEqual(ids(await new AV.Query(Post).matchesQuery('likes', old).find()), [post.id]);
});

test('include works in a relation query', async () => {
  const { Post, Fan, ann } = await liked();
  const [team] = await saved(freshClass('Team'), { name: 'red' });
  await ann.save({ team });
  const post = await new AV.Query(Post).first();
  const fans = await post.relation('likes').query().include('team').equalTo('name', 'ann').find();
  assert.equal(fans[0].get('team').get('name'), 'red');
  assert.equal(fans[0].className, new Fan().className);
});

test('a deleted member is no longer found', async () => {
  const { post, ann, bob } = await liked();
  await ann.destroy();
  assert.deepEqual(ids(await post.relation('likes').query().find()), [bob.id]);
});

test('members of another class are refused', async () => {
  const { post } = await liked();
  const [stranger] = await saved(freshClass('Stranger'), {});
  const other = AV.Object.createWithoutData(post.className, post.id);
  other.relation('likes').add(stranger);
  await assert.rejects(other.save(), { code: 111 });
});

test('a value cannot be put where a relation is', async () => {
  const { Post, post } = await liked();
  await assert.rejects(new Post({ likes: [] }).save(), { code: 111 });
  assert.equal(await post.relation('likes').query().count(), 2);
});

test('a hundred and fifty members come in pages', async () => {
  const Fan = freshClass('Fan');
  const fans = Array.from({ length: 150 }, (_, n) => new Fan({ n }));
  await AV.Object.saveAll(fans);
  const [post] = await saved(freshClass('Post'), {});
  post.relation('likes').add(fans);
  await post.save();
  const query = () => post.relation('likes').query().ascending('n');
  assert.equal(await query().count(), 150);
  assert.equal((await query().find()).length, 100);
  assert.deepEqual((await query().skip(148).find()).map(fan => fan.get('n')), [148, 149]);
});
