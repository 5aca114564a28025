'use strict';

/** Followers, friends, statuses, devices and pushes, as applications use them. */

const assert = require('node:assert/strict');
const { beforeEach, test } = require('node:test');

const { AV, emulatorForThisFile } = require('./emulator');

const emulator = emulatorForThisFile();

const PASSWORD = 'correct-horse';

let names = 0;

/** A name that nothing else has. */
const fresh = word => `${word}${(names += 1)}`;

async function person(word, attributes = {}) {
  const user = await AV.User.signUp(fresh(word), PASSWORD, attributes);
  await AV.User.logOut();
  return user;
}

const follow = (user, ...targets) =>
  Promise.all(targets.map(target => user.follow({ user: target }, { user })));

const ids = objects => objects.map(({ id }) => id);
const followers = user => AV.User.followerQuery(user.id).find({ user });
const followees = user => AV.User.followeeQuery(user.id).find({ user });

function sent(user, message) {
  return AV.Status.sendStatusToFollowers(new AV.Status(null, message), { user });
}

function told(user, target, message) {
  return AV.Status.sendPrivateStatus(new AV.Status(null, message), target, { user });
}

async function messages(owner, kind = 'default', narrow = query => query) {
  const found = await narrow(AV.Status.inboxQuery(owner, kind)).find({ user: owner });
  return found.map(status => status.get('message'));
}

const counted = (owner, kind = 'default') =>
  AV.Status.countUnreadStatuses(owner, kind, { user: owner });

beforeEach(() => AV.User.logOut());

test('follow and unfollow', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  await follow(ann, bob, bob);
  assert.deepEqual(ids(await followees(ann)), [bob.id]);
  assert.deepEqual(ids(await followers(bob)), [ann.id]);
  await ann.unfollow(bob.id, { user: ann });
  assert.deepEqual([await followees(ann), await followers(bob)], [[], []]);
});

test('followees are found by attributes, as the recorded session does', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  const attributes = { group: 1, position: new AV.GeoPoint(0, 0) };
  await ann.follow({ user: bob.id, attributes }, { user: ann });
  const asked = group =>
    ann.followeeQuery().equalTo('group', group).include('followee').find({ user: ann });
  const [found] = await asked(1);
  assert.equal(found.id, bob.id);
  assert.equal(found.get('username'), bob.get('username'));
  assert.deepEqual(await asked(0), []);
});

test('unfollowing somebody else is code 221, acting for others 206', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  await assert.rejects(ann.unfollow(bob, { user: ann }), { code: 221 });
  await assert.rejects(ann.follow(bob, { user: bob }), { code: 206 });
  await assert.rejects(ann.follow('5f0000000000000000000001', { user: ann }), { code: 211 });
});

test('followers and followees at once', async () => {
  const [ann, bob, cid] = [await person('ann'), await person('bob'), await person('cid')];
  await follow(ann, bob);
  await follow(bob, ann);
  await follow(cid, ann);
  const all = await ann.getFollowersAndFollowees({}, { user: ann });
  assert.deepEqual(ids(all.followers), [bob.id, cid.id]);
  assert.deepEqual(ids(all.followees), [bob.id]);
  assert.equal(all.followers[0].get('username'), bob.get('username'));
  const page = await ann.getFollowersAndFollowees({ skip: 1, limit: 1 }, { user: ann });
  assert.deepEqual([ids(page.followers), page.followees], [[cid.id], []]);
});

test('lists have pages and counts', async () => {
  const ann = await person('ann');
  const fans = [await person('fan'), await person('fan'), await person('fan')];
  for (const fan of fans) await follow(fan, ann);
  assert.equal(await ann.followerQuery().count({ user: ann }), 3);
  const page = await ann.followerQuery().ascending('createdAt').skip(1).limit(1).find({ user: ann });
  assert.deepEqual(ids(page), [fans[1].id]);
});

const requestsTo = (user, status) =>
  new AV.Query('_FriendshipRequest').equalTo('friend', user).equalTo('status', status).find({ user });

const friendsOf = async user =>
  ids(await user.followeeQuery().equalTo('friendStatus', true).find({ user }));

test('friends by request', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  await AV.Friendship.request({ friend: bob, attributes: { circle: 'sport' } }, { user: ann });
  assert.deepEqual(await friendsOf(ann), []);
  const [request] = await requestsTo(bob, 'pending');
  await AV.Friendship.acceptRequest({ request, attributes: { circle: 'music' } }, { user: bob });
  assert.deepEqual([await friendsOf(ann), await friendsOf(bob)], [[bob.id], [ann.id]]);
  assert.equal((await requestsTo(bob, 'accepted')).length, 1);
  await assert.rejects(AV.Friendship.request(bob, { user: ann }), /Friendship already exists/);
});

test('a declined request can be accepted later, and not asked again', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  await AV.Friendship.request(bob.id, { user: ann });
  const [request] = await requestsTo(bob, 'pending');
  await assert.rejects(AV.Friendship.acceptRequest(request, { user: ann }), { code: 206 });
  await AV.Friendship.declineRequest(request, { user: bob });
  await assert.rejects(AV.Friendship.request(bob, { user: ann }), /previously been declined/);
  await AV.Friendship.acceptRequest(request.id, { user: bob });
  assert.deepEqual(await friendsOf(ann), [bob.id]);
});

test('a status reaches followers and its sender', async () => {
  const [ann, bob, eve] = [await person('ann'), await person('bob'), await person('eve')];
  await follow(bob, ann);
  const status = new AV.Status('a.png', 'hello');
  await AV.Status.sendStatusToFollowers(status, { user: ann });
  assert.match(status.id, /^[0-9a-f]{24}$/);
  assert.ok(status.createdAt instanceof Date);
  const [got] = await AV.Status.inboxQuery(bob).find({ user: bob });
  assert.deepEqual([got.id, got.get('image'), got.messageId], [status.id, 'a.png', 1]);
  assert.equal(got.get('source').id, ann.id);
  assert.deepEqual([await messages(ann), await messages(eve)], [['hello'], []]);
});

test('a private status reaches one', async () => {
  const [ann, bob, eve] = [await person('ann'), await person('bob'), await person('eve')];
  await told(ann, bob.id, 'secret');
  assert.deepEqual(await messages(bob, 'private'), ['secret']);
  assert.deepEqual(await messages(bob), []);
  const spied = await AV.Status.inboxQuery(bob, 'private').find({ user: eve });
  assert.deepEqual(spied, []);
});

test('a status for whom a query finds, in an inbox of its own', async () => {
  const city = fresh('city');
  const [ann, bob] = [await person('ann', { city }), await person('bob')];
  const status = new AV.Status({ message: 'news', tags: ['a'] });
  status.inboxType = 'news';
  status.query = new AV.Query('_User').equalTo('city', city);
  await status.send({ user: bob });
  assert.deepEqual(await messages(ann, 'news'), ['news']);
  assert.deepEqual(await messages(bob, 'news'), []);
});

test('unread statuses are counted until they are reset', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  for (const n of [1, 2, 3]) await told(ann, bob, `m${n}`);
  assert.deepEqual(await counted(bob, 'private'), { total: 3, unread: 3 });
  await AV.Status.resetUnreadCount(bob, 'private', { user: bob });
  assert.deepEqual(await counted(bob, 'private'), { total: 3, unread: 0 });
  await told(ann, bob, 'm4');
  assert.deepEqual(await counted(bob, 'private'), { total: 4, unread: 1 });
  assert.deepEqual(await counted(bob), { total: 0, unread: 0 });
});

test('pages of an inbox', async () => {
  const ann = await person('ann');
  for (const n of [1, 2, 3, 4, 5]) await sent(ann, `m${n}`);
  assert.deepEqual(await messages(ann, 'default', q => q.limit(2)), ['m5', 'm4']);
  assert.deepEqual(await messages(ann, 'default', q => q.limit(2).maxId(3)), ['m3', 'm2']);
  assert.deepEqual(await messages(ann, 'default', q => q.sinceId(3)), ['m5', 'm4']);
  assert.deepEqual(await messages(ann, 'default', q => q.equalTo('message', 'm2')), ['m2']);
});

test('a query too long for a URL goes through a batch', async () => {
  const ann = await person('ann');
  await sent(ann, 'hello');
  const todo = AV.Object.createWithoutData('Todo', '5850f138128fe1006978f766');
  const none = await messages(ann, 'default', q => q.containsAll('arr', new Array(50).fill(todo)));
  assert.deepEqual(none, []);
});

test('the sender destroys a status, and it is gone everywhere', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  await follow(bob, ann);
  const status = await sent(ann, 'first');
  await sent(ann, 'second');
  // the SDK drops the options of destroy, so the current user counts
  await AV.User.become(bob.getSessionToken());
  await assert.rejects(status.destroy(), { code: 403 });
  await AV.User.become(ann.getSessionToken());
  await status.destroy();
  assert.deepEqual(await messages(bob), ['second']);
  assert.deepEqual(await counted(bob), { total: 1, unread: 1 });
});

test('statuses of a user', async () => {
  const [ann, bob] = [await person('ann'), await person('bob')];
  await sent(ann, 'public');
  await told(ann, bob, 'secret');
  const found = await AV.Status.statusQuery(ann).find();
  assert.deepEqual(
    found.map(status => status.get('message')),
    ['public']
  );
});

const device = attributes => new AV.Installation(attributes).save();

/** The record of a push, as it goes over the wire. */
const record = ({ objectId }) => emulator.request('GET', `/1.1/tables/Notifications/${objectId}`);

test('a device registers once', async () => {
  const installationId = fresh('device');
  const first = await device({ deviceType: 'android', installationId, channels: ['a'] });
  const second = await device({ deviceType: 'android', installationId, channels: ['b'] });
  assert.equal(first.id, second.id);
  const stored = await emulator.stored(first);
  assert.deepEqual([stored.channels, stored.valid], [['b'], true]);
  first.addUnique('channels', 'c');
  await first.save();
  assert.deepEqual((await emulator.stored(first)).channels, ['b', 'c']);
});

test('bad tokens and channels are refused', async () => {
  await assert.rejects(device({ deviceToken: 'a b' }), { code: 114 });
  await assert.rejects(device({ deviceToken: 'x', channels: ['a b'] }), { code: 112 });
  const query = new AV.Query('_Installation');
  await assert.rejects(query.find(), { code: 403 });
});

test('push to channels, to what a query finds, to what CQL finds', async () => {
  const [channel, deviceToken] = [fresh('channel'), fresh('token')];
  await device({ deviceType: 'ios', deviceToken, channels: [channel] });
  const data = { alert: 'Hello' };
  const where = new AV.Query('_Installation').equalTo('deviceToken', deviceToken);
  const cql = `select * from _Installation where deviceToken = '${deviceToken}'`;
  for (const aim of [{ channels: [channel] }, { where }, { cql }]) {
    const pushed = await AV.Push.send({ data, prod: 'dev', ...aim });
    assert.match(pushed.objectId, /^[0-9a-z]{16}$/);
    const { devices, msg, prod, status } = await record(pushed);
    assert.deepEqual([devices, msg, prod, status], [1, data, 'dev', 'done']);
  }
});

test('push for later', async () => {
  const push_time = new Date(Date.now() + 7_200_000);
  const pushed = await AV.Push.send({ data: { alert: 'x' }, push_time, expiration_interval: 60 });
  const found = await record(pushed);
  assert.equal(found.status, 'scheduled');
  assert.equal(found['push-time'], push_time.toJSON());
});

test('what is no push', async () => {
  await assert.rejects(AV.Push.send({}), { code: 107 });
  await assert.rejects(AV.Push.send({ data: {}, channels: ['a b'] }), { code: 112 });
  await assert.rejects(AV.Push.send({ data: {}, cql: 'select' }), { code: 300 });
});
