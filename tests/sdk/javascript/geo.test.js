'use strict';

/** GeoPoints and the queries by distance. */

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { AV, emulatorForThisFile, freshClass, saved } = require('./emulator');

emulatorForThisFile();

const CITIES = {
  Beijing: [39.9042, 116.4074],
  Tianjin: [39.0842, 117.2009],
  Shanghai: [31.2304, 121.4737],
  Reykjavik: [64.1466, -21.9426],
};
const BEIJING = new AV.GeoPoint(...CITIES.Beijing);

async function cities() {
  const City = freshClass('City');
  const rows = Object.entries(CITIES).map(([name, place], n) => ({
    name,
    n,
    place: new AV.GeoPoint(...place),
  }));
  await saved(City, ...rows.reverse(), { name: 'nowhere', n: 9 });
  return () => new AV.Query(City);
}

const names = rows => rows.map(row => row.get('name'));

test('near gives the nearest first and leaves out what has no place', async () => {
  const query = await cities();
  assert.deepEqual(names(await query().near('place', BEIJING).find()), [
    'Beijing',
    'Tianjin',
    'Shanghai',
    'Reykjavik',
  ]);
});

test('near takes a pair of numbers', async () => {
  const query = await cities();
  const found = await query().near('place', [64, -22]).limit(1).find();
  assert.deepEqual(names(found), ['Reykjavik']);
});

test('withinKilometers draws a circle', async () => {
  const query = await cities();
  const within = km => query().withinKilometers('place', BEIJING, km).find();
  assert.deepEqual(names(await within(50)), ['Beijing']);
  assert.deepEqual(names(await within(200)), ['Beijing', 'Tianjin']);
  assert.deepEqual(names(await within(1_200)), ['Beijing', 'Tianjin', 'Shanghai']);
});

test('withinMiles and withinRadians draw the same circle', async () => {
  const query = await cities();
  const miles = await query().withinMiles('place', BEIJING, 125).find();
  const radians = await query().withinRadians('place', BEIJING, 200 / 6371).find();
  assert.deepEqual(names(miles), ['Beijing', 'Tianjin']);
  assert.deepEqual(names(radians), ['Beijing', 'Tianjin']);
});

test('the server measures as the SDK does', async () => {
  const query = await cities();
  const shanghai = new AV.GeoPoint(...CITIES.Shanghai);
  const km = BEIJING.kilometersTo(shanghai);
  const within = distance => query().withinKilometers('place', BEIJING, distance).count();
  assert.deepEqual([await within(km - 1), await within(km + 1)], [2, 3]);
});

test('withinGeoBox takes two corners', async () => {
  const query = await cities();
  const southwest = new AV.GeoPoint(38, 115);
  const northeast = new AV.GeoPoint(41, 118);
  const found = await query().withinGeoBox('place', southwest, northeast).ascending('n').find();
  assert.deepEqual(names(found), ['Beijing', 'Tianjin']);
});

test('an order wins over the distance', async () => {
  const query = await cities();
  const found = await query().withinKilometers('place', BEIJING, 1_200).descending('n').find();
  assert.deepEqual(names(found), ['Shanghai', 'Tianjin', 'Beijing']);
});

test('near goes together with other conditions, pages and count', async () => {
  const query = await cities();
  const others = () => query().near('place', BEIJING).notEqualTo('name', 'Beijing');
  assert.deepEqual(names(await others().find()), ['Tianjin', 'Shanghai', 'Reykjavik']);
  assert.deepEqual(names(await others().skip(1).limit(1).find()), ['Shanghai']);
  assert.equal(await others().count(), 3);
});

test('a box can narrow an equality', async () => {
  const query = await cities();
  const box = [new AV.GeoPoint(30, 110), new AV.GeoPoint(41, 125)];
  const found = await query().withinGeoBox('place', ...box).equalTo('n', 2).find();
  assert.deepEqual(names(found), ['Shanghai']);
});

test('a point that is nowhere on earth is refused', async () => {
  const Place = freshClass('Place');
  await saved(Place, { at: new AV.GeoPoint(0, 0) });
  const beyond = { __type: 'GeoPoint', latitude: 91, longitude: 0 };
  const made = new Place();
  made._opSetQueue[0].at = { toJSON: () => beyond };
  await assert.rejects(made.save(), { code: 302 });
});

test('a point equals itself', async () => {
  const query = await cities();
  const found = await query().equalTo('place', BEIJING).find();
  assert.deepEqual(names(found), ['Beijing']);
});
