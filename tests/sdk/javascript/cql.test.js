'use strict';

/** CQL through AV.Query.doCloudQuery. */

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, reread, saved } = require('./emulator');

emulatorForThisFile();

async function scores() {
  const Score = freshClass('Score');
  const rows = await saved(
    Score,
    { name: 'ann', points: 10, tags: ['x', 'y'], at: new Date(1000) },
    { name: 'bob', points: 20, tags: ['y'], place: new AV.GeoPoint(39.9, 116.4) },
    { name: 'cid', points: 30, place: new AV.GeoPoint(31.2, 121.5) },
    { name: 'd%e' }
  );
  return { className: new Score().className, rows };
}

const cql = (text, ...rest) => AV.Query.doCloudQuery(text, ...rest);
const names = ({ results }) => results.map(row => row.get('name'));

test('select * gives objects of the class', async () => {
  const { className } = await scores();
  const answer = await cql(`select * from ${className}`);
  assert.equal(answer.className, className);
  assert.equal(answer.count, undefined);
  assert.deepEqual(names(answer), ['ann', 'bob', 'cid', 'd%e']);
  assert.ok(answer.results.every(row => row.className === className && row.id));
});

test('selected columns are the ones that come', async () => {
  const { className } = await scores();
  const { results } = await cql(`select name from ${className} where points = 10`);
  assert.equal(results[0].get('name'), 'ann');
  assert.equal(results[0].get('points'), undefined);
});

const WHERE = {
  "name = 'ann'": ['ann'],
  'points != 20': ['ann', 'cid', 'd%e'],
  'points > 10 and points <= 30': ['bob', 'cid'],
  "points < 15 or name = 'cid'": ['ann', 'cid'],
  "(points = 10 or points = 20) and tags = 'x'": ['ann'],
  'points in (10, 30)': ['ann', 'cid'],
  'points not in (10, 30)': ['bob', 'd%e'],
  'points is exists': ['ann', 'bob', 'cid'],
  'points is not exists': ['d%e'],
  "name like 'b%'": ['bob'],
  "name not like 'b%'": ['ann', 'cid', 'd%e'],
  "name regexp '^[ab]'": ['ann', 'bob'],
  "tags all ('x', 'y')": ['ann'],
  'size(tags) = 1': ['bob'],
  "at < date('1970-01-01T00:00:02.000Z')": ['ann'],
  'place near [116.4, 39.9] max 10 km': ['bob'],
  'place within [120, 30] and [122, 32]': ['cid'],
};

for (const [where, expected] of Object.entries(WHERE)) {
  test(`where ${where}`, async () => {
    const { className } = await scores();
    const answer = await cql(`select * from ${className} where ${where}`);
    assert.deepEqual(names(answer).sort(), expected);
  });
}

test('limit, skip and order', async () => {
  const { className } = await scores();
  const text = `select * from ${className} where points is exists`;
  assert.deepEqual(names(await cql(`${text} limit 2 order by points desc`)), ['cid', 'bob']);
  assert.deepEqual(names(await cql(`${text} order by points limit 1, 5`)), ['bob', 'cid']);
  assert.deepEqual(names(await cql(`${text} limit 1 order by -points`)), ['cid']);
});

test('count alone gives no rows, with a column it gives both', async () => {
  const { className } = await scores();
  const only = await cql(`select count(*) from ${className}`);
  assert.deepEqual([only.count, only.results], [4, []]);
  const both = await cql(`select *, count(objectId) from ${className} limit 1`);
  assert.deepEqual([both.count, names(both)], [4, ['ann']]);
});

test('values stand in for question marks', async () => {
  const { className } = await scores();
  const text = `select * from ${className} where name = ? and points > ? limit ?`;
  assert.deepEqual(names(await cql(text, ['bob', 5, 10])), ['bob']);
  const place = new AV.GeoPoint(31.2, 121.5);
  const near = `select * from ${className} where place near ? max 5 km`;
  assert.deepEqual(names(await cql(near, [place])), ['cid']);
});

test('include brings what a pointer points at', async () => {
  const { className, rows } = await scores();
  const [game] = await saved(freshClass('Game'), { best: rows[0] });
  const text = `select include best, * from ${game.className}`;
  const { results } = await cql(text);
  assert.equal(results[0].get('best').get('name'), 'ann');
  const by = `select * from ${game.className} where best = pointer('${className}', ?)`;
  assert.equal((await cql(by, [rows[0].id])).results.length, 1);
  assert.equal((await cql(by, [rows[1].id])).results.length, 0);
});

test('a sub-query stands for its rows', async () => {
  const { className, rows } = await scores();
  const [game] = await saved(freshClass('Game'), { best: rows[0], title: 'ann' }, { best: rows[2] });
  const inner = `select * from ${className} where points < 15`;
  const pointed = await cql(`select * from ${game.className} where best in (${inner})`);
  assert.deepEqual(pointed.results.map(({ id }) => id), [game.id]);
  const keyed = `select name from ${className}`;
  const same = await cql(`select * from ${game.className} where title = (${keyed})`);
  assert.deepEqual(same.results.map(({ id }) => id), [game.id]);
});

test('related to goes through a relation', async () => {
  const { className, rows } = await scores();
  const Team = freshClass('Team');
  const team = new Team();
  team.relation('members').add(rows.slice(0, 2));
  await team.save();
  const text = `select * from ${className} where related members to pointer('${team.className}', ?)`;
  assert.deepEqual(names(await cql(text, [team.id])), ['ann', 'bob']);
});

test('insert, update and delete', async () => {
  const { className } = await scores();
  const made = await cql(`insert into ${className} (name, points) values (?, 5)`, ['eve']);
  const { id } = made.results[0];
  const eve = AV.Object.createWithoutData(className, id);
  assert.equal((await reread(eve)).get('points'), 5);
  await cql(`update ${className} set points = op('Increment', {"amount": 2}), name = 'Eve' where objectId = ?`, [id]);
  const found = await reread(eve);
  assert.deepEqual([found.get('points'), found.get('name')], [7, 'Eve']);
  await cql(`delete from ${className} where objectId = '${id}'`);
  await assert.rejects(reread(eve), { code: 101 });
});

test('a mistake is code 300 and shows where it is', async () => {
  await assert.rejects(cql('select * GameScore limit 10'), error => {
    assert.equal(error.code, 300);
    assert.ok(
      error.message.startsWith(
        'CQL syntax error.Detail: Parse error at line 1, column 10:\n' +
          'select * GameScore limit 10\n         ^\nExpected one of:\n'
      ),
      error.message
    );
    return true;
  });
});

test('a class nobody has written to is code 101', async () => {
  await assert.rejects(cql('select * from NobodyWroteToThis'), { code: 101 });
});
