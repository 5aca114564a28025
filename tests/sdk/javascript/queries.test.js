'use strict';

/** Every condition of AV.Query, order, pages, selection and scan. */

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, saved } = require('./emulator');

emulatorForThisFile();

/** A class with one object per row; `name` tells them apart. */
async function filled(...rows) {
  const Class = freshClass('Row');
  const objects = rows.map(row => new Class(row));
  for (let start = 0; start < objects.length; start += 500) {
    await AV.Object.saveAll(objects.slice(start, start + 500));
  }
  return Class;
}

const PEOPLE = [
  { name: 'ann', n: 1, at: new Date(1000), tags: ['x', 'y'], on: true },
  { name: 'Bob', n: 2, at: new Date(2000), tags: ['y'], on: false },
  { name: 'cid.e', n: 3, at: new Date(3000), tags: [] },
  { name: 'dee', n: null, map: { deep: { q: 1 } } },
  { name: 'eve', list: [{ k: 1 }, { k: 2 }] },
];

async function names(query) {
  return (await query.ascending('createdAt').find()).map(row => row.get('name'));
}

/** A test that builds a query over PEOPLE and tells whom it finds. */
function finds(title, expected, build) {
  test(title, async () => {
    const Class = await filled(...PEOPLE);
    const found = await names(build(new AV.Query(Class), Class));
    assert.deepEqual(found.sort(), [...expected].sort());
  });
}

const ALL = PEOPLE.map(({ name }) => name);

finds('no condition', ALL, query => query);
finds('equalTo a text', ['ann'], query => query.equalTo('name', 'ann'));
finds('equalTo a number', ['Bob'], query => query.equalTo('n', 2));
finds('equalTo a boolean', ['Bob'], query => query.equalTo('on', false));
finds('equalTo a date', ['Bob'], query => query.equalTo('at', new Date(2000)));
finds('equalTo a member of a list', ['ann', 'Bob'], query => query.equalTo('tags', 'y'));
finds('equalTo a whole list', ['ann'], query => query.equalTo('tags', ['x', 'y']));
finds('equalTo a map', ['dee'], query => query.equalTo('map', { deep: { q: 1 } }));
finds('equalTo a dotted path', ['dee'], query => query.equalTo('map.deep.q', 1));
finds('equalTo inside a list of maps', ['eve'], query => query.equalTo('list.k', 2));
finds('equalTo null finds absent columns too', ['dee', 'eve'], query => query.equalTo('n', null));
finds('notEqualTo finds absent columns too', ['ann', 'cid.e', 'dee', 'eve'], query =>
  query.notEqualTo('n', 2)
);
finds('notEqualTo on a list', ['cid.e', 'dee', 'eve'], query => query.notEqualTo('tags', 'y'));
finds('lessThan', ['ann'], query => query.lessThan('n', 2));
finds('lessThanOrEqualTo', ['ann', 'Bob'], query => query.lessThanOrEqualTo('n', 2));
finds('greaterThan', ['cid.e'], query => query.greaterThan('n', 2));
finds('greaterThanOrEqualTo', ['Bob', 'cid.e'], query => query.greaterThanOrEqualTo('n', 2));
finds('two bounds on one column', ['Bob'], query => query.greaterThan('n', 1).lessThan('n', 3));
finds('a bound compares dates', ['cid.e'], query => query.greaterThan('at', new Date(2000)));
finds('a bound compares texts', ['dee', 'eve'], query => query.greaterThan('name', 'd'));
finds('a bound compares only within a type', [], query => query.greaterThan('name', 0));
finds('createdAt is compared with dates', ALL, query =>
  query.lessThanOrEqualTo('createdAt', new Date(Date.now() + 60_000))
);
finds('containedIn', ['ann', 'cid.e'], query => query.containedIn('n', [1, 3, 5]));
finds('containedIn on a list', ['ann'], query => query.containedIn('tags', ['x', 'z']));
finds('containedIn nothing', [], query => query.containedIn('n', []));
finds('notContainedIn', ['Bob', 'dee', 'eve'], query => query.notContainedIn('n', [1, 3]));
finds('containsAll', ['ann'], query => query.containsAll('tags', ['y', 'x']));
finds('sizeEqualTo', ['Bob'], query => query.sizeEqualTo('tags', 1));
finds('sizeEqualTo 0', ['cid.e'], query => query.sizeEqualTo('tags', 0));
finds('exists', ['ann', 'Bob', 'cid.e'], query => query.exists('tags'));
finds('exists counts a stored null', ['ann', 'Bob', 'cid.e', 'dee'], query => query.exists('n'));
finds('doesNotExist', ['eve'], query => query.doesNotExist('n'));
finds('contains', ['cid.e', 'dee', 'eve'], query => query.contains('name', 'e'));
finds('contains takes its text literally', ['cid.e'], query => query.contains('name', '.'));
finds('startsWith', ['cid.e'], query => query.startsWith('name', 'cid.'));
finds('endsWith', ['dee'], query => query.endsWith('name', 'ee'));
finds('matches', ['ann', 'cid.e'], query => query.matches('name', /^[ac]/));
finds('matches without regard to case', ['ann', 'Bob'], query => query.matches('name', /^[ab]/i));
finds('matches with modifiers', ['Bob'], query => query.matches('name', 'B o b', 'x'));
finds('conditions on several columns', ['dee'], query =>
  query.contains('name', 'e').equalTo('map.deep.q', 1)
);

test('contains copes with the end mark of its own quoting', async () => {
  const Class = await filled({ name: 'a\\Eb' }, { name: 'aEb' });
  assert.deepEqual(await names(new AV.Query(Class).contains('name', '\\Eb')), ['a\\Eb']);
});

test('matches over several lines', async () => {
  const Class = await filled({ name: 'one\ntwo' }, { name: 'two\none' }, { name: 'onetwo' });
  assert.deepEqual(await names(new AV.Query(Class).matches('name', /^two$/m)), [
    'one\ntwo',
    'two\none',
  ]);
});

test('Query.or joins conditions, siblings narrow', async () => {
  const Class = await filled(...PEOPLE);
  const either = AV.Query.or(
    new AV.Query(Class).equalTo('n', 1),
    new AV.Query(Class).equalTo('name', 'eve'),
    new AV.Query(Class).equalTo('n', 3)
  );
  assert.deepEqual((await names(either)).sort(), ['ann', 'cid.e', 'eve']);
  either.exists('tags');
  assert.deepEqual((await names(either)).sort(), ['ann', 'cid.e']);
});

test('Query.and takes two conditions on one column', async () => {
  const Class = await filled(...PEOPLE);
  const both = AV.Query.and(
    new AV.Query(Class).contains('name', 'e'),
    new AV.Query(Class).contains('name', 'v')
  );
  assert.deepEqual(await names(both), ['eve']);
});

test('Query.or of Query.and', async () => {
  const Class = await filled(...PEOPLE);
  const tree = AV.Query.or(
    AV.Query.and(
      new AV.Query(Class).equalTo('tags', 'x'),
      new AV.Query(Class).equalTo('tags', 'y')
    ),
    new AV.Query(Class).equalTo('name', 'dee')
  );
  assert.deepEqual((await names(tree)).sort(), ['ann', 'dee']);
});

async function postsAndComments() {
  const Post = freshClass('Post');
  const Comment = freshClass('Comment');
  const [good, bad] = await saved(Post, { title: 'good', stars: 5 }, { title: 'bad', stars: 1 });
  await saved(
    Comment,
    { name: 'one', post: good, topic: 'good' },
    { name: 'two', post: bad, topic: 'bad' },
    { name: 'three', topic: 'none' }
  );
  return { Post, Comment, good, bad };
}

test('equalTo a pointer', async () => {
  const { Comment, good } = await postsAndComments();
  assert.deepEqual(await names(new AV.Query(Comment).equalTo('post', good)), ['one']);
});

test('matchesQuery and doesNotMatchQuery', async () => {
  const { Post, Comment } = await postsAndComments();
  const liked = new AV.Query(Post).greaterThan('stars', 3);
  assert.deepEqual(await names(new AV.Query(Comment).matchesQuery('post', liked)), ['one']);
  assert.deepEqual((await names(new AV.Query(Comment).doesNotMatchQuery('post', liked))).sort(), [
    'three',
    'two',
  ]);
});

test('matchesKeyInQuery and doesNotMatchKeyInQuery', async () => {
  const { Post, Comment } = await postsAndComments();
  const bad = new AV.Query(Post).lessThan('stars', 3);
  const comments = () => new AV.Query(Comment);
  assert.deepEqual(await names(comments().matchesKeyInQuery('topic', 'title', bad)), ['two']);
  assert.deepEqual(
    (await names(comments().doesNotMatchKeyInQuery('topic', 'title', bad))).sort(),
    ['one', 'three']
  );
});

test('the limit of an inner query counts', async () => {
  const { Post, Comment } = await postsAndComments();
  const best = new AV.Query(Post).descending('stars').limit(1);
  assert.deepEqual(await names(new AV.Query(Comment).matchesQuery('post', best)), ['one']);
});

test('inner queries nest', async () => {
  const { Post, Comment } = await postsAndComments();
  const Reply = freshClass('Reply');
  const [one] = await new AV.Query(Comment).equalTo('name', 'one').find();
  await saved(Reply, { name: 'yes', to: one }, { name: 'no' });
  const liked = new AV.Query(Comment).matchesQuery('post', new AV.Query(Post).equalTo('stars', 5));
  assert.deepEqual(await names(new AV.Query(Reply).matchesQuery('to', liked)), ['yes']);
});

test('ascending, descending and further keys', async () => {
  const Class = await filled(
    { name: 'a', x: 2, y: 1 },
    { name: 'b', x: 1, y: 1 },
    { name: 'c', x: 2, y: 2 },
    { name: 'd' }
  );
  const order = async build =>
    (await build(new AV.Query(Class)).find()).map(row => row.get('name')).join('');
  assert.equal(await order(query => query.ascending('x').addDescending('y')), 'dbca');
  assert.equal(await order(query => query.descending('x').addAscending('y')), 'acbd');
  assert.equal(await order(query => query.addAscending('name')), 'abcd');
  assert.equal(await order(query => query.addDescending('name')), 'dcba');
});

test('without an order the oldest come first', async () => {
  const Class = freshClass();
  await saved(Class, { name: 'first' }, { name: 'second' }, { name: 'third' });
  const found = await new AV.Query(Class).find();
  assert.deepEqual(found.map(row => row.get('name')), ['first', 'second', 'third']);
});

test('a dotted key orders by a member of a map', async () => {
  const Class = await filled({ name: 'b', m: { n: 2 } }, { name: 'a', m: { n: 1 } });
  const found = await new AV.Query(Class).ascending('m.n').find();
  assert.deepEqual(found.map(row => row.get('name')), ['a', 'b']);
});

async function numbered(count) {
  const Class = await filled(...Array.from({ length: count }, (_, n) => ({ n })));
  return () => new AV.Query(Class).ascending('n');
}

const numbers = rows => rows.map(row => row.get('n'));

test('skip and limit cut a page', async () => {
  const query = await numbered(12);
  assert.deepEqual(numbers(await query().skip(3).limit(4).find()), [3, 4, 5, 6]);
  assert.deepEqual(numbers(await query().skip(10).limit(4).find()), [10, 11]);
  assert.deepEqual(numbers(await query().skip(50).find()), []);
  assert.deepEqual(numbers(await query().limit(0).find()), []);
});

test('a query gives 100 objects unless told, and never more than 1,000', async () => {
  const query = await numbered(1_050);
  assert.equal((await query().find()).length, 100);
  assert.equal((await query().limit(1_000).find()).length, 1_000);
  assert.equal((await query().limit(5_000).find()).length, 1_000);
  assert.equal(await query().count(), 1_050);
});

test('count, findAndCount and first', async () => {
  const query = await numbered(7);
  assert.equal(await query().greaterThan('n', 2).count(), 4);
  const [page, total] = await query().limit(2).findAndCount();
  assert.deepEqual([numbers(page), total], [[0, 1], 7]);
  assert.equal((await query().skip(2).first()).get('n'), 2);
  assert.equal(await query().equalTo('n', 99).first(), undefined);
});

test('get applies include and select', async () => {
  const { Comment, good } = await postsAndComments();
  const [one] = await new AV.Query(Comment).equalTo('name', 'one').find();
  const found = await new AV.Query(Comment).include('post').get(one.id);
  assert.equal(found.get('post').get('title'), 'good');
  assert.equal(found.get('post').id, good.id);
});

test('select gives the chosen columns and the automatic ones', async () => {
  const Class = await filled({ name: 'a', n: 1, m: { x: 1, y: 2 } });
  const [row] = await new AV.Query(Class).select('name', 'm.x').find();
  assert.equal(row.get('name'), 'a');
  assert.equal(row.get('n'), undefined);
  assert.deepEqual(row.get('m'), { x: 1 });
  assert.ok(row.id && row.createdAt && row.updatedAt);
});

test('select with a minus leaves columns out', async () => {
  const Class = await filled({ name: 'a', n: 1 });
  const [row] = await new AV.Query(Class).select(['-n', '-createdAt']).find();
  assert.deepEqual([row.get('name'), row.get('n'), row.createdAt], ['a', undefined, undefined]);
});

async function threeLevels() {
  const [country] = await saved(freshClass('Country'), { name: 'Iceland', size: 3 });
  const [city] = await saved(freshClass('City'), { name: 'Vik', country });
  const House = freshClass('House');
  await saved(House, { name: 'h', city, near: [city], note: { city } });
  return House;
}

test('include follows pointers over several levels', async () => {
  const House = await threeLevels();
  const [flat] = await new AV.Query(House).include('city').find();
  assert.equal(flat.get('city').get('name'), 'Vik');
  assert.equal(flat.get('city').get('country').get('name'), undefined);
  const [deep] = await new AV.Query(House).include('city.country').find();
  assert.equal(deep.get('city').get('country').get('name'), 'Iceland');
});

test('include reaches into lists and maps', async () => {
  const House = await threeLevels();
  const [found] = await new AV.Query(House).include(['near.country', 'note.city']).find();
  assert.equal(found.get('near')[0].get('country').get('name'), 'Iceland');
  assert.equal(found.get('note').city.get('name'), 'Vik');
});

test('select narrows what is included', async () => {
  const House = await threeLevels();
  const [found] = await new AV.Query(House)
    .include('city.country')
    .select('city.name', 'city.country.size')
    .find();
  assert.equal(found.get('city').get('name'), 'Vik');
  assert.equal(found.get('city').get('country').get('size'), 3);
  assert.equal(found.get('city').get('country').get('name'), undefined);
  assert.equal(found.get('name'), undefined);
});

test('an included pointer to nothing stays a pointer', async () => {
  const [post] = await saved(freshClass('Post'), {});
  const [comment] = await saved(freshClass('Comment'), { post });
  await post.destroy();
  const [found] = await new AV.Query(comment.className).include('post').find();
  assert.equal(found.get('post').id, post.id);
  assert.equal(found.get('post').createdAt, undefined);
});

test('a condition may look through an included pointer only by a sub-query', async () => {
  const House = await threeLevels();
  assert.equal(await new AV.Query(House).equalTo('city.name', 'Vik').count(), 0);
});

test('a query too long for an address goes by batch', async () => {
  const query = await numbered(3);
  const wanted = Array.from({ length: 400 }, (_, i) => i + 1);
  assert.deepEqual(numbers(await query().containedIn('n', wanted).find()), [1, 2]);
  assert.equal(await query().containedIn('n', wanted).count(), 2);
  const [page, total] = await query().containedIn('n', wanted).limit(1).findAndCount();
  assert.deepEqual([numbers(page), total], [[1], 2]);
});

test('a long query with an error fails as a short one does', async () => {
  const long = new AV.Query('NobodyWroteToThisEither').containedIn('n', Array(500).fill(12345));
  await assert.rejects(long.find(), { code: 101 });
});

test('a query over 100 levels of conditions deep is refused, not crashed on', async () => {
  const Class = await filled({ n: 1 });
  let query = new AV.Query(Class).equalTo('n', 1);
  for (let level = 0; level < 200; level += 1) {
    query = AV.Query.or(query, new AV.Query(Class).equalTo('n', 2));
  }
  await assert.rejects(query.find(), { code: 107 });
});

test('each goes over all objects', async () => {
  const query = await numbered(25);
  const seen = [];
  await new AV.Query(query().className).each(row => seen.push(row.get('n')), { batchSize: 10 });
  assert.deepEqual(seen.sort((a, b) => a - b), [...Array(25).keys()]);
});

async function scanned(scan) {
  const rows = [];
  for (let step = await scan.next(); !step.done; step = await scan.next()) {
    rows.push(step.value);
  }
  return rows;
}

test('scan walks through everything with the master key', async () => {
  const query = await numbered(23);
  const all = new AV.Query(query().className);
  const rows = await scanned(all.scan({ batchSize: 10 }, { useMasterKey: true }));
  assert.deepEqual(numbers(rows).sort((a, b) => a - b), [...Array(23).keys()]);
  assert.ok(rows.every((row, i) => i === 0 || rows[i - 1].id < row.id), 'by objectId');
});

test('scan obeys conditions and goes by another key', async () => {
  const query = await numbered(23);
  const some = new AV.Query(query().className).exists('n').select('n');
  some.notEqualTo('n', 5);
  const scan = some.scan({ batchSize: 4, orderedBy: '-createdAt' }, { useMasterKey: true });
  assert.equal((await scanned(scan)).length, 22);
});

test('scan of nothing ends at once', async () => {
  const query = await numbered(1);
  const none = new AV.Query(query().className).equalTo('n', 99);
  assert.deepEqual(await scanned(none.scan({}, { useMasterKey: true })), []);
});

test('scan without the master key is refused', async () => {
  const query = await numbered(1);
  await assert.rejects(new AV.Query(query().className).scan().next(), { code: 1 });
});

test('destroyAll of a query removes what it finds', async () => {
  const query = await numbered(6);
  await query().lessThan('n', 4).destroyAll();
  assert.deepEqual(numbers(await query().find()), [4, 5]);
});

test('an operator that does not exist is refused by its name', async () => {
  const query = await numbered(1);
  await assert.rejects(query()._addCondition('n', '$near', 1).find(), error => {
    assert.equal(error.code, 1);
    assert.match(error.message, /\$near/);
    return true;
  });
});

test('a pattern that cannot be read is refused', async () => {
  const Class = await filled({ name: 'a' });
  await assert.rejects(new AV.Query(Class).matches('name', '(').find(), { code: 1 });
});
