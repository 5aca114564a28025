'use strict';

/** Roles inside each other, ACLs and class permissions, as applications use them. */

const assert = require('node:assert/strict');
const { beforeEach, test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, saved } = require('./emulator');

const emulator = emulatorForThisFile('newsroom');

const PASSWORD = 'correct-horse';
const BY_CLASS = action => ({ code: 403, rawMessage: `Forbidden to ${action} by class permissions.` });
const NOBODY = {};

let names = 0;

/** A name that nothing else has. */
const fresh = word => `${word}${(names += 1)}`;

/** How a request is made as a user; `NOBODY` has no session. */
const as = user => (user === NOBODY ? {} : { user });

const master = { useMasterKey: true };

async function person(word) {
  const user = await AV.User.signUp(fresh(word), PASSWORD);
  await AV.User.logOut();
  return user;
}

/** A new role with these users and roles in it; only the master key changes it. */
async function role(name, users = [], roles = []) {
  const acl = new AV.ACL();
  acl.setPublicReadAccess(true);
  const made = new AV.Role(name, acl);
  if (users.length) made.getUsers().add(users);
  if (roles.length) made.getRoles().add(roles);
  return made.save(null, master);
}

function acl(...grants) {
  const made = new AV.ACL();
  for (const [who, ...rights] of grants) {
    for (const right of rights) {
      if (typeof who === 'string') made[`setRole${right}Access`](who, true);
      else made[`set${right}Access`](who, true);
    }
  }
  return made;
}

async function withAcl(list, Class = freshClass('Page'), attributes = {}) {
  const made = new Class(attributes);
  made.setACL(list);
  return made.save();
}

/** Whether a user finds an object; getting it must say the same. */
async function sees(user, object) {
  const query = () => new AV.Query(object.className);
  const found = await query().equalTo('objectId', object.id).find(as(user));
  const get = query().get(object.id, as(user));
  if (found.length) assert.equal((await get).id, object.id);
  else await assert.rejects(get, { code: 403 });
  return found.length === 1;
}

const bare = object => AV.Object.createWithoutData(object.className, object.id);

let ann;
let bob;
/** The first in the role `editor`, the second in `chief`, which is inside of it. */
let editor;
let chief;

beforeEach(async () => {
  ann = await person('ann');
  bob = await person('bob');
  if (editor) return;
  editor = await person('editor');
  chief = await person('chief');
  await role('editor', [editor], [await role('chief', [chief])]);
});

test('members of a role read what it may', async () => {
  const name = fresh('readers');
  await role(name, [ann]);
  const page = await withAcl(acl([name, 'Read']));
  assert.deepEqual(
    [await sees(ann, page), await sees(bob, page), await sees(NOBODY, page)],
    [true, false, false]
  );
});

test('roles inherit over several floors', async () => {
  const [low, middle, high] = [fresh('low'), fresh('middle'), fresh('high')];
  const lowest = await role(low, [ann]);
  const between = await role(middle, [bob], [lowest]);
  await role(high, [], [between]);
  const page = await withAcl(acl([high, 'Read']));
  assert.ok(await sees(ann, page));
  assert.ok(await sees(bob, page));
  const onlyLow = await withAcl(acl([low, 'Read']));
  assert.ok(await sees(ann, onlyLow));
  assert.ok(!(await sees(bob, onlyLow)));
});

test('roles inside each other share everything', async () => {
  const one = await role(fresh('one'), [ann]);
  const two = await role(fresh('two'), [bob], [one]);
  one.getRoles().add(two);
  await one.save(null, master);
  for (const made of [one, two]) {
    const page = await withAcl(acl([made.getName(), 'Read']));
    assert.ok(await sees(ann, page));
    assert.ok(await sees(bob, page));
  }
});

test('members come and go at once', async () => {
  const team = await role(fresh('team'));
  const page = await withAcl(acl([team.getName(), 'Read']));
  assert.ok(!(await sees(ann, page)));
  team.getUsers().add(ann);
  await team.save(null, master);
  assert.ok(await sees(ann, page));
  team.getUsers().remove(ann);
  await team.save(null, master);
  assert.ok(!(await sees(ann, page)));
});

test('a role that is deleted grants nothing', async () => {
  const team = await role(fresh('team'), [ann]);
  const page = await withAcl(acl([team.getName(), 'Read']));
  assert.ok(await sees(ann, page));
  await team.destroy(master);
  assert.ok(!(await sees(ann, page)));
});

test('the roles of a user are those it is in itself', async () => {
  const inner = await role(fresh('inner'), [ann]);
  await role(fresh('outer'), [], [inner]);
  assert.deepEqual((await ann.getRoles()).map(({ id }) => id), [inner.id]);
});

test('the members of a role are found', async () => {
  const team = await role(fresh('team'), [ann, bob]);
  const members = await team.getUsers().query().find();
  assert.deepEqual(members.map(({ id }) => id).sort(), [ann.id, bob.id].sort());
});

test('members of a role write what it may', async () => {
  const team = await role(fresh('writers'), [ann]);
  const page = await withAcl(acl([team.getName(), 'Read', 'Write']));
  await bare(page).save({ n: 2 }, as(ann));
  for (const user of [bob, NOBODY]) {
    await assert.rejects(bare(page).save({ n: 3 }, as(user)), {
      code: 403,
      rawMessage: `Forbidden writing by object's ACL., the object id is ${page.id}.`,
    });
  }
  assert.equal((await emulator.stored(page)).n, 2);
});

test('who may read may not write or delete', async () => {
  const readable = new AV.ACL();
  readable.setPublicReadAccess(true);
  const page = await withAcl(readable);
  assert.ok(await sees(NOBODY, page));
  await assert.rejects(bare(page).destroy(as(ann)), { code: 403 });
  await bare(page).destroy(master);
});

test('what is private is its owner’s', async () => {
  const page = await withAcl(new AV.ACL(ann));
  assert.deepEqual(
    [await sees(ann, page), await sees(bob, page), await sees(NOBODY, page)],
    [true, false, false]
  );
  await assert.rejects(new AV.Query(page.className).get(page.id, as(bob)), {
    rawMessage: `Forbidden reading by object's ACL., the object id is ${page.id}.`,
  });
});

test('a list is returned when it is asked for', async () => {
  const page = await withAcl(new AV.ACL(ann));
  const query = () => new AV.Query(page.className);
  const [plain] = await query().find(as(ann));
  assert.equal(plain.getACL(), undefined);
  const [whole] = await query().includeACL(true).find(as(ann));
  assert.ok(whole.getACL().getWriteAccess(ann));
  assert.ok(!whole.getACL().getPublicReadAccess());
});

test('an included object that may not be read stays a pointer', async () => {
  const author = await withAcl(new AV.ACL(ann), freshClass('Author'), { name: 'ann' });
  const [page] = await saved(freshClass('Page'), { author });
  const read = user => new AV.Query(page.className).include('author').first(as(user));
  assert.equal((await read(ann)).get('author').get('name'), 'ann');
  const hidden = (await read(bob)).get('author');
  assert.equal(hidden.id, author.id);
  assert.equal(hidden.get('name'), undefined);
});

test('a relation of an object that may not be read is empty', async () => {
  const [fan] = await saved(freshClass('Fan'), { name: 'x' });
  const Post = freshClass('Post');
  const post = new Post();
  post.setACL(new AV.ACL(ann));
  post.relation('likes').add(fan);
  await post.save();
  const members = user => post.relation('likes').query().find(as(user));
  assert.deepEqual((await members(ann)).map(({ id }) => id), [fan.id]);
  assert.deepEqual(await members(bob), []);
});

test('nobody forges a role', async () => {
  const page = await withAcl(
    acl([fresh('nowhere'), 'Read'], ['', 'Read'], ['*', 'Read'], [bob.getUsername(), 'Read'])
  );
  assert.ok(!(await sees(bob, page)));
});

test('a role keeps its name, wants an ACL and is alone with its name', async () => {
  const team = await role(fresh('team'));
  const name = team.getName();
  await assert.rejects(emulator.request('PUT', `/1.1/roles/${team.id}`, { name: 'other' }).then(fail), {
    code: 139,
  });
  await assert.rejects(emulator.request('POST', '/1.1/roles', { name: 'bare' }).then(fail), {
    code: 1,
    message: 'Role ACL is required.',
  });
  await assert.rejects(role(name), { code: 137 });
});

/** What a plain request was refused with, as an error. */
function fail({ code, error }) {
  throw Object.assign(new Error(error), { code });
}

test('the session of a deleted user opens nothing', async () => {
  const page = await withAcl(new AV.ACL(ann));
  assert.ok(await sees(ann, page));
  await AV.Object.createWithoutData('_User', ann.id).destroy(master);
  assert.ok(!(await sees(ann, page)));
});

// The classes of the newsroom

const Story = AV.Object.extend('Story');
const Tip = AV.Object.extend('Tip');

test('a default ACL names the owner and a role', async () => {
  const story = await new Story({ title: 'mine' }).save(null, as(ann));
  const people = [ann, editor, chief, bob, NOBODY];
  const seen = [];
  for (const user of people) seen.push(await sees(user, story));
  assert.deepEqual(seen, [true, true, true, false, false]);
});

test('a class may be queried by its role alone', async () => {
  const tip = await new Tip({ text: 'hush' }).save();
  const query = () => new AV.Query(Tip).equalTo('objectId', tip.id);
  assert.equal((await query().find(as(chief))).length, 1);
  assert.equal(await query().count(as(editor)), 1);
  for (const user of [ann, NOBODY]) {
    await assert.rejects(query().find(as(user)), BY_CLASS('find'));
    await assert.rejects(query().count(as(user)), BY_CLASS('find'));
  }
  assert.equal((await query().find(master)).length, 1);
});

test('a class may be read by who is signed in', async () => {
  const tip = await new Tip({ text: 'hush' }).save();
  assert.equal((await bare(tip).fetch({}, as(ann))).get('text'), 'hush');
  await assert.rejects(bare(tip).fetch(), BY_CLASS('get'));
});

test('a class may be changed by a user by name', async () => {
  const tip = await new Tip({ text: 'hush' }).save();
  const source = await AV.User.signUp('deepthroat', PASSWORD);
  await AV.User.logOut();
  await assert.rejects(bare(tip).save({ text: 'louder' }, as(ann)), BY_CLASS('update'));
  await bare(tip).save({ text: 'follow the money' }, as(source));
  assert.equal((await emulator.stored(tip)).text, 'follow the money');
});

test('only a role adds columns', async () => {
  const make = (user, attributes) => new Story(attributes).save(null, as(user));
  await assert.rejects(make(editor, { colour: 'red' }), BY_CLASS('add_fields'));
  await make(chief, { colour: 'red' });
  await make(editor, { colour: 'blue' });
});

test('only a role deletes', async () => {
  const story = await new Story({ title: 'x' }).save();
  await assert.rejects(bare(story).destroy(as(editor)), BY_CLASS('delete'));
  await bare(story).destroy(as(chief));
});

test('of several saves each has its own ruling', async () => {
  const stories = [new Story({ title: 'a' }), new Story({ title: 'b', shape: 'round' })];
  await assert.rejects(AV.Object.saveAll(stories, as(editor)), {
    code: 403,
    message: 'Forbidden to add_fields by class permissions.',
  });
  assert.ok(stories[0].id);
  assert.equal(stories[1].id, undefined);
});

test('sub-queries and CQL of a closed class are refused', async () => {
  const tips = new AV.Query(Tip);
  const outer = new AV.Query(Story).matchesQuery('tip', tips);
  await assert.rejects(outer.find(as(ann)), BY_CLASS('find'));
  await assert.rejects(AV.Query.doCloudQuery('select * from Tip'), BY_CLASS('find'));
});

test('hidden columns are not shown', async () => {
  const story = await new Story({ title: 'x', notes: 'n', words: 5 }).save(null, as(editor));
  const seen = await new AV.Query(Story).get(story.id, as(editor));
  assert.deepEqual([seen.get('notes'), seen.get('words')], [undefined, 5]);
  assert.equal((await emulator.stored(story)).notes, 'n');
});

test('a user is changed by itself alone', async () => {
  const change = user =>
    AV.Object.createWithoutData('_User', ann.id).save({ colour: 'red' }, as(user));
  for (const user of [bob, NOBODY]) {
    await assert.rejects(change(user), {
      code: 206,
      rawMessage: 'The user cannot be altered by a client without the session.',
    });
  }
  await change(ann);
});

test('the trace tells why', async () => {
  await emulator.forget();
  await assert.rejects(new AV.Query(Tip).find(as(ann)), { code: 403 });
  const hints = (await emulator.steps()).filter(({ error }) => error).map(({ error }) => error.hint);
  assert.equal(hints.length, 1);
  assert.match(hints[0].en, /^Refused by class permission find of Tip: for role:editor; this is ann/);
  assert.match(hints[0].zh, /^被拒绝/);
});
